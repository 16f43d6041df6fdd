// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/scanner_link.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

namespace masugata::dataplane {
namespace {

constexpr uint64_t kLinkVersion = 1;
constexpr int kMessagesPerRound = 16;

bool may_scan(int descriptor) {
  ucred peer{};
  socklen_t bytes = sizeof peer;
  return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
         (peer.uid == 0 || peer.uid == geteuid());
}

}  // namespace

ScannerLink::ScannerLink(control::EventLoop& loop, Report report)
    : loop_(loop), report_(std::move(report)) {}

ScannerLink::~ScannerLink() {
  loop_.cancel(timer_);
  if (link_) loop_.forget(link_->descriptor());
  if (socket_) loop_.forget(socket_->descriptor());
}

Status ScannerLink::listen(const std::string& path) {
  const std::filesystem::path file(path);
  std::error_code ignored;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), ignored);
  auto socket = control::ListeningSocket::create(path, 0600, std::nullopt, SOCK_SEQPACKET);
  if (!socket) return tl::unexpected(socket.error());
  socket_.emplace(std::move(*socket));
  timer_ = loop_.call_every(kTickMs, [this] { watch_silence(); });
  return loop_.watch(socket_->descriptor(), control::kReadable, [this](uint32_t) { accept(); });
}

void ScannerLink::accept() {
  av::Descriptor peer(accept4(socket_->descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!peer) return;
  if (!may_scan(peer.get())) {
    report_(true, "a program of another user wanted to be masugata-scand");
    return;
  }
  if (link_) {
    report_(true, "a second masugata-scand is turned away, one is at work");
    return;
  }
  link_.emplace(std::move(peer));
  heard_ms_ = loop_.now_ms();
  ++connections_;
  const Status watched =
      loop_.watch(link_->descriptor(), control::kReadable, [this](uint32_t) { hear(); });
  if (!watched) {
    disconnect(watched.error().message());
    return;
  }
  report_(false, "masugata-scand has connected");
  greet();
}

void ScannerLink::greet() {
  if (settings_) send(av::settings_message(*settings_));
  if (!regions_.empty()) send({{"type", "regions"}}, regions_);
}

void ScannerLink::send(const nlohmann::json& body, const std::vector<int>& descriptors) {
  if (!link_) return;
  if (const Status sent = link_->send(body, descriptors); !sent) disconnect(sent.error().message());
}

void ScannerLink::hear() {
  for (int count = 0; link_ && count < kMessagesPerRound; ++count) {
    auto message = link_->receive();
    if (!message) {
      disconnect(message.error().message());
      return;
    }
    if (!*message) return;
    heard_ms_ = loop_.now_ms();
    obey(**message);
  }
}

void ScannerLink::obey(const av::Message& message) {
  const std::string type = message.type();
  if (type == "hello") {
    const auto version = message.body.find("link_version");
    if (version == message.body.end() || *version != kLinkVersion) {
      disconnect("it is of another version");
    }
  } else if (type == "status") {
    note(read_scanner_status(message.body));
  } else if (type == "problem") {
    const std::string text =
        message.body.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    report_(true, "masugata-scand refuses what it was told: " + text.substr(0, 500));
  }
}

void ScannerLink::note(const ScannerStatus& next) {
  const ScannerStatus before = status_.value_or(ScannerStatus());
  if (next.engine != before.engine && next.engine == "none" && status_) {
    report_(true, "nothing can be scanned: the engine is gone");
  }
  if (next.engine == "ready" && next.version != before.version) {
    report_(false,
            fmt::format("{} signatures are in use, version {}", next.signatures, next.version));
  }
  if (!next.refusal.empty() && next.refusal != before.refusal) {
    report_(true, fmt::format("signatures are refused: {}", next.refusal));
  }
  const uint64_t lost = next.crashes + next.hangs + next.memory_shortages;
  const uint64_t lost_before = before.crashes + before.hangs + before.memory_shortages;
  if (status_ && lost > lost_before) {
    report_(true, fmt::format("{} scanners were replaced: {} crashes, {} hangs, {} short of memory "
                              "in all",
                              lost - lost_before, next.crashes, next.hangs, next.memory_shortages));
  }
  status_ = next;
}

void ScannerLink::disconnect(const std::string& reason) {
  loop_.forget(link_->descriptor());
  link_.reset();
  status_.reset();
  report_(true, fmt::format("masugata-scand is gone, nothing is scanned: {}", reason));
}

void ScannerLink::watch_silence() {
  if (link_ && loop_.now_ms() >= heard_ms_ + kSilenceMs) disconnect("it does not answer");
}

void ScannerLink::give_regions(std::vector<int> descriptors) {
  if (regions_ == descriptors) return;
  regions_ = std::move(descriptors);
  send({{"type", "regions"}}, regions_);
}

void ScannerLink::configure(const av::ScandSettings& settings) {
  if (settings_ == settings) return;
  settings_ = settings;
  send(av::settings_message(settings));
}

Status ScannerLink::reload() {
  if (!link_) return failure("antivirus", "masugata-scand is not connected");
  send({{"type", "reload"}});
  if (!link_) return failure("antivirus", "masugata-scand has just gone");
  return {};
}

}  // namespace masugata::dataplane
