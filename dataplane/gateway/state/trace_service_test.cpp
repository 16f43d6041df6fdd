// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/trace_service.h"

#include <gtest/gtest.h>

#include "tests/in_process_gateway.h"
#include "tests/packets/packet_builder.h"

namespace masugata::dataplane {
namespace {

constexpr const char* kConfiguration = R"(
interfaces {
    interface lan0 { device "net_ring0"; address 10.0.1.1/24; }
    interface wan0 { device "net_ring1"; address 203.0.113.2/24; }
}
routes { route 0.0.0.0/0 { via 203.0.113.1; } }
zones { zone lan { interface lan0; } zone wan { interface wan0; } }
policy { from lan to wan { rule web { protocol udp; destination { port 53; } action permit; } } }
nat { source { rule out { from lan; to wan; translate { interface; } } } }
)";

class Trace : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(gateway_.configure(kConfiguration).has_value());
    ASSERT_TRUE(gateway_.set_neighbour("wan0", "203.0.113.1", "02:00:00:00:00:99").has_value());
    auto loop = control::EventLoop::create([this] { return now_ms_; });
    ASSERT_TRUE(loop.has_value());
    loop_ = std::move(*loop);
    WorkerContext& context = gateway_.worker().context();
    service_ = std::make_unique<TraceService>(
        *loop_, std::vector<TracedWorker>{{&context.trace, &context.counters.trace_lost}},
        no_readers_, [] { return uint64_t{0}; },
        [this]() -> const RunningConfiguration& { return gateway_.configuration(); });
  }
  void send(uint16_t source_port, uint16_t destination_port) {
    const auto bytes = test::build_packet(
        "eth 02:00:00:00:01:0a > 02:00:00:00:00:01 | udp 10.0.1.10:" + std::to_string(source_port) +
            " > 198.51.100.5:" + std::to_string(destination_port) + " payload \"x\"",
        test::LinkDefaults{});
    ASSERT_TRUE(bytes.has_value()) << bytes.error().message();
    ASSERT_TRUE(gateway_.send({{"lan0", false, *bytes}}).has_value());
  }
  void pass(uint64_t milliseconds) {
    now_ms_ += milliseconds;
    while (loop_->run_once(0) > 0) {
    }
  }
  Result<control::TraceId> start(const control::TraceRequest& request) {
    return service_->start(request,
                           {[this](const control::TraceLine& line) { lines_.push_back(line); },
                            [this](const std::string& why) { ended_ = why; }});
  }
  test::InProcessGateway gateway_;
  NoReaders no_readers_;
  uint64_t now_ms_ = 1000;
  std::unique_ptr<control::EventLoop> loop_;
  std::unique_ptr<TraceService> service_;
  std::vector<control::TraceLine> lines_;
  std::string ended_;
};

TEST_F(Trace, TellsEveryStage) {
  ASSERT_TRUE(start({}).has_value());
  send(4000, 53);
  pass(20);
  ASSERT_EQ(lines_.size(), 4U);
  EXPECT_EQ(lines_[0].stage, "decode");
  EXPECT_EQ(lines_[0].flow, "udp 10.0.1.10:4000 > 198.51.100.5:53");
  EXPECT_EQ(lines_[0].decision, "29 bytes in by lan0; to track");
  EXPECT_EQ(lines_[1].decision, "no session yet; to admit");
  EXPECT_EQ(lines_[2].decision, "rule lan > wan: web; session 0 begins; to egress");
  EXPECT_EQ(lines_[3].decision,
            "translated to udp 203.0.113.2:4000 > 198.51.100.5:53; out by wan0; to transmit");
  for (const control::TraceLine& line : lines_) EXPECT_EQ(line.packet, 1U);
}

TEST_F(Trace, TellsWhyAPacketIsDropped) {
  ASSERT_TRUE(start({}).has_value());
  send(4000, 80);
  pass(20);
  ASSERT_FALSE(lines_.empty());
  EXPECT_EQ(lines_.back().decision, "drop policy-default-denied: no rule permits it");
}

TEST_F(Trace, LeavesOthersAlone) {
  control::TraceRequest request;
  request.filter.destination_port = 53;
  request.filter.zone = "lan";
  ASSERT_TRUE(start(request).has_value());
  send(4000, 80);
  pass(20);
  EXPECT_TRUE(lines_.empty());
  send(4000, 53);
  pass(20);
  EXPECT_EQ(lines_.size(), 4U);
}

TEST_F(Trace, EndsAtItsLimit) {
  control::TraceRequest request;
  request.packet_limit = 2;
  ASSERT_TRUE(start(request).has_value());
  for (uint16_t port = 4000; port < 4005; ++port) send(port, 53);
  pass(20);
  ASSERT_EQ(lines_.size(), 8U);
  EXPECT_EQ(lines_.back().packet, 2U);
  EXPECT_EQ(ended_, "");
  pass(TraceService::kLastPacketsMs);
  pass(TraceService::kDrainPeriodMs);
  EXPECT_EQ(ended_, "packet limit reached");
  EXPECT_EQ(gateway_.worker().context().trace.filter.load(), nullptr);
}

TEST_F(Trace, CanBeStoppedByItsListener) {
  control::TraceListener listener;
  control::TraceId id = 0;
  int lines = 0;
  listener.line = [&](const control::TraceLine&) {
    ++lines;
    service_->stop(id);
  };
  listener.ended = [](const std::string&) { FAIL(); };
  id = service_->start({}, listener).value();
  send(4000, 53);
  pass(20);
  EXPECT_EQ(lines, 1);
  EXPECT_EQ(gateway_.worker().context().trace.filter.load(), nullptr);
  EXPECT_TRUE(start({}).has_value());
}

TEST_F(Trace, ThereIsOneAtATime) {
  ASSERT_TRUE(start({}).has_value());
  EXPECT_FALSE(start({}).has_value());
}

TEST_F(Trace, CountsWhatDidNotFit) {
  ASSERT_TRUE(start({}).has_value());
  for (uint16_t i = 0; i < 400; ++i) send(static_cast<uint16_t>(4000 + i), 53);
  pass(20);
  ASSERT_FALSE(lines_.empty());
  EXPECT_EQ(lines_[0].lost_before, 400U * 4U - 1024U);
}

TEST_F(Trace, NamesWhatIsNotKnown) {
  control::TraceRequest request;
  request.filter.zone = "moon";
  EXPECT_EQ(start(request).error().where, "zone moon");
  request.filter.zone.clear();
  request.filter.interface = "moon0";
  EXPECT_EQ(start(request).error().where, "interface moon0");
}

}  // namespace
}  // namespace masugata::dataplane
