// SPDX-License-Identifier: GPL-2.0-or-later
// What applications at both ends of a LossyPath say to each other: HTTP, mail and FTP, with one
// object, clean or infected.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/transfers/lossy_path.h"

namespace masugata::test {

class Conversation {
 public:
  Conversation() = default;
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  virtual ~Conversation() = default;

  // What the applications do with what they have read.
  virtual void act() = 0;
  // Client and server know that it is over.
  [[nodiscard]] virtual bool is_over() const = 0;
  // What went wrong, once it is over; empty: nothing.
  [[nodiscard]] virtual std::string fault() const = 0;
};

[[nodiscard]] std::vector<std::string> conversation_names();

// Begins a conversation from `port` and the next ones.
[[nodiscard]] std::unique_ptr<Conversation> make_conversation(const std::string& name,
                                                              LossyPath& path, Chance& chance,
                                                              uint16_t port, bool infected);

}  // namespace masugata::test
