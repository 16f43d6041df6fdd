// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/ips_traffic.h"

#include <string>
#include <utility>

#include "ids/protocols/tls/tls_test_messages.h"
#include "tests/bench/ips_text.h"

namespace masugata::bench {
namespace {

namespace tls = ids::tls_test;

constexpr const char* kBrowsers[] = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Safari/605.1.15",
    "curl/8.5.0"};

class Conversations {
 public:
  explicit Conversations(uint64_t seed) : random_(seed) {}

  FrameList http() {
    TcpWriter connection(ends(80), random_);
    const std::string host = make_host(random_);
    const std::string browser = random_.pick(kBrowsers);
    const std::string cookie = make_word(random_) + "=" + make_token(random_, 32);
    const size_t requests = random_.between(1, 8);
    for (size_t i = 0; i < requests; ++i) {
      connection.send(true, request(host, browser, cookie));
      connection.send(false, response());
    }
    return connection.finish();
  }

  FrameList dns() {
    const Endpoints chosen = ends(53);
    const std::string host = make_host(random_);
    FrameList frames;
    for (const uint16_t kind : {uint16_t{1}, uint16_t{28}}) {
      const auto number = static_cast<uint16_t>(random_.next());
      frames.push_back(udp_frame(chosen, true, dns_message(number, host, kind, false)));
      frames.push_back(udp_frame(chosen, false, dns_message(number, host, kind, true)));
    }
    return frames;
  }

