// SPDX-License-Identifier: GPL-2.0-or-later
// usage: sa_recorder SOCKET [KEYS-FILE]
// Stands where masugatad stands for charon's plugin: keeps what charon installs and prints each
// event as a line of JSON, without keys. Obeys lines of standard input: see obey(). KEYS-FILE gets
// the keys in hexadecimal digits, for the test that looks whether they appear anywhere else.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "ipsec/sa/recording_consumer.h"
#include "ipsec/sa/sa_socket.h"

namespace masugata::ipsec {
namespace {

using nlohmann::json;

std::string hex(uint32_t spi) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", spi);
  return text;
}

const char* text_of(Direction direction) {
  return direction == Direction::Inbound ? "inbound" : "outbound";
}

json selectors_of(const TrafficSelectors& selectors) {
  json list = json::array();
  for (const TrafficSelector& selector : selectors) list.push_back(selector.addresses.to_string());
  return list;
}

json describe(const SaName& name) {
  return {{"spi", hex(name.spi)},
          {"direction", text_of(name.direction)},
          {"destination", name.destination.to_string()}};
}

json describe(const SaParameters& sa) {
  return {{"spi", hex(sa.spi.host())},
          {"direction", text_of(sa.direction)},
          {"mode", sa.mode == Mode::Tunnel ? "tunnel" : "transport"},
          {"transform", name_of(sa.transform)},
          {"key_bytes", sa.encryption_key.size() + sa.integrity_key.size()},
          {"local", sa.local.to_string()},
          {"remote", sa.remote.to_string()},
          {"udp", {sa.udp.local_port, sa.udp.remote_port}},
          {"esn", sa.extended_sequence},
          {"window", sa.replay_window_packets},
          {"soft", {sa.soft.seconds, sa.soft.bytes, sa.soft.packets}},
          {"hard", {sa.hard.seconds, sa.hard.bytes, sa.hard.packets}},
          {"request_id", sa.request_id},
          {"tunnel_id", sa.tunnel_id},
          {"local_networks", selectors_of(sa.local_selectors)},
          {"remote_networks", selectors_of(sa.remote_selectors)}};
}

json describe(const SaPolicy& policy) {
  constexpr const char* kDirections[] = {"inbound", "outbound", "forward"};
  return {{"direction", kDirections[static_cast<size_t>(policy.direction)]},
          {"priority", static_cast<int>(policy.priority)},
          {"spi", hex(policy.spi)},
          {"request_id", policy.request_id},
          {"tunnel_id", policy.tunnel_id},
          {"source", policy.source.addresses.to_string()},
          {"destination", policy.destination.addresses.to_string()}};
}

json describe(const CharonAlert& alert) {
  const auto text = [](const std::optional<net::IpAddress>& address) {
    return address ? address->to_string() : std::string();
  };
  return {{"kind", name_of(alert.kind)},
          {"we_asked", alert.we_asked},
          {"rekeying", alert.rekeying},
          {"nat", {alert.nat_here, alert.nat_there}},
          {"peer_answered", alert.peer_answered},
          {"established", alert.established},
          {"exchange", alert.exchange},
          {"number", alert.number},
          {"ike_version", alert.ike_version},
          {"connection", alert.connection},
          {"child", alert.child},
          {"local", text(alert.local)},
          {"remote", text(alert.remote)},
          {"local_identity", alert.local_identity},
          {"remote_identity", alert.remote_identity},
          {"configured_remote_identity", alert.configured_remote_identity},
          {"subject", alert.subject},
          {"issuer", alert.issuer},
          {"not_before", alert.not_before},
          {"not_after", alert.not_after},
          {"received", alert.received},
          {"configured", alert.configured}};
}

class Recorder : public RecordingConsumer {
 public:
  explicit Recorder(std::FILE* keys) : keys_(keys) {}

  Result<uint32_t> reserve_spi(const net::IpAddress& local, const net::IpAddress& remote) override {
    auto spi = RecordingConsumer::reserve_spi(local, remote);
    if (spi) print("reserve", {{"spi", hex(*spi)}});
    return spi;
  }
  Status install(SaParameters sa) override {
    const json event = describe(sa);
    write_key(sa.encryption_key);
    write_key(sa.integrity_key);
    auto status = RecordingConsumer::install(std::move(sa));
    print(status ? "install" : "refuse", event);
    return status;
  }
  Result<bool> update(const SaName& name, const SaMove& move) override {
    json event = describe(name);
    event["local"] = move.local.to_string();
    event["remote"] = move.remote.to_string();
    event["udp"] = {move.udp.local_port, move.udp.remote_port};
    print("update", event);
    return RecordingConsumer::update(name, move);
  }
  std::optional<SaUse> query(const SaName& name) override {
    print("query", describe(name));
    return RecordingConsumer::query(name);
  }
  bool remove(const SaName& name) override {
    const bool found = RecordingConsumer::remove(name);
    json event = describe(name);
    event["found"] = found;
    print("remove", event);
    return found;
  }
  void flush() override {
    print("flush", {{"sas", sas.size()}});
    RecordingConsumer::flush();
  }
  Status add_policy(const SaPolicy& policy) override {
    print("add-policy", describe(policy));
    return RecordingConsumer::add_policy(policy);
  }
  bool remove_policy(const SaPolicy& policy) override {
    const bool found = RecordingConsumer::remove_policy(policy);
    json event = describe(policy);
    event["found"] = found;
    print("remove-policy", event);
    return found;
  }
  void flush_policies() override {
    print("flush-policies", {{"policies", policies.size()}});
    RecordingConsumer::flush_policies();
  }
  void alert(const CharonAlert& alert) override { print("alert", describe(alert)); }
  void charon_connected(const std::string& daemon) override {
    print("connected", {{"daemon", daemon}});
  }
  void charon_gone() override { print("gone", json::object()); }
  void report(const std::string& sentence) override { print("report", {{"text", sentence}}); }

