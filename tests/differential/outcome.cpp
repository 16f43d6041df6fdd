// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/differential/outcome.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "tests/packets/byte_writer.h"
#include "tests/packets/packet_describer.h"
#include "tests/packets/wire_checksum.h"

namespace masugata::test {
namespace {

constexpr size_t kLinkBytes = 14;

using Bytes = std::vector<uint8_t>;

// ---- fragments ----

struct Fragment {
  std::string datagram;      // port, addresses, protocol, identification
  size_t header_length = 0;  // with the fragment header (IPv6)
  size_t offset = 0;
  bool more = false;
};

// Only fragments whose fragment header directly follows the IPv6 header: longer chains are compared
// piece by piece.
bool read_fragment(const OutputFrame& frame, Fragment& fragment) {
  const Bytes& bytes = frame.bytes;
  if (bytes.size() < kLinkBytes + 20) return false;
  const uint8_t* network = bytes.data() + kLinkBytes;
  if (bytes[12] == 0x08 && bytes[13] == 0x00) {
    const size_t field = static_cast<size_t>(network[6]) << 8U | network[7];
    fragment.offset = (field & 0x1fffU) * 8;
    fragment.more = (field & 0x2000U) != 0;
    fragment.header_length = (network[0] & 15U) * 4U;
    fragment.datagram =
        frame.port + to_hex(network + 12, 8) + to_hex(network + 9, 1) + to_hex(network + 4, 2);
    return fragment.more || fragment.offset > 0;
  }
  if (bytes[12] != 0x86 || bytes[13] != 0xdd || bytes.size() < kLinkBytes + 48 || network[6] != 44)
    return false;
  const size_t field = static_cast<size_t>(network[42]) << 8U | network[43];
  fragment.offset = field & 0xfff8U;
  fragment.more = (field & 1U) != 0;
  fragment.header_length = 48;
  fragment.datagram = frame.port + to_hex(network + 8, 32) + to_hex(network + 44, 4);
  return true;
}

// The frame without fragmentation, headers from the first fragment.
Bytes whole_frame(const Bytes& first, const Fragment& facts, const Bytes& content) {
  ByteWriter out;
  const bool ipv4 = first[12] == 0x08;
  const size_t kept = ipv4 ? facts.header_length : 40;
  out.append({first.data(), kLinkBytes + kept});
  out.append(content);
  Bytes bytes = out.take();
  uint8_t* network = bytes.data() + kLinkBytes;
  const size_t length = ipv4 ? kept + content.size() : content.size();
  network[ipv4 ? 2 : 4] = static_cast<uint8_t>(length >> 8U);
  network[ipv4 ? 3 : 5] = static_cast<uint8_t>(length);
  if (ipv4) {
    network[6] = static_cast<uint8_t>(network[6] & 0x40U);
    network[7] = 0;
    const uint16_t sum = header_checksum({network, kept}, 10);
    network[10] = static_cast<uint8_t>(sum >> 8U);
    network[11] = static_cast<uint8_t>(sum);
  } else {
    network[6] = first[kLinkBytes + 40];
  }
  return bytes;
}

// Puts fragments together; what stays incomplete stays as it is.
std::vector<OutputFrame> joined(const std::vector<OutputFrame>& output) {
  struct Piece {
    Fragment facts;
    const OutputFrame* frame;
  };
  std::vector<OutputFrame> frames;
  std::map<std::string, std::vector<Piece>> datagrams;
  for (const OutputFrame& frame : output) {
    Fragment facts;
    if (read_fragment(frame, facts)) {
      datagrams[facts.datagram].push_back({facts, &frame});
    } else {
      frames.push_back(frame);
    }
  }
  for (auto& [name, pieces] : datagrams) {
    std::sort(pieces.begin(), pieces.end(), [](const Piece& left, const Piece& right) {
      return left.facts.offset < right.facts.offset;
    });
    Bytes content;
    bool complete = !pieces.back().facts.more;
    for (const Piece& piece : pieces) {
      complete = complete && piece.facts.offset == content.size();
      const auto start = piece.frame->bytes.begin() +
                         static_cast<ptrdiff_t>(kLinkBytes + piece.facts.header_length);
      content.insert(content.end(), start, piece.frame->bytes.end());
    }
    if (!complete) {
      for (const Piece& piece : pieces) frames.push_back(*piece.frame);
      continue;
    }
    OutputFrame frame = *pieces.front().frame;
    frame.bytes = whole_frame(pieces.front().frame->bytes, pieces.front().facts, content);
    frames.push_back(std::move(frame));
  }
  return frames;
}

// ---- what each side may choose ----

void forget(Layer& layer, std::initializer_list<std::string_view> names) {
  std::erase_if(layer.fields, [&](const Field& field) {
    return std::find(names.begin(), names.end(), field.name) != names.end();
  });
}

// What every generated pool translates to (generated_rules.cpp).
constexpr std::string_view kPoolAddress = "203.0.113.20";
constexpr uint64_t kPoolFirstPort = 20000;
constexpr uint64_t kPoolLastPort = 29999;

// Replaces the translated source port (or identifier) by '*', wherever it stands.
void mask_translation(Recipe& recipe, const TrafficEndpoint& translated) {
  std::string source;
  std::string destination;
  const std::string port = std::to_string(translated.port);
  for (Layer& layer : recipe.layers) {
    if (layer.has("source") && layer.kind != LayerKind::Ethernet) source = *layer.find("source");
    if (layer.has("destination") && layer.kind != LayerKind::Ethernet) {
      destination = *layer.find("destination");
    }
    for (const auto& [name, address] :
         {std::pair{"source-port", &source}, std::pair{"destination-port", &destination}}) {
      const std::string* value = layer.find(name);
      if (value == nullptr) continue;
      const uint64_t number = layer.number_or(name, 0);
      const bool pool =
          *address == kPoolAddress && number >= kPoolFirstPort && number <= kPoolLastPort;
      if (pool || (*value == port && *address == translated.address)) layer.set(name, "*");
    }
    const std::string* id = layer.find("id");
    const bool icmp = layer.kind == LayerKind::Icmp || layer.kind == LayerKind::Icmp6;
    const bool pool = source == kPoolAddress || destination == kPoolAddress;
    const bool ours = source == translated.address || destination == translated.address;
    if (icmp && id != nullptr && (pool || (ours && *id == port))) layer.set("id", "*");
    for (Recipe& quoted : layer.quoted) mask_translation(quoted, translated);
  }
}

// Of a quote: who, to whom, which ports. Checksums of quotes that are cut off cannot be verified.
void mask_quote(Recipe& recipe, bool generated) {
  for (Layer& layer : recipe.layers) forget(layer, {"checksum", "length"});
  if (!generated) return;
  std::erase_if(recipe.layers, [](const Layer& layer) {
    return layer.kind == LayerKind::Payload || layer.kind == LayerKind::Truncate;
  });
  for (Layer& layer : recipe.layers) {
    forget(layer, {"total-length", "payload-length", "ttl", "hop-limit"});
    if (layer.kind == LayerKind::Tcp) {
      forget(layer, {"flags", "ack", "win", "urgent", "mss", "wscale", "sack-permitted", "ts",
                     "sack", "nop", "option-bytes", "header-words"});
    }
  }
}

std::string line_of(const OutputFrame& frame, const TrafficFlow& flow, size_t side,
                    bool generated) {
  Dissection dissection = dissect_packet(frame.bytes);
  Recipe& recipe = dissection.recipe;
  std::erase_if(recipe.layers, [](const Layer& layer) { return layer.kind == LayerKind::Padding; });
  for (Layer& layer : recipe.layers) {
    if (generated && (layer.kind == LayerKind::Ipv4 || layer.kind == LayerKind::Ipv6)) {
      forget(layer, {"ttl", "hop-limit", "id", "df", "tos", "traffic-class", "flow-label"});
    }
    if (generated && layer.kind == LayerKind::Tcp) forget(layer, {"win", "ack"});
    for (Recipe& quoted : layer.quoted) mask_quote(quoted, generated);
  }
  const auto& seen = flow.observed[side];
  mask_translation(recipe, seen ? seen->client : TrafficEndpoint{});
  std::string text = frame.port + (generated ? " answer: " : ": ") + to_text(recipe);
  for (const std::string& defect : dissection.defects) {
    // A quoted checksum that does not fit the translated quote is judged by its receiver only.
    if (!defect.starts_with("quoted"))
      text += " DEFECT " + defect.substr(0, defect.find(" checksum"));
  }
  return text;
}

// The gateway's own word that a neighbour does not answer, or that fragments did not come: about
// another packet, some time ago.
bool is_late_answer(const OutputFrame& frame) {
  const Dissection dissection = dissect_packet(frame.bytes);
  bool fresh = false;
  for (const Layer& layer : dissection.recipe.layers) {
    if (layer.kind == LayerKind::Ipv4) fresh = layer.number_or("ttl", 0) == 64;
    if (layer.kind == LayerKind::Ipv6) fresh = layer.number_or("hop-limit", 0) == 64;
    const bool host = (layer.kind == LayerKind::Icmp && layer.number_or("type", 0) == 3 &&
                       layer.number_or("code", 0) == 1) ||
                      (layer.kind == LayerKind::Icmp6 && layer.number_or("type", 0) == 1 &&
                       layer.number_or("code", 0) == 3);
    const bool reassembly = (layer.kind == LayerKind::Icmp && layer.number_or("type", 0) == 11 &&
                             layer.number_or("code", 0) == 1) ||
                            (layer.kind == LayerKind::Icmp6 && layer.number_or("type", 0) == 3 &&
                             layer.number_or("code", 0) == 1);
    if (host || reassembly) return fresh;
  }
  return false;
}

// An echo reply from that address.
bool is_echo_reply_of(const OutputFrame& frame, const std::string& address) {
  const Dissection dissection = dissect_packet(frame.bytes);
  bool from_there = false;
  for (const Layer& layer : dissection.recipe.layers) {
    const bool network = layer.kind == LayerKind::Ipv4 || layer.kind == LayerKind::Ipv6;
    if (network) from_there = *layer.find("source") == address;
    const bool reply = (layer.kind == LayerKind::Icmp && layer.number_or("type", 1) == 0) ||
                       (layer.kind == LayerKind::Icmp6 && layer.number_or("type", 0) == 129);
    if (reply && from_there) return true;
  }
  return false;
}

}  // namespace

bool Outcome::dropped_for(const std::string& reason) const {
  return std::find(drop_reasons.begin(), drop_reasons.end(), reason) != drop_reasons.end();
}

bool Outcome::says(const std::string& text) const {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

std::string Outcome::text() const {
  std::string text;
  for (const std::string& line : lines) text += "    " + line + "\n";
  for (const std::string& reason : drop_reasons) text += "    dropped: " + reason + "\n";
  return text.empty() ? "    nothing\n" : text;
}

Outcome make_outcome(const std::vector<OutputFrame>& output, const TrafficFlow& flow, size_t side,
                     const std::string& ingress) {
  Outcome outcome;
  for (const OutputFrame& frame : joined(output)) {
    if (is_late_answer(frame)) continue;
    // The kernel answers what Masugata hands to its kernel.
    if (frame.to_kernel || (flow.to_self && is_echo_reply_of(frame, flow.server.address))) {
      outcome.lines.push_back("local");
    } else {
      outcome.lines.push_back(line_of(frame, flow, side, frame.port == ingress));
    }
  }
  std::sort(outcome.lines.begin(), outcome.lines.end());
  return outcome;
}

void observe(TrafficFlow& flow, size_t side, const std::vector<OutputFrame>& output) {
  if (flow.observed[side] || flow.to_self) return;
  for (const OutputFrame& frame : joined(output)) {
    if (frame.port != flow.server_port || frame.to_kernel || is_late_answer(frame)) continue;
    const Dissection dissection = dissect_packet(frame.bytes);
    ObservedFlow seen;
    for (const Layer& layer : dissection.recipe.layers) {
      if (layer.kind == LayerKind::Ipv4 || layer.kind == LayerKind::Ipv6) {
        seen.client.address = *layer.find("source");
        seen.server.address = *layer.find("destination");
      }
      if (layer.has("source-port")) {
        seen.client.port = static_cast<uint16_t>(layer.number_or("source-port", 0));
        seen.server.port = static_cast<uint16_t>(layer.number_or("destination-port", 0));
      }
      if (layer.has("id") && (layer.kind == LayerKind::Icmp || layer.kind == LayerKind::Icmp6)) {
        seen.client.port = static_cast<uint16_t>(layer.number_or("id", 0));
        seen.server.port = seen.client.port;
      }
    }
    flow.observed[side] = seen;
    return;
  }
}

}  // namespace masugata::test
