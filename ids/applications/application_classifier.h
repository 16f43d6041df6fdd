// SPDX-License-Identifier: GPL-2.0-or-later
// Recognises the application of a session from its first packets, and the host name that it is for.
// One classifier per worker; nothing of it is shared.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "config/applications.h"
#include "ids/applications/application_catalog.h"
#include "ids/direction.h"

struct ndpi_flow_struct;

namespace masugata::ids {

// What is known of a session's contents.
struct ApplicationIdentity {
  config::ApplicationId application = config::kUnknownApplication;
  // What carries it ("tls" for a service that is recognised by its server name); unknown when
  // nothing does.
  config::ApplicationId carrier = config::kUnknownApplication;
  friend bool operator==(const ApplicationIdentity&, const ApplicationIdentity&) = default;
};

enum class Recognition : uint8_t {
  Undecided,
  // Recognised, with the host name that the session is for; the library may still learn more, and
  // then says so with one of the next packets.
  Known,
  Final,  // recognised, or unknown because the budget is spent
};

// How long is looked.
struct ApplicationBudget {
  uint8_t packets = 16;    // with payload, of each direction
  uint32_t bytes = 32768;  // of payload, of each direction
};

// One session while its application is looked for. Made and ended by its classifier.
struct ApplicationFlow {
  ndpi_flow_struct* state = nullptr;  // null: decided, or not begun
  uint32_t bytes[2] = {};             // payload seen, by Direction
  uint8_t packets[2] = {};
};

// A packet as it came in, from its IP header on, in one piece.
struct ApplicationPacket {
  std::span<const uint8_t> network;
  uint32_t payload_bytes = 0;
  Direction direction = Direction::ToServer;
  uint64_t time_ms = 0;
};

// Thread: the worker's, but for create(). Memory: `flows` states of about 700 bytes, taken at once;
// what the library remembers of a handshake besides (bounded by what the budget lets it see) is its
// own, and is freed with the flow.
class ApplicationClassifier {
 public:
  // nullptr when the library cannot be set up or there is no memory. Control thread.
  [[nodiscard]] static std::unique_ptr<ApplicationClassifier> create(uint32_t flows);
  ~ApplicationClassifier();
  ApplicationClassifier(const ApplicationClassifier&) = delete;
  ApplicationClassifier& operator=(const ApplicationClassifier&) = delete;

  // False when as many flows are looked at as there is room for.
  [[nodiscard]] bool begin(ApplicationFlow& flow) noexcept;
  // Looks at one more packet. Sets `identity` unless Undecided, and host_name() may be asked then.
  // When Final, end() is due.
  [[nodiscard]] Recognition look(ApplicationFlow& flow, const ApplicationPacket& packet,
                                 const ApplicationBudget& budget,
                                 ApplicationIdentity& identity) noexcept;
  // The host name that the session is for, lower case; empty when none was seen. Valid until end().
  // A name of more than 79 bytes is known by its last 79.
  [[nodiscard]] static std::string_view host_name(const ApplicationFlow& flow) noexcept;
  // Frees the flow's state. Nothing happens when it has none.
  void end(ApplicationFlow& flow) noexcept;

  [[nodiscard]] uint32_t flows_in_use() const noexcept { return in_use_; }
  [[nodiscard]] const ApplicationCatalog& catalog() const noexcept { return *catalog_; }

 private:
  struct Library;
  ApplicationClassifier();

  std::unique_ptr<Library> library_;
  std::unique_ptr<ApplicationCatalog> catalog_;
  std::unique_ptr<unsigned char[]> states_;
  std::vector<uint32_t> free_;
  uint32_t used_ = 0;  // states that were ever used
  uint32_t flows_ = 0;
  uint32_t in_use_ = 0;
};

}  // namespace masugata::ids
