// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/smart_host.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <future>
#include <vector>

namespace masugata::dataplane {
namespace {

// Takes mails, one connection after the other, and refuses the first `refusals` of them.
class MailServer {
 public:
  explicit MailServer(int refusals) : refusals_(refusals) {
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(socket_, 8), 0);
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~MailServer() {
    shutdown(socket_, SHUT_RDWR);
    thread_.join();
    close(socket_);
  }
  [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  // Waits until a mail was taken; all that its client said.
  std::string taken() { return taken_.get_future().get(); }

 private:
  void serve() {
    for (int client = accept(socket_, nullptr, nullptr); client >= 0;
         client = accept(socket_, nullptr, nullptr)) {
      talk(client);
      close(client);
    }
  }
  void say(int client, const std::string& line) {
    EXPECT_GT(send(client, line.data(), line.size(), MSG_NOSIGNAL), 0);
  }
  void talk(int client) {
    std::string said;
    std::string line;
    bool data = false;
    say(client, "220 ready\r\n");
    char c = 0;
    while (recv(client, &c, 1, 0) == 1) {
      line += c;
      if (!line.ends_with("\r\n")) continue;
      said += line;
      if (data && line == ".\r\n") {
        data = false;
        say(client, "250 taken\r\n");
        taken_.set_value(said);
      } else if (line.starts_with("DATA")) {
        data = true;
        say(client, "354 go on\r\n");
      } else if (line.starts_with("MAIL") && refusals_-- > 0) {
        say(client, "451 later\r\n");
      } else if (line.starts_with("QUIT")) {
        say(client, "221 bye\r\n");
      } else if (!data) {
        say(client, "250 fine\r\n");
      }
      line.clear();
    }
  }

  int refusals_;
  int socket_ = -1;
  uint16_t port_ = 0;
  std::promise<std::string> taken_;
  std::thread thread_;
};

config::AvNotices settings_for(const MailServer& server) {
  config::AvNotices settings;
  settings.smart_host = server.host();
  return settings;
}

const NoticeMail kMail{{"a@example.com", "b@example.com"}, "Subject: x\r\n\r\n.dot\r\n"};

TEST(SmartHost, HandsOverWithANullReversePath) {
  MailServer server(0);
  SmartHost host;
  host.configure(settings_for(server));
  ASSERT_TRUE(host.send(kMail));
  const std::string said = server.taken();
  EXPECT_NE(said.find("MAIL FROM:<>"), std::string::npos);
  EXPECT_NE(said.find("RCPT TO:<a@example.com>\r\n"), std::string::npos);
  EXPECT_NE(said.find("RCPT TO:<b@example.com>\r\n"), std::string::npos);
  EXPECT_NE(said.find("\r\n..dot\r\n.\r\n"), std::string::npos);
}

TEST(SmartHost, TriesAgain) {
  MailServer server(2);
  SmartHost host(1);
  host.configure(settings_for(server));
  ASSERT_TRUE(host.send(kMail));
  EXPECT_NE(server.taken().find("MAIL FROM:<>"), std::string::npos);
}

// The server offers no encryption.
TEST(SmartHost, NothingGoesInTheClearWhenEncryptionIsRequired) {
  MailServer server(0);
  SmartHost host(1);
  config::AvNotices settings = settings_for(server);
  settings.tls = config::MailTls::Required;
  host.configure(settings);
  ASSERT_TRUE(host.send(kMail));
  while (host.counts().failed == 0) std::this_thread::yield();
  EXPECT_EQ(host.counts().sent, 0U);
  EXPECT_FALSE(host.counts().problem.empty());
  settings.tls = config::MailTls::None;
  host.configure(settings);
  ASSERT_TRUE(host.send(kMail));
  EXPECT_NE(server.taken().find("MAIL FROM:<>"), std::string::npos);
}

TEST(SmartHost, TriesAnotherWayAtOnce) {
  MailServer closed(1000);
  MailServer open(0);
  SmartHost host(1'000'000);
  host.configure(settings_for(closed));
  ASSERT_TRUE(host.send(kMail));
  while (host.counts().problem.empty()) std::this_thread::yield();
  host.configure(settings_for(open));
  EXPECT_NE(open.taken().find("MAIL FROM:<>"), std::string::npos);
}

TEST(SmartHost, WhatDoesNotFitIsCounted) {
  MailServer server(1000);
  SmartHost host(1'000'000);
  host.configure(settings_for(server));
  for (size_t i = 0; i < SmartHost::kMaximumWaiting; ++i) ASSERT_TRUE(host.send(kMail));
  EXPECT_FALSE(host.send(kMail));
  EXPECT_EQ(host.counts().failed, 1U);
  EXPECT_EQ(host.counts().waiting, SmartHost::kMaximumWaiting);
}

}  // namespace
}  // namespace masugata::dataplane