  void print(const char* event, json body) {
    body["event"] = event;
    std::cout << body.dump() << std::endl;
  }
  void print_state() {
    json installed = json::array();
    for (const auto& [name, sa] : sas) installed.push_back(describe(sa));
    json known = json::array();
    for (const SaPolicy& policy : policies) known.push_back(describe(policy));
    print("state", {{"sas", installed}, {"policies", known}, {"reserved", reservations.size()}});
  }

 private:
  void write_key(const KeyBytes& key) {
    if (keys_ == nullptr || key.empty()) return;
    for (const uint8_t byte : key.span()) std::fprintf(keys_, "%02x", byte);
    std::fputc('\n', keys_);
    std::fflush(keys_);
  }

  std::FILE* keys_;
};

const SaName* find(const Recorder& recorder, const std::string& spi) {
  for (const auto& [name, sa] : recorder.sas) {
    if (hex(name.spi) == spi) return &name;
  }
  return nullptr;
}

// state | expire SPI soft|hard | acquire REQUEST-ID | map SPI ADDRESS PORT | use BYTES PACKETS IDLE
// | refuse [WHY]
void obey(const std::string& line, Recorder& recorder, SaSocket& socket) {
  std::istringstream words(line);
  std::string command, spi, word;
  words >> command;
  bool done = true;
  if (command == "state") {
    recorder.print_state();
  } else if (command == "expire" && words >> spi >> word) {
    const SaName* name = find(recorder, spi);
    done = name != nullptr && socket.expire(*name, word == "hard");
  } else if (command == "acquire") {
    uint32_t request_id = 0;
    done = (words >> request_id) && socket.acquire(request_id, nullptr, nullptr);
  } else if (command == "map") {
    uint16_t port = 0;
    words >> spi >> word >> port;
    const SaName* name = find(recorder, spi);
    const auto remote = net::IpAddress::parse(word);
    done = name != nullptr && remote && socket.map(*name, *remote, port);
  } else if (command == "use") {
    uint64_t idle_seconds = 0;
    words >> recorder.use.bytes >> recorder.use.packets >> idle_seconds;
    recorder.use.idle_seconds = idle_seconds;
  } else if (command == "refuse") {
    recorder.refusal = line.size() > 7 ? line.substr(7) : "";
  } else {
    done = false;
  }
  if (!done) recorder.print("cannot", {{"line", line}});
}

int listen_at(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (std::strlen(path) >= sizeof address.sun_path) return -1;
  std::strcpy(address.sun_path, path);
  unlink(path);
  const int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      chmod(path, 0600) != 0 || listen(listener, 4) != 0) {
    return -1;
  }
  return listener;
}

int serve(Recorder& recorder, SaSocket& socket) {
  std::string input;
  pollfd ready[] = {{.fd = socket.descriptor(), .events = POLLIN, .revents = 0},
                    {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0}};
  for (;;) {
    if (poll(ready, 2, -1) < 0) return 1;
    if (ready[0].revents != 0) socket.on_readable();
    if (ready[1].revents == 0) continue;
    char buffer[512];
    const ssize_t size = read(STDIN_FILENO, buffer, sizeof buffer);
    if (size <= 0) return 0;
    input.append(buffer, static_cast<size_t>(size));
    for (size_t end = input.find('\n'); end != std::string::npos; end = input.find('\n')) {
      obey(input.substr(0, end), recorder, socket);
      input.erase(0, end + 1);
    }
  }
}

int run(int count, char** words) {
  if (count < 2 || count > 3) {
    std::cerr << "usage: sa_recorder SOCKET [KEYS-FILE]\n";
    return 2;
  }
  std::FILE* keys = nullptr;
  if (count == 3) {
    const int descriptor = open(words[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    keys = descriptor < 0 ? nullptr : fdopen(descriptor, "a");
    if (keys == nullptr) return 1;
  }
  const int listener = listen_at(words[1]);
  if (listener < 0) {
    std::cerr << words[1] << ": " << std::strerror(errno) << '\n';
    return 1;
  }
  Recorder recorder(keys);
  auto socket = SaSocket::create(listener, recorder);
  if (!socket) {
    std::cerr << socket.error().message() << '\n';
    return 1;
  }
  recorder.print("listening", json::object());
  return serve(recorder, **socket);
}

}  // namespace
}  // namespace masugata::ipsec

int main(int count, char** words) { return masugata::ipsec::run(count, words); }