  FrameList tls_session() {
    TcpWriter connection(ends(443), random_);
    const std::string host = make_host(random_);
    const bool newer = random_.chance(60);
    connection.send(true, tls::record(22, hello(host, newer)));
    connection.send(false, newer ? answer_13() : answer_12(host));
    connection.send(true, tls::record(20, "\x01", 0x0303) + sealed(random_.between(40, 80)));
    if (!newer) connection.send(false, tls::record(20, "\x01", 0x0303) + sealed(40));
    const size_t exchanges = random_.between(1, 6);
    for (size_t i = 0; i < exchanges; ++i) {
      connection.send(true, sealed(random_.between(200, 900)));
      std::string answer;
      for (size_t left = random_.between(400, 60'000); left > 0;) {
        const size_t part = std::min<size_t>(left, 16'000);
        answer += sealed(part);
        left -= part;
      }
      connection.send(false, answer);
    }
    return connection.finish();
  }

  FrameList smtp() {
    TcpWriter connection(ends(25), random_);
    const std::string from = make_word(random_) + "@" + make_host(random_);
    const std::string to = make_word(random_) + "." + make_word(random_) + "@" + make_host(random_);
    connection.send(false, "220 " + make_host(random_) + " ESMTP ready\r\n");
    connection.send(true, "EHLO " + make_host(random_) + "\r\n");
    connection.send(false, "250-mx.example\r\n250-SIZE 52428800\r\n250 8BITMIME\r\n");
    connection.send(true, "MAIL FROM:<" + from + ">\r\n");
    connection.send(false, "250 2.1.0 Ok\r\n");
    connection.send(true, "RCPT TO:<" + to + ">\r\n");
    connection.send(false, "250 2.1.5 Ok\r\n");
    connection.send(true, "DATA\r\n");
    connection.send(false, "354 End data with <CR><LF>.<CR><LF>\r\n");
    connection.send(true, mail(from, to) + "\r\n.\r\n");
    connection.send(false, "250 2.0.0 Ok: queued as " + make_token(random_, 10) + "\r\n");
    connection.send(true, "QUIT\r\n");
    connection.send(false, "221 2.0.0 Bye\r\n");
    return connection.finish();
  }

 private:
  Endpoints ends(uint16_t port) {
    Endpoints chosen;
    chosen.client = 0x0a010000U + static_cast<uint32_t>(random_.between(1, 4000));
    chosen.server = 0xc6120000U + static_cast<uint32_t>(random_.between(1, 60'000));
    // Never the same pair of ends twice.
    chosen.client_port = static_cast<uint16_t>(1024 + next_port_++ % 64'000);
    chosen.server_port = port;
    return chosen;
  }

  std::string request(const std::string& host, const std::string& browser,
                      const std::string& cookie) {
    const bool posts = random_.chance(12);
    std::string text = (posts ? "POST " : "GET ") + make_path(random_) +
                       " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: " + browser +
                       "\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
                       "\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\n"
                       "Connection: keep-alive\r\n";
    if (random_.chance(60)) text += "Referer: http://" + host + make_path(random_) + "\r\n";
    if (random_.chance(70)) text += "Cookie: " + cookie + "\r\n";
    std::string form;
    if (posts) {
      form = make_word(random_) + "=" + make_token(random_, 12);
      for (size_t fields = random_.between(1, 20); fields > 0; --fields) {
        form += "&" + make_word(random_) + "=" + make_word(random_) + "+" + make_word(random_);
      }
      text += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
              std::to_string(form.size()) + "\r\n";
    }
    return text + "\r\n" + form;
  }

  std::string response() {
    const size_t kind = random_.below(100);
    if (kind < 10) return answer("304 Not Modified", "text/html", "", "");
    if (kind < 35) {
      return answer("200 OK", "application/json", "",
                    make_json(random_, random_.between(200, 3000)));
    }
    if (kind < 50) {
      return answer("200 OK", "text/html; charset=utf-8", "",
                    make_page(random_, random_.between(2000, 25'000)));
    }
    if (kind < 65) {
      return answer("200 OK", "text/html; charset=utf-8", "gzip",
                    gzip_of(make_page(random_, random_.between(5000, 60'000))));
    }
    if (kind < 90) {
      return answer("200 OK", "image/jpeg", "",
                    "\xff\xd8\xff\xe0" + make_bytes(random_, random_.between(1000, 50'000)));
    }
    if (kind < 95) {
      return answer("200 OK", "application/javascript", "gzip",
                    gzip_of(make_page(random_, random_.between(10'000, 80'000))));
    }
    return answer("200 OK", "application/octet-stream", "", make_bytes(random_, 150'000));
  }

  std::string answer(const char* status, const char* type, const char* coding,
                     const std::string& body) {
    std::string text = std::string("HTTP/1.1 ") + status + "\r\nServer: nginx/1.24.0\r\nDate: " +
                       "Tue, 14 Nov 2023 22:13:20 GMT\r\nContent-Type: " + type +
                       "\r\nContent-Length: " + std::to_string(body.size()) +
                       "\r\nConnection: keep-alive\r\nCache-Control: max-age=3600\r\nETag: \"" +
                       make_token(random_, 16) + "\"\r\n";
    if (*coding != '\0') text += std::string("Content-Encoding: ") + coding + "\r\n";
    if (random_.chance(20)) text += "Set-Cookie: sid=" + make_token(random_, 24) + "; Path=/\r\n";
    return text + "\r\n" + body;
  }

  static std::string dns_name(const std::string& host) {
    std::string name;
    for (size_t begin = 0; begin <= host.size();) {
      const size_t end = std::min(host.find('.', begin), host.size());
      name += tls::counted(host.substr(begin, end - begin), 1);
      begin = end + 1;
    }
    return name + std::string(1, '\0');
  }

  std::string dns_message(uint16_t number, const std::string& host, uint16_t kind, bool is_answer) {
    std::string records;
    size_t count = 0;
    if (is_answer && alias_is_wanted(host)) {
      const std::string target = dns_name(make_host(random_));
      records += tls::be(0xc00c, 2) + tls::be(5, 2) + tls::be(1, 2) + tls::be(300, 4) +
                 tls::counted(target, 2);
      ++count;
    }
    for (size_t left = is_answer ? random_.between(1, 4) : 0; left > 0; --left, ++count) {
      records += tls::be(0xc00c, 2) + tls::be(kind, 2) + tls::be(1, 2) + tls::be(60, 4) +
                 tls::counted(make_bytes(random_, kind == 1 ? 4 : 16), 2);
    }
    return tls::be(number, 2) + tls::be(is_answer ? 0x8180 : 0x0100, 2) + tls::be(1, 2) +
           tls::be(count, 2) + tls::be(0, 4) + dns_name(host) + tls::be(kind, 2) + tls::be(1, 2) +
           records;
  }
  static bool alias_is_wanted(const std::string& host) { return host.size() % 3 == 0; }

  std::string hello(const std::string& host, bool newer) {
    tls::ClientHelloParts parts;
    parts.ciphers = {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030,
                     0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f};
    parts.extensions = {
        {0, tls::server_name(host)},
        {23, ""},
        {0xff01, std::string(1, '\0')},
        {10, tls::counted(tls::list16({0x001d, 0x0017, 0x0018}), 2)},
        {11, std::string("\x01\x00", 2)},
        {16, tls::alpn({"h2", "http/1.1"})},
        {13, tls::counted(tls::list16({0x0403, 0x0804, 0x0401, 0x0503}), 2)},
        {51, tls::counted(tls::be(0x001d, 2) + tls::counted(make_bytes(random_, 32), 2), 2)}};
    if (newer) parts.extensions.push_back({43, tls::counted(tls::list16({0x0304, 0x0303}), 1)});
    return tls::client_hello(parts);
  }

  std::string answer_13() {
    return tls::record(22,
                       tls::server_hello(
                           0x0303, 0x1301,
                           {{43, tls::be(0x0304, 2)},
                            {51, tls::be(0x001d, 2) + tls::counted(make_bytes(random_, 32), 2)}}),
                       0x0303) +
           tls::record(20, "\x01", 0x0303) + sealed(random_.between(2500, 4500));
  }

  std::string answer_12(const std::string& host) {
    std::string messages = tls::server_hello(0x0303, 0xc02f, {{0xff01, std::string(1, '\0')}});
    tls::CertificateParts own;
    own.serial = "\x03" + make_bytes(random_, 15);
    own.subject = tls::attribute("\x55\x04\x03", 0x0c, host);
    own.alternative_names = tls::der(0x82, host);
    for (size_t i = 0; i < 25; ++i) own.alternative_names += tls::der(0x82, make_host(random_));
    tls::CertificateParts issuer;
    for (size_t i = 0; i < 25; ++i) issuer.alternative_names += tls::der(0x82, make_host(random_));
    messages += tls::certificates({tls::certificate(own), tls::certificate(issuer)});
    messages += tls::message(12, make_bytes(random_, 290)) + tls::message(14, "");
    return tls::record(22, messages, 0x0303);
  }

  std::string sealed(size_t length) { return tls::record(23, make_bytes(random_, length), 0x0303); }

  std::string mail(const std::string& from, const std::string& to) {
    std::string text = "Received: from " + make_host(random_) + " by mx.example\r\nFrom: <" + from +
                       ">\r\nTo: <" + to + ">\r\nSubject: " + make_word(random_) + " " +
                       make_word(random_) + "\r\nMessage-ID: <" + make_token(random_, 20) +
                       "@example>\r\nMIME-Version: 1.0\r\n";
    if (random_.chance(60)) {
      return text + "Content-Type: text/plain\r\n\r\n" +
             make_letter(random_, random_.between(500, 6000));
    }
    const std::string border = "=_" + make_token(random_, 24);
    text +=
        "Content-Type: multipart/mixed; boundary=\"" + border + "\"\r\n\r\n--" + border +
        "\r\nContent-Type: text/plain\r\n\r\n" + make_letter(random_, random_.between(300, 3000)) +
        "\r\n--" + border + "\r\nContent-Type: application/pdf; name=\"" + make_word(random_) +
        ".pdf\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n\r\n";
    return text +
           base64_of("%PDF-1.7\n" + make_bytes(random_, random_.between(10'000, 120'000)), 76) +
           "--" + border + "--";
  }

  RandomSource random_;
  size_t next_port_ = 0;
};

}  // namespace

Capture make_http_capture(uint64_t bytes) {
  Conversations conversations(1);
  CaptureWriter writer("HTTP", 200, 11);
  while (writer.bytes() < bytes) writer.add(conversations.http());
  return writer.finish();
}

Capture make_dns_capture(uint64_t bytes) {
  Conversations conversations(2);
  CaptureWriter writer("DNS", 200, 12);
  while (writer.bytes() < bytes) writer.add(conversations.dns());
  return writer.finish();
}

Capture make_mixed_capture(uint64_t bytes) {
  Conversations conversations(3);
  CaptureWriter writer("mix", 400, 13);
  struct Part {
    FrameList (Conversations::*make)();
    uint64_t percent;
    uint64_t written = 0;
  };
  Part parts[] = {{&Conversations::http, 45},
                  {&Conversations::tls_session, 45},
                  {&Conversations::smtp, 7},
                  {&Conversations::dns, 3}};
  while (writer.bytes() < bytes) {
    // Whichever is furthest behind its share comes next.
    Part* next = &parts[0];
    for (Part& part : parts) {
      if (part.written * next->percent < next->written * part.percent) next = &part;
    }
    const uint64_t before = writer.bytes();
    writer.add((conversations.*next->make)());
    next->written += writer.bytes() - before;
  }
  return writer.finish();
}

}  // namespace masugata::bench
