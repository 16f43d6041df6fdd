// SPDX-License-Identifier: GPL-2.0-or-later
// The same random packets through Masugata and through the kernel's nftables under the equivalent
// random rule set. Every disagreement is an intention of docs/differential.md or a failure.
//
// MASUGATA_DIFFERENTIAL_PACKETS  frames in all (default 200000)
// MASUGATA_DIFFERENTIAL_SEED     first seed (default 1); each rule set has the next one
// MASUGATA_DIFFERENTIAL_COLLECT  when set: print unexplained differences, count them and go on
// MASUGATA_DIFFERENTIAL_TRACE    when set: print every frame and what became of it
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "tests/differential/intentions.h"
#include "tests/differential/kernel_gateway.h"
#include "tests/differential/outcome.h"
#include "tests/differential/traffic.h"
#include "tests/in_process_gateway.h"
#include "tests/packets/packet_builder.h"
#include "tests/packets/recipe_parser.h"

namespace masugata::test {
namespace {

constexpr uint64_t kPacketsPerRules = 500;
constexpr uint64_t kFrameIntervalMs = 20;  // virtual; keeps rate limits of answers out of the way

struct Station {
  const char* interface;
  const char* address;
  const char* mac;
};
constexpr Station kStations[] = {
    {"lan0", "10.0.1.10", "02:00:00:00:01:0a"},
    {"lan0", "10.0.1.11", "02:00:00:00:01:0b"},
    {"lan0", "2001:db8:2::10", "02:00:00:00:01:0a"},
    {"lan0", "2001:db8:2::11", "02:00:00:00:01:0b"},
    {"dmz0", "10.0.2.80", "02:00:00:00:02:50"},
    {"dmz0", "10.0.2.81", "02:00:00:00:02:51"},
    {"dmz0", "2001:db8:3::80", "02:00:00:00:02:50"},
    {"dmz0", "2001:db8:3::81", "02:00:00:00:02:51"},
    {"wan0", "203.0.113.1", "02:00:00:00:03:01"},
    {"wan0", "2001:db8:1::1", "02:00:00:00:03:01"},
};

const std::map<std::string, std::string> kPortMacs = {
    {"lan0", "02:00:00:00:00:01"}, {"dmz0", "02:00:00:00:00:02"}, {"wan0", "02:00:00:00:00:03"}};

uint64_t number_from_environment(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

Result<KernelGateway> make_kernel() {
  std::vector<std::string> settings = {"route add default via 203.0.113.1 dev wan0",
                                       "route add default via 2001:db8:1::1 dev wan0"};
  for (const Station& station : kStations) {
    settings.push_back(std::string("neigh replace ") + station.address + " lladdr " + station.mac +
                       " dev " + station.interface + " nud permanent");
  }
  return KernelGateway::create(
      {{"lan0", kPortMacs.at("lan0"), {"10.0.1.1/24", "2001:db8:2::1/64"}},
       {"dmz0", kPortMacs.at("dmz0"), {"10.0.2.1/24", "2001:db8:3::1/64"}},
       {"wan0", kPortMacs.at("wan0"), {"203.0.113.2/24", "2001:db8:1::2/64"}}},
      settings);
}

Result<std::unique_ptr<InProcessGateway>> make_masugata(const GeneratedRules& rules) {
  auto gateway = std::make_unique<InProcessGateway>();
  auto status = gateway->configure(to_gateway_text(rules));
  if (!status) return tl::unexpected(status.error());
  status = gateway->set_route({"0.0.0.0/0", "wan0", "203.0.113.1", "unicast"});
  if (status) status = gateway->set_route({"::/0", "wan0", "2001:db8:1::1", "unicast"});
  for (const Station& station : kStations) {
    if (status) status = gateway->set_neighbour(station.interface, station.address, station.mac);
  }
  if (!status) return tl::unexpected(status.error());
  return gateway;
}

class Round {
 public:
  Round(uint64_t seed, KernelGateway& kernel, std::map<std::string, uint64_t>& explained)
      : seed_(seed), random_(seed), kernel_(kernel), explained_(explained) {}

  // The number of frames that were compared.
  uint64_t play(uint64_t frames) {
    rules_ = generate_rules(random_);
    auto gateway = make_masugata(rules_);
    if (!gateway) {
      ADD_FAILURE() << gateway.error().message() << to_gateway_text(rules_);
      return frames;
    }
    masugata_ = std::move(*gateway);
    const auto loaded = kernel_.load_rules(to_nft_text(rules_));
    if (!loaded) {
      ADD_FAILURE() << loaded.error().message();
      return frames;
    }
    static uint32_t next_id = 1;
    TrafficGenerator traffic(random_, rules_, next_id);
    uint64_t compared = 0;
    while (compared < frames && !::testing::Test::HasFailure()) {
      for (const LogicalFrame& frame : traffic.next()) {
        if (compare(frame, traffic.flow(frame.flow))) ++compared;
      }
    }
    return compared;
  }

 private:
  // The frame as it arrives at one side; empty when its recipe cannot be built (a cut behind the
  // end of a short packet).
  static std::vector<uint8_t> build(const LogicalFrame& frame, size_t side) {
    LinkDefaults link{"02:00:00:00:03:01", kPortMacs.at(frame.port)};
    const auto recipe = parse_recipe(frame.recipes[side]);
    if (!recipe) return {};
    for (const Layer& layer : recipe->layers) {
      const bool network = layer.kind == LayerKind::Ipv4 || layer.kind == LayerKind::Ipv6;
      for (const Station& station : kStations) {
        const bool named =
            network && layer.has("source") && *layer.find("source") == station.address;
        if (named && frame.port == station.interface) link.source_mac = station.mac;
      }
    }
    auto bytes = build_packet(*recipe, link);
    if (!bytes) return {};
    for (const BitFlip& flip : frame.flips) (*bytes)[flip.position % bytes->size()] ^= flip.mask;
    return std::move(*bytes);
  }

  bool compare(const LogicalFrame& frame, TrafficFlow& flow) {
    const std::vector<uint8_t> frames[kSides] = {build(frame, kMasugata), build(frame, kKernel)};
    if (frames[0].empty() || frames[1].empty()) return false;
    std::vector<OutputFrame> output[kSides];
    const auto before = masugata_->drop_counts();
    auto sent = masugata_->send({{frame.port, false, frames[0]}});
    if (sent) sent = kernel_.send(frame.port, frames[1]);
    if (!sent) {
      ADD_FAILURE() << sent.error().message();
      return true;
    }
    for (PortFrame& out : masugata_->take_output()) {
      output[kMasugata].push_back({out.port, out.kernel, std::move(out.bytes)});
    }
    for (KernelFrame& out : kernel_.take_output()) {
      output[kKernel].push_back({out.port, false, std::move(out.bytes)});
    }
    history_.push_back({frame.flow, "send " + frame.port + ": " + frame.recipes[kMasugata]});
    const bool plain = frame.flips.empty() && !frame.reply;
    for (size_t side = 0; side < kSides && plain; ++side) observe(flow, side, output[side]);
    Outcome masugata = make_outcome(output[kMasugata], flow, kMasugata, frame.port);
    const Outcome kernel = make_outcome(output[kKernel], flow, kKernel, frame.port);
    for (const auto& [reason, count] : masugata_->drop_counts()) {
      const auto known = before.find(reason);
      if (known == before.end() || known->second != count) masugata.drop_reasons.push_back(reason);
    }
    if (std::getenv("MASUGATA_DIFFERENTIAL_TRACE") != nullptr) {
      std::printf("%s\n%s%s", history_.back().second.c_str(), masugata.text().c_str(),
                  masugata.same_as(kernel) ? "" : ("  kernel:\n" + kernel.text()).c_str());
    }
    note_before(frame, flow, masugata);
    judge(frame, flow, masugata, kernel);
    note_after(flow, masugata, kernel);
    masugata_->advance(kFrameIntervalMs);
    // Answers of other times: neighbours that bit flips made up do not exist.
    static_cast<void>(masugata_->take_output());
    return true;
  }

  static void note_before(const LogicalFrame& frame, TrafficFlow& flow, const Outcome& masugata) {
    const bool fragment = frame.kind.starts_with("fragment");
    if (!fragment) flow.fragment_refused = false;
    for (const std::string& reason : masugata.drop_reasons) {
      if (fragment && (reason.starts_with("fragment-") || reason.ends_with("-bad-fragment"))) {
        flow.fragment_refused = true;
      }
    }
    if (flow.protocol != "tcp") return;
    if (frame.kind != "tcp valid") flow.disturbed = true;
    const std::string& recipe = frame.recipes[kMasugata];
    const auto says = [&recipe](const char* text) {
      return recipe.find(text) != std::string::npos;
    };
    const bool syn = says(" flags S ") || says(" flags CES ");
    const bool answer = says(" flags SA ") && frame.reply;
    if (says(" flags R")) flow.reset_seen = true;
    if (syn && frame.reply) flow.crossing_syn = true;
    if (answer) ++flow.answers;
    if ((syn || answer) && (says(" win 0 ") || recipe.ends_with(" win 0"))) flow.zero_window = true;
  }

  static void note_after(TrafficFlow& flow, const Outcome& masugata, const Outcome& kernel) {
    if (masugata.nothing() && kernel.nothing()) flow.disturbed = true;
  }

  void judge(const LogicalFrame& frame, TrafficFlow& flow, const Outcome& masugata,
             const Outcome& kernel) {
    if (masugata.same_as(kernel)) return;
    const Intention* intention = explain({frame, flow, masugata, kernel});
    const bool repeated = flow.diverged;
    flow.diverged = true;
    if (intention != nullptr) {
      ++explained_[std::string(intention->name)];
      return;
    }
    if (repeated) {
      // Follows from the disagreement before: the two no longer know the same of this flow.
      ++explained_["consequence"];
      return;
    }
    std::string text = "seed " + std::to_string(seed_) + ", " + frame.kind + "\n";
    for (const auto& [index, line] : history_) {
      if (index == frame.flow) text += "  " + line + "\n";
    }
    for (const BitFlip& flip : frame.flips) {
      text +=
          "  byte " + std::to_string(flip.position) + " xor " + std::to_string(flip.mask) + "\n";
    }
    text += "  masugata:\n" + masugata.text() + "  kernel:\n" + kernel.text();
    if (std::getenv("MASUGATA_DIFFERENTIAL_COLLECT") != nullptr) {
      ++explained_["UNEXPLAINED"];
      std::printf("%s", text.c_str());
      return;
    }
    ADD_FAILURE() << "a disagreement that no intention explains: " << text
                  << to_gateway_text(rules_) << to_nft_text(rules_);
  }

  uint64_t seed_;
  Random random_;
  KernelGateway& kernel_;
  std::map<std::string, uint64_t>& explained_;
  GeneratedRules rules_;
  std::unique_ptr<InProcessGateway> masugata_;
  std::vector<std::pair<size_t, std::string>> history_;
};

TEST(Intentions, AreExplainedToPeople) {
  std::ifstream stream(MASUGATA_DIFFERENTIAL_PAGE);
  std::stringstream page;
  page << stream.rdbuf();
  for (const Intention& intention : intentions()) {
    EXPECT_NE(page.str().find("| `" + std::string(intention.name) + "` |"), std::string::npos)
        << "docs/differential.md does not explain " << intention.name;
  }
}

TEST(Differential, AgreesWithTheKernelOrSaysWhy) {
  auto kernel = make_kernel();
  if (!kernel) GTEST_SKIP() << "the kernel's side cannot be set up: " << kernel.error().message();
  const uint64_t wanted = number_from_environment("MASUGATA_DIFFERENTIAL_PACKETS", 200000);
  uint64_t seed = number_from_environment("MASUGATA_DIFFERENTIAL_SEED", 1);
  std::map<std::string, uint64_t> explained;
  uint64_t compared = 0;
  while (compared < wanted && !HasFailure()) {
    Round round(seed++, *kernel, explained);
    compared += round.play(std::min(kPacketsPerRules, wanted - compared));
  }
  for (const Intention& intention : intentions()) {
    if (intention.most_per_100000_frames == 0) continue;
    constexpr uint64_t kAlwaysAllowed = 3;
    EXPECT_LE(explained[std::string(intention.name)],
              kAlwaysAllowed + compared * intention.most_per_100000_frames / 100000)
        << intention.name << " explains more than it should";
  }
  std::printf("%llu frames compared; differences by intention:\n",
              static_cast<unsigned long long>(compared));
  for (const auto& [name, count] : explained) {
    std::printf("  %-40s %llu\n", name.c_str(), static_cast<unsigned long long>(count));
  }
}

}  // namespace
}  // namespace masugata::test
