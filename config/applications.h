// SPDX-License-Identifier: GPL-2.0-or-later
// The applications that rules may name, and their categories. The table is part of the
// configuration language: a configuration that is valid here is valid on every gateway of this
// version. ids/applications says which of them a packet belongs to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace masugata::config {

using ApplicationId = uint16_t;
inline constexpr ApplicationId kUnknownApplication = 0;  // "unknown": none that is recognised

// X(enumerator, "name")
#define MASUGATA_APPLICATION_CATEGORIES(X) \
  X(Other, "other")                        \
  X(Assistant, "assistant")                \
  X(Chat, "chat")                          \
  X(Cloud, "cloud")                        \
  X(Collaboration, "collaboration")        \
  X(Database, "database")                  \
  X(FileSharing, "file-sharing")           \
  X(FileTransfer, "file-transfer")         \
  X(Games, "games")                        \
  X(Industrial, "industrial")              \
  X(Mail, "mail")                          \
  X(Mining, "mining")                      \
  X(Network, "network")                    \
  X(PeerToPeer, "p2p")                     \
  X(RemoteCalls, "remote-calls")           \
  X(RemoteControl, "remote-control")       \
  X(Shopping, "shopping")                  \
  X(Social, "social")                      \
  X(SoftwareUpdate, "software-update")     \
  X(Streaming, "streaming")                \
  X(System, "system")                      \
  X(Voice, "voice")                        \
  X(Vpn, "vpn")                            \
  X(Web, "web")

enum class ApplicationCategory : uint8_t {
#define MASUGATA_X(enumerator, name) enumerator,
  MASUGATA_APPLICATION_CATEGORIES(MASUGATA_X)
#undef MASUGATA_X
      Count
};

// Any thread; static storage.
[[nodiscard]] size_t application_count() noexcept;
// "unknown" for an id that does not exist.
[[nodiscard]] std::string_view application_name(ApplicationId id) noexcept;
[[nodiscard]] ApplicationCategory category_of(ApplicationId id) noexcept;
[[nodiscard]] std::string_view category_name(ApplicationCategory category) noexcept;

// Upper and lower case are the same.
[[nodiscard]] std::optional<ApplicationId> find_application(std::string_view name);
[[nodiscard]] std::optional<ApplicationCategory> find_category(std::string_view name);
// At most `maximum` names that `text` may have been meant for, nearest first.
[[nodiscard]] std::vector<std::string> applications_like(std::string_view text, size_t maximum);

}  // namespace masugata::config
