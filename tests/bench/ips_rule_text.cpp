// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/ips_rule_text.h"

#include <cstdint>

#include "tests/bench/ips_text.h"
#include "tests/bench/random_source.h"

namespace masugata::bench {
namespace {

class RuleWriter {
 public:
  std::string write(uint32_t sid) {
    constexpr size_t kOfThousand[] = {290, 80, 60, 50, 45, 25, 216, 76, 126, 14, 8, 10};
    constexpr std::string (RuleWriter::*kKinds[])() = {
        &RuleWriter::uri,        &RuleWriter::request_body, &RuleWriter::file_data,
        &RuleWriter::user_agent, &RuleWriter::host,         &RuleWriter::header,
        &RuleWriter::dns_query,  &RuleWriter::tls,          &RuleWriter::tcp,
        &RuleWriter::udp,        &RuleWriter::address,      &RuleWriter::mail};
    size_t drawn = random_.below(1000);
    size_t kind = 0;
    while (drawn >= kOfThousand[kind]) drawn -= kOfThousand[kind++];
    std::string rule = (this->*kKinds[kind])();
    if (random_.chance(6)) {
      rule += " threshold:type limit, track by_src, count 1, seconds 60;";
    }
    return rule + " classtype:trojan-activity; sid:" + std::to_string(sid) + "; rev:1;)\n";
  }

 private:
  static std::string begin(const char* header, const char* what) {
    return std::string("alert ") + header + " (msg:\"generated " + what + "\";";
  }
  static std::string content(const std::string& bytes, const char* modifiers) {
    return " content:\"" + bytes + "\";" + modifiers;
  }
  const char* case_of(size_t percent) { return random_.chance(percent) ? " nocase;" : ""; }
  std::string domain() {
    return make_word(random_) + make_token(random_, random_.between(2, 8)) +
           (random_.chance(50) ? ".com" : ".xyz");
  }
  // One in fifteen takes part in a pair that is tied by a flow bit.
  std::string flow_bit() {
    if (!random_.chance(7)) return "";
    const std::string name = "generated.bit" + std::to_string(random_.below(400));
    return random_.chance(70) ? " flowbits:set," + name + "; flowbits:noalert;"
                              : " flowbits:isset," + name + ";";
  }
  std::string method() {
    if (!random_.chance(45)) return "";
    return std::string(" http.method;") + content(random_.chance(50) ? "POST" : "GET", "");
  }

  std::string uri() {
    std::string rule = begin("http $HOME_NET any -> $EXTERNAL_NET any", "address");
    rule += " flow:established,to_server;" + flow_bit() + method() + " http.uri;";
    const std::string folder = "/" + make_word(random_) + "/" + make_token(random_, 5);
    if (random_.chance(60)) {
      rule += content(folder + ".php?" + make_word(random_) + "=", case_of(55));
      if (random_.chance(50)) rule += " fast_pattern;";
    } else {
      rule += content(folder + "/", case_of(55));
      rule += content("." + make_word(random_), random_.chance(40) ? " endswith;" : " distance:0;");
    }
    if (random_.chance(25)) {
      rule += " pcre:\"/" + make_word(random_) + "=[a-z0-9]{4,12}" +
              (random_.chance(50) ? "$" : "&") + "/Ui\";";
    }
    if (random_.chance(8)) rule += " urilen:<100;";
    if (random_.chance(10)) rule += " http.header_names; content:!\"Referer\";";
    return rule;
  }

  std::string request_body() {
    std::string rule = begin("http $HOME_NET any -> $EXTERNAL_NET any", "form");
    rule += " flow:established,to_server; http.method; content:\"POST\"; http.request_body;";
    rule += content(make_token(random_, 4) + "=", " depth:5;");
    rule += content("&" + make_word(random_) + make_token(random_, 3) + "=", " distance:0;");
    return rule;
  }

  std::string file_data() {
    std::string rule = begin("http $EXTERNAL_NET any -> $HOME_NET any", "page");
    rule += " flow:established,to_client;" + flow_bit() + " file_data;";
    rule += content(make_word(random_) + make_token(random_, random_.between(2, 10)), case_of(60));
    rule += content(make_word(random_) + "(", " distance:0; within:200;");
    if (random_.chance(30)) rule += " pcre:\"/" + make_word(random_) + "\\s*=\\s*[\\x22\\x27]/R\";";
    return rule;
  }

