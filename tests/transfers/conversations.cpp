// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/transfers/conversations.h"

#include <fmt/format.h>

#include <algorithm>

namespace masugata::test {
namespace {

constexpr std::string_view kMark = "VIRUS-HERE";

std::string object_of(Chance& chance, bool infected) {
  std::string object(200 + chance.below(150'000), ' ');
  for (char& byte : object) byte = static_cast<char>(chance.below(256));
  if (infected)
    object.replace(chance.below(static_cast<uint32_t>(object.size() - kMark.size())), kMark.size(),
                   kMark);
  return object;
}

TcpEndSettings settings_of(Chance& chance) {
  TcpEndSettings settings;
  settings.first_sequence = chance.percent(20) ? 0U - chance.below(100'000) : chance.below(~0U);
  settings.timestamp_base = chance.below(~0U);
  settings.timestamps = chance.percent(85);
  settings.window_scale = static_cast<uint8_t>(chance.below(11));
  settings.receive_bytes = 20'000 + chance.below(400'000);
  settings.segment_bytes = chance.percent(80) ? 1448 : 200 + chance.below(1200);
  if (chance.percent(20)) settings.read_bytes_per_ms = 20 + chance.below(1000);
  return settings;
}

bool begins(const std::string& text, std::string_view with) {
  return text.compare(0, with.size(), with) == 0;
}

std::string at_most(const std::string& text) {
  return fmt::format("{} bytes, '{}'", text.size(), text.substr(0, 60));
}

// One connection; the client says `request`, the server `response` once it has read all of that.
class Exchange : public Conversation {
 public:
  Exchange(LossyPath& path, Chance& chance, uint16_t port, uint16_t server_port, bool infected)
      : infected_(infected),
        connection_(path.add(port, server_port, settings_of(chance), settings_of(chance))),
        object_(object_of(chance, infected)) {
    connection_.client_end.connect(path.now_us());
  }

  [[nodiscard]] bool is_over() const override {
    const TcpEnd& client = connection_.client_end;
    const TcpEnd& server = connection_.server_end;
    const bool client_over = client.was_reset() || (client.ended() && client.all_acknowledged());
    return client_over && (server.was_reset() || server.ended() || (infected_ && told()));
  }

 protected:
  [[nodiscard]] virtual bool told() const = 0;
  [[nodiscard]] TcpEnd& client() { return connection_.client_end; }
  [[nodiscard]] TcpEnd& server() { return connection_.server_end; }
  [[nodiscard]] const TcpEnd& client() const { return connection_.client_end; }
  [[nodiscard]] const TcpEnd& server() const { return connection_.server_end; }

  bool infected_;
  SimulatedConnection& connection_;
  std::string object_;
};

class Download final : public Exchange {
 public:
  enum class End : uint8_t { Length, Chunks, Close };

  Download(LossyPath& path, Chance& chance, uint16_t port, bool infected, End end)
      : Exchange(path, chance, port, 80, infected), closes_(end == End::Close) {
    request_ = fmt::format("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", port);
    response_ = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n";
    if (end == End::Length) response_ += fmt::format("Content-Length: {}\r\n\r\n", object_.size());
    if (end == End::Close) response_ += "Connection: close\r\n\r\n";
    if (end == End::Chunks) {
      response_ += "Transfer-Encoding: chunked\r\n\r\n";
      for (size_t at = 0; at < object_.size();) {
        const std::string piece = object_.substr(at, 1 + chance.below(9000));
        response_ += fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
        at += piece.size();
      }
      response_ += "0\r\n\r\n";
    } else {
      response_ += object_;
    }
    client().write(request_);
  }

  void act() override {
    if (!answered_ && server().read().size() >= request_.size()) {
      server().write(response_);
      if (closes_) server().close();
      answered_ = true;
    }
    const bool whole = client().read().size() >= response_.size();
    if (whole || client().ended()) client().close();
    if (server().ended()) server().close();
  }

  [[nodiscard]] std::string fault() const override {
    if (infected_) {
      return client().read().find(object_) == std::string::npos ? "" : "the infected came";
    }
    if (server().read() != request_) return "request: " + at_most(server().read());
    return client().read() == response_ ? "" : "response: " + at_most(client().read());
  }

 protected:
  [[nodiscard]] bool told() const override { return begins(client().read(), "HTTP/1.1 403"); }

 private:
  bool closes_;
  bool answered_ = false;
  std::string request_;
  std::string response_;
};

class Upload final : public Exchange {
 public:
  Upload(LossyPath& path, Chance& chance, uint16_t port, bool infected)
      : Exchange(path, chance, port, 80, infected) {
    request_ = fmt::format("PUT /{} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", port,
                           object_.size()) +
               object_;
    client().write(request_);
  }

  void act() override {
    if (!answered_ && server().read().size() >= request_.size()) {
      server().write(kDone);
      answered_ = true;
    }
    if (client().read().size() >= kDone.size() || client().ended()) client().close();
    if (server().ended()) server().close();
  }

  [[nodiscard]] std::string fault() const override {
    if (infected_) {
      if (server().read().find(object_) != std::string::npos) return "the infected came";
      return told() ? "" : "was not refused in words: " + at_most(client().read());
    }
    if (server().read() != request_) return "request: " + at_most(server().read());
    return client().read() == kDone ? "" : "response: " + at_most(client().read());
  }

 protected:
  [[nodiscard]] bool told() const override { return begins(client().read(), "HTTP/1.1 403"); }

 private:
  static constexpr std::string_view kDone = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
  bool answered_ = false;
  std::string request_;
};

// Says its lines step by step, each when the reply to the one before has come; `{}` stands for
// whatever bytes the server expects then.
struct Step {
  std::string say;
  std::string reply;
};

// One client of a protocol with replies, and its server.
class Steps {
 public:
  explicit Steps(std::vector<Step> steps, std::string greeting)
      : steps_(std::move(steps)), greeting_(std::move(greeting)) {}

  void act(TcpEnd& client, TcpEnd& server) {
    if (!greeted_) server.write(greeting_);
    greeted_ = true;
    // The client.
    size_t heard = greeting_.size();
    for (size_t i = 0; i < said_; ++i) heard += steps_[i].reply.size();
    if (said_ < steps_.size() && client.read().size() >= heard) client.write(steps_[said_++].say);
    // The server.
    size_t expected = 0;
    for (size_t i = 0; i <= answered_ && i < steps_.size(); ++i) expected += steps_[i].say.size();
    if (answered_ < steps_.size() && server.read().size() >= expected) {
      server.write(steps_[answered_++].reply);
    }
  }
  [[nodiscard]] std::string all_said() const {
    std::string all;
    for (const Step& step : steps_) all += step.say;
    return all;
  }
  [[nodiscard]] std::string all_replies() const {
    std::string all = greeting_;
    for (const Step& step : steps_) all += step.reply;
    return all;
  }

 private:
  std::vector<Step> steps_;
  std::string greeting_;
  bool greeted_ = false;
  size_t said_ = 0;
  size_t answered_ = 0;
};

std::string mail_of(const std::string& object) {
  // In lines of hexadecimal digits, but for the mark of what is infected.
  std::string mail = "From: a@example.org\r\nTo: b@example.net\r\nSubject: s\r\n\r\n";
  const size_t mark = object.find(kMark);
  for (size_t at = 0; at < object.size(); at += 30) {
    for (const char byte : object.substr(at, 30)) {
      mail += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    }
    if (mark != std::string::npos && mark / 30 == at / 30) mail += kMark;
    mail += "\r\n";
  }
  return mail;
}

class Mail final : public Exchange {
 public:
  Mail(LossyPath& path, Chance& chance, uint16_t port, bool infected, bool at_once)
      : Exchange(path, chance, port, 25, infected),
        mail_(mail_of(object_)),
        steps_(steps_of(mail_, at_once), "220 mail\r\n") {}

  void act() override {
    steps_.act(client(), server());
    if (client().ended() || client().read() == steps_.all_replies()) client().close();
    if (server().ended()) server().close();
  }

  [[nodiscard]] std::string fault() const override {
    if (infected_) {
      if (server().read().find(mail_) != std::string::npos) return "the infected came";
      return told() ? "" : "was not refused in words: " + at_most(client().read());
    }
    if (server().read() != steps_.all_said()) return "said: " + at_most(server().read());
    return client().read() == steps_.all_replies() ? "" : "replies: " + at_most(client().read());
  }

 protected:
  [[nodiscard]] bool told() const override {
    return client().read().find("554 5.7.1") != std::string::npos;
  }

 private:
  static std::vector<Step> steps_of(const std::string& mail, bool at_once) {
    const std::string envelope = "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\n";
    const size_t half = mail.size() / 2;
    if (at_once) {
      return {
          {"EHLO c\r\n", "250-mail\r\n250-PIPELINING\r\n250 CHUNKING\r\n"},
          {envelope + fmt::format("BDAT {}\r\n", half) + mail.substr(0, half) +
               fmt::format("BDAT {} LAST\r\n", mail.size() - half) + mail.substr(half) + "QUIT\r\n",
           "250 a\r\n250 b\r\n250 c\r\n250 d\r\n221 bye\r\n"}};
    }
    return {{"EHLO c\r\n", "250-mail\r\n250 PIPELINING\r\n"},
            {envelope, "250 a\r\n250 b\r\n"},
            {"DATA\r\n", "354 go\r\n"},
            {mail + ".\r\n", "250 d\r\n"},
            {"QUIT\r\n", "221 bye\r\n"}};
  }

  std::string mail_;
  Steps steps_;
};

constexpr uint16_t kDataPort = 30'000;

class FtpTransfer final : public Exchange {
 public:
  FtpTransfer(LossyPath& path, Chance& chance, uint16_t port, bool infected, bool upload)
      : Exchange(path, chance, port, 21, infected),
        path_(path),
        upload_(upload),
        data_(path.add(static_cast<uint16_t>(port + 1), data_port(port), settings_of(chance),
                       settings_of(chance))),
        before_({{"USER u\r\n", "331 pw\r\n"},
                 {"PASS p\r\n", "230 in\r\n"},
                 {"PASV\r\n", fmt::format("227 Entering (203,0,113,1,{},{})\r\n",
                                          data_port(port) / 256, data_port(port) % 256)}},
                "220 ftp\r\n") {}

  void act() override {
    before_.act(client(), server());
    const bool passive = client().read().size() >= before_.all_replies().size();
    if (passive && !asked_) {
      asked_ = true;
      data_.client_end.connect(path_.now_us());
      client().write(upload_ ? "STOR f.bin\r\n" : "RETR f.bin\r\n");
    }
    const size_t asked = before_.all_said().size();
    if (!opened_ && server().read().size() > asked) {
      opened_ = true;
      server().write("150 here\r\n");
      if (!upload_) say_all(data_.server_end);
    }
    const bool permitted = client().read().find("150 here\r\n") != std::string::npos;
    if (upload_ && permitted && !sent_) say_all(data_.client_end);
    TcpEnd& receiver = upload_ ? data_.server_end : data_.client_end;
    if (receiver.ended()) receiver.close();
    finish();
  }

  [[nodiscard]] bool is_over() const override {
    const auto over = [](const TcpEnd& end) {
      return end.was_reset() || (end.ended() && end.all_acknowledged());
    };
    return over(data_.client_end) && over(client()) && (over(server()) || server().ended());
  }

  [[nodiscard]] std::string fault() const override {
    const TcpEnd& receiver = upload_ ? data_.server_end : data_.client_end;
    if (infected_) {
      if (receiver.read() == object_ && receiver.ended()) return "the infected came";
      return told() ? "" : "was not refused in words: " + at_most(client().read());
    }
    if (receiver.read() != object_) return "data: " + at_most(receiver.read());
    return client().read().find("226 done") == std::string::npos ? "no 226" : "";
  }

 protected:
  [[nodiscard]] bool told() const override {
    return client().read().find("550 ") != std::string::npos;
  }

 private:
  [[nodiscard]] static uint16_t data_port(uint16_t port) {
    return static_cast<uint16_t>(kDataPort + port % 4096);
  }
  void say_all(TcpEnd& sender) {
    sent_ = true;
    sender.write(object_);
    sender.close();
  }
  void finish() {
    const TcpEnd& at_server = data_.server_end;
    const bool ended = upload_ ? at_server.ended() : sent_ && at_server.all_acknowledged();
    if (!completed_ && opened_ && (ended || at_server.was_reset())) {
      completed_ = true;
      server().write(ended ? "226 done\r\n" : "426 failed\r\n");
    }
    const std::string& replies = client().read();
    for (const char* last : {"226 ", "426 ", "550 "}) {
      const size_t at = replies.find(last);
      if (at != std::string::npos && replies.find("\r\n", at) != std::string::npos) {
        client().close();
      }
    }
    if (client().ended()) client().close();
    if (server().ended()) server().close();
  }

  LossyPath& path_;
  bool upload_;
  SimulatedConnection& data_;
  Steps before_;
  bool asked_ = false;
  bool opened_ = false;
  bool sent_ = false;
  bool completed_ = false;
};

}  // namespace

std::vector<std::string> conversation_names() {
  return {"DownloadLength", "DownloadChunks", "DownloadClose", "Upload",
          "MailData",       "MailAtOnce",     "FtpGet",        "FtpPut"};
}

std::unique_ptr<Conversation> make_conversation(const std::string& name, LossyPath& path,
                                                Chance& chance, uint16_t port, bool infected) {
  using End = Download::End;
  const auto download = [&](End end) {
    return std::make_unique<Download>(path, chance, port, infected, end);
  };
  if (name == "DownloadLength") return download(End::Length);
  if (name == "DownloadChunks") return download(End::Chunks);
  if (name == "DownloadClose") return download(End::Close);
  if (name == "Upload") return std::make_unique<Upload>(path, chance, port, infected);
  if (name == "MailData") return std::make_unique<Mail>(path, chance, port, infected, false);
  if (name == "MailAtOnce") return std::make_unique<Mail>(path, chance, port, infected, true);
  return std::make_unique<FtpTransfer>(path, chance, port, infected, name == "FtpPut");
}

}  // namespace masugata::test
