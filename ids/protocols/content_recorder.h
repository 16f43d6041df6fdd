// SPDX-License-Identifier: GPL-2.0-or-later
// For tests: a ContentReceiver that writes down what it is told and insists on its contract.
#pragma once

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "ids/protocols/content_receiver.h"

namespace masugata::ids {

class ContentRecorder final : public ContentReceiver {
 public:
  struct Content {
    // The facts, their texts copied.
    ContentKind kind{};
    Direction direction{};
    ApplicationProtocol protocol{};
    std::string name, host, location, media_type, languages, tag, sender, recipients;
    std::optional<uint64_t> announced_bytes;
    std::optional<uint64_t> range_first;
    bool useless_before_end = false;
    bool coded = false;
    ContentReading reading{};
    bool begins_with_packet = false;
    bool first_byte_known = false;
    bool answered_next = true;
    // What came.
    std::string bytes;
    std::vector<std::string> later_tags;
    bool ended = false;
    ContentEnd end = ContentEnd::Broken;
  };

  ContentId begin(const ContentFacts& facts) noexcept override {
    if (refuses) return kNoContent;
    Content& content = contents.emplace_back();
    content.kind = facts.kind;
    content.direction = facts.direction;
    content.protocol = facts.protocol;
    content.name = facts.name;
    content.host = facts.host;
    content.location = facts.location;
    content.media_type = facts.media_type;
    content.languages = facts.languages;
    content.tag = facts.tag;
    content.sender = facts.sender;
    content.recipients = facts.recipients;
    content.announced_bytes = facts.announced_bytes;
    content.range_first = facts.range_first;
    content.useless_before_end = facts.useless_before_end;
    content.coded = facts.coded;
    content.reading = facts.reading;
    content.begins_with_packet = facts.begins_with_packet;
    content.first_byte_known = facts.first_byte != nullptr;
    content.answered_next = facts.answered_next;
    return static_cast<ContentId>(contents.size());
  }
  void bytes(ContentId id, std::span<const uint8_t> bytes) noexcept override {
    open(id).bytes.append(bytes.begin(), bytes.end());
  }
  void end(ContentId id, ContentEnd how) noexcept override {
    Content& content = open(id);
    content.ended = true;
    content.end = how;
  }
  void request(std::string_view host, std::string_view location, std::string_view languages,
               bool /*answered_next*/) noexcept override {
    requests.push_back(std::string{host} + " " + std::string{location} + " " +
                       std::string{languages});
  }
  void continues(ContentId id, std::string_view tag) noexcept override {
    open(id).later_tags.emplace_back(tag);
  }
  void encryption_asked(ApplicationProtocol protocol) noexcept override {
    asked.push_back(protocol);
  }
  void unannounced(const ContentFacts& facts) noexcept override {
    unannounced_in.push_back(facts.direction);
  }
  void opaque(ApplicationProtocol protocol) noexcept override { opaques.push_back(protocol); }

  // Of each content one line of text, to compare whole conversations.
  [[nodiscard]] std::string story() const {
    std::string text;
    for (const Content& content : contents) {
      text += std::to_string(static_cast<int>(content.kind)) +
              std::to_string(static_cast<int>(content.direction)) + " " + content.name + "|" +
              content.host + "|" + content.location + "|" + content.media_type + "|" + content.tag +
              "|" + content.sender + "|" + content.recipients + "|" +
              std::to_string(content.announced_bytes.value_or(0)) + "|" +
              (content.range_first ? std::to_string(*content.range_first) : "whole") + "|" +
              (content.useless_before_end ? "u" : "-") + (content.coded ? "c" : "-") +
              std::to_string(static_cast<int>(content.reading)) + "|" +
              (!content.ended                     ? "open"
               : content.end == ContentEnd::Whole ? "whole"
                                                  : "broken") +
              "|" + content.bytes + "\n";
    }
    for (const std::string& request : requests) text += "request " + request + "\n";
    for (const Direction each : unannounced_in) {
      text += each == Direction::ToClient ? "unannounced response\n" : "unannounced request\n";
    }
    for (const ApplicationProtocol each : asked) text += protocol_name(each);
    return text;
  }
  [[nodiscard]] bool all_ended() const {
    for (const Content& content : contents) {
      if (!content.ended) return false;
    }
    return true;
  }

  bool refuses = false;
  std::vector<Content> contents;
  std::vector<std::string> requests;
  std::vector<ApplicationProtocol> asked;
  std::vector<ApplicationProtocol> opaques;
  std::vector<Direction> unannounced_in;

 private:
  // A call for a content that was never begun or has ended is a broken contract.
  Content& open(ContentId id) {
    if (id == kNoContent || id > contents.size() || contents[id - 1].ended) std::abort();
    return contents[id - 1];
  }
};

}  // namespace masugata::ids