  std::string user_agent() {
    std::string rule = begin("http $HOME_NET any -> $EXTERNAL_NET any", "browser");
    rule += " flow:established,to_server; http.user_agent;";
    return rule + content(make_word(random_) + "/" + make_token(random_, 4),
                          random_.chance(30) ? " startswith;" : " nocase;");
  }

  std::string host() {
    std::string rule = begin("http $HOME_NET any -> $EXTERNAL_NET any", "host");
    const std::string name = domain();
    return rule + " flow:established,to_server; http.host;" + content(name, "") +
           " bsize:" + std::to_string(name.size()) + ";";
  }

  std::string header() {
    std::string rule = begin("http $EXTERNAL_NET any -> $HOME_NET any", "header");
    rule += " flow:established,to_client; http.stat_code; content:\"200\"; http.header;";
    return rule + content("X-" + make_token(random_, 6) + "|3a 20|", case_of(50));
  }

  std::string dns_query() {
    std::string rule = begin("dns $HOME_NET any -> any any", "name");
    const std::string name = domain();
    if (random_.chance(40)) {
      return rule + " dns.query; dotprefix;" + content("." + name, " nocase; endswith;");
    }
    return rule + " dns.query; bsize:" + std::to_string(name.size()) + ";" +
           content(name, " nocase;");
  }

  std::string tls() {
    if (random_.chance(60)) {
      std::string rule = begin("tls $HOME_NET any -> $EXTERNAL_NET any", "server name");
      const std::string name = domain();
      return rule + " flow:established,to_server; tls.sni;" + content(name, " nocase;") +
             " bsize:" + std::to_string(name.size()) + ";";
    }
    std::string rule = begin("tls $EXTERNAL_NET any -> $HOME_NET any", "certificate");
    return rule + " flow:established,to_client; tls.cert_subject;" +
           content("CN=" + domain(), " nocase; fast_pattern;");
  }

  std::string tcp() {
    const bool to_server = random_.chance(60);
    std::string rule = to_server ? begin("tcp $HOME_NET any -> $EXTERNAL_NET any", "stream")
                                 : begin("tcp $EXTERNAL_NET any -> $HOME_NET any", "stream");
    if (random_.chance(40)) {
      rule = begin("tcp $EXTERNAL_NET any -> $HOME_NET [21,25,139,445,1433,3306,8081]", "server");
    }
    rule += to_server ? " flow:established,to_server;" : " flow:established,to_client;";
    rule += flow_bit();
    if (random_.chance(40)) rule += " content:\"|" + hexadecimal(2) + "|\"; depth:4;";
    rule += random_.chance(50)
                ? " content:\"|" + hexadecimal(random_.between(4, 10)) + "|\";"
                : content(make_word(random_) + " " + make_token(random_, 5), " nocase;");
    if (random_.chance(15)) rule += " byte_test:2,>,200,0,relative;";
    if (random_.chance(15)) rule += " dsize:>20;";
    if (random_.chance(10)) rule += " isdataat:100,relative;";
    if (random_.chance(18)) rule += " pcre:\"/" + make_word(random_) + "\\x20[^\\n]{20}/\";";
    return rule;
  }

  std::string udp() {
    std::string rule = begin("udp $HOME_NET any -> $EXTERNAL_NET any", "datagram");
    return rule + " content:\"|" + hexadecimal(4) + "|\"; depth:8; content:\"" +
           make_word(random_) + "\"; distance:0;";
  }

  std::string address() {
    std::string hosts;
    for (size_t i = 0; i < 40; ++i) {
      hosts += (i == 0 ? "192.0." : ",192.0.") + std::to_string(random_.below(256)) + "." +
               std::to_string(random_.below(256));
    }
    const std::string header = "ip [" + hosts + "] any -> $HOME_NET any";
    return begin(header.c_str(), "host");
  }

  std::string mail() {
    std::string rule = begin("smtp $EXTERNAL_NET any -> $HOME_NET any", "mail");
    return rule + " flow:established,to_server;" +
           content("filename=|22|" + make_word(random_) + make_token(random_, 4), " nocase;");
  }

  std::string hexadecimal(size_t count) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (size_t i = 0; i < count; ++i) {
      if (i != 0) text += ' ';
      text += kDigits[random_.below(16)];
      text += kDigits[random_.below(16)];
    }
    return text;
  }

  RandomSource random_{5};
};

}  // namespace

std::string make_rule_text(size_t count) {
  RuleWriter writer;
  std::string text;
  for (size_t i = 0; i < count; ++i) text += writer.write(static_cast<uint32_t>(1'000'000 + i));
  return text;
}

}  // namespace masugata::bench
