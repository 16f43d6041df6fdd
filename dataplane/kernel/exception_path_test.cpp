// SPDX-License-Identifier: GPL-2.0-or-later
// Frames between a worker's rings and real TAP interfaces in a namespace of their own.
#include "dataplane/kernel/exception_path.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <rte_config.h>
#include <rte_mbuf.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/kernel/network_namespace_fixture.h"

namespace masugata::dataplane {
namespace {

constexpr uint16_t kExperimental = 0x88b5;  // IEEE 802 local experimental EtherType
constexpr int kPatienceMs = 5000;

using Bytes = std::vector<uint8_t>;

// Sends and receives whole frames of the experimental type on one interface.
class PacketSocket {
 public:
  explicit PacketSocket(const char* interface)
      : descriptor_(socket(AF_PACKET, SOCK_RAW, htons(kExperimental))) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(kExperimental);
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface));
    EXPECT_EQ(bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~PacketSocket() { close(descriptor_); }
  PacketSocket(const PacketSocket&) = delete;
  PacketSocket& operator=(const PacketSocket&) = delete;

  [[nodiscard]] Bytes receive() const {
    pollfd waiting{descriptor_, POLLIN, 0};
    if (poll(&waiting, 1, kPatienceMs) <= 0) return {};
    Bytes frame(70000);
    const ssize_t length = recv(descriptor_, frame.data(), frame.size(), 0);
    frame.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return frame;
  }
  void send_frame(const Bytes& frame) const {
    EXPECT_EQ(send(descriptor_, frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
  }

 private:
  int descriptor_;
};

// `vlan` 0: no tag.
Bytes frame_of(std::size_t payload, uint16_t vlan, uint8_t fill) {
  Bytes frame = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9};
  if (vlan != 0) {
    frame.insert(frame.end(),
                 {0x81, 0x00, static_cast<uint8_t>(vlan >> 8U), static_cast<uint8_t>(vlan)});
  }
  frame.insert(frame.end(), {kExperimental >> 8U, kExperimental & 0xffU});
  frame.insert(frame.end(), payload, fill);
  return frame;
}

class ByLastByte final : public FrameSteering {
 public:
  [[nodiscard]] uint32_t worker_of(std::span<const uint8_t> frame) const noexcept override {
    return frame.back() % 2U;
  }
};

class ExceptionPathTest : public NetworkNamespaceTest {
 protected:
  static void SetUpTestSuite() {
    pool = rte_pktmbuf_pool_create("exception_test", 4095, 0, 128, RTE_MBUF_DEFAULT_BUF_SIZE, -1);
    ASSERT_NE(pool, nullptr);
  }
  static void TearDownTestSuite() { rte_mempool_free(pool); }

  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    free_before = rte_mempool_avail_count(pool);
    ExceptionSettings settings;
    settings.workers = 2;
    settings.ring_size = 64;
    auto created = ExceptionPath::create(settings, pool, &steering);
    ASSERT_TRUE(created) << created.error().message();
    path = std::move(*created);
  }
  void TearDown() override {
    path.reset();
    EXPECT_EQ(rte_mempool_avail_count(pool), free_before) << "an mbuf leaked";
  }

  std::vector<TwinId> raise(const std::vector<TwinSettings>& twins) {
    auto ids = path->set_twins(twins);
    EXPECT_TRUE(ids) << ids.error().message();
    if (!ids) return {};
    for (const TwinSettings& twin : twins) run("ip link set " + twin.name + " mtu 9000 up");
    return *ids;
  }

  static rte_mbuf* make(const Bytes& bytes) {
    rte_mbuf* frame = rte_pktmbuf_alloc(pool);
    std::memcpy(rte_pktmbuf_append(frame, static_cast<uint16_t>(bytes.size())), bytes.data(),
                bytes.size());
    return frame;
  }

  // The next frame of the experimental type for a worker; the kernel's own chatter is skipped.
  Bytes receive(uint32_t worker, uint16_t* port = nullptr) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
    while (std::chrono::steady_clock::now() < deadline) {
      rte_mbuf* frame = nullptr;
      if (path->port(worker).receive(&frame, 1) == 0) {
        std::this_thread::yield();
        continue;
      }
      Bytes bytes(rte_pktmbuf_pkt_len(frame));
      const void* data = rte_pktmbuf_read(frame, 0, rte_pktmbuf_pkt_len(frame), bytes.data());
      if (data != bytes.data()) std::memcpy(bytes.data(), data, bytes.size());
      if (port != nullptr) *port = frame->port;
      rte_pktmbuf_free(frame);
      const std::size_t type = bytes[12] == 0x81 ? 16 : 12;
      if (bytes[type] == (kExperimental >> 8U) && bytes[type + 1] == (kExperimental & 0xffU)) {
        return bytes;
      }
    }
    return {};
  }

  static inline rte_mempool* pool = nullptr;
  ByLastByte steering;
  std::unique_ptr<ExceptionPath> path;
  unsigned free_before = 0;
};

const TwinSettings kLan{"lan0", net::MacAddress{{2, 0, 0, 0, 0, 1}}, 3, 0};
const TwinSettings kLanTen{"lan0.10", net::MacAddress{{2, 0, 0, 0, 0, 1}}, 3, 10};

TEST_F(ExceptionPathTest, CarriesFramesToTheKernel) {
  const auto ids = raise({kLan, kLanTen});
  ASSERT_EQ(ids.size(), 2U);
  const PacketSocket lan("lan0");
  const PacketSocket ten("lan0.10");
  ASSERT_TRUE(path->port(0).punt(ids[0], make(frame_of(100, 0, 1))));
  EXPECT_EQ(lan.receive(), frame_of(100, 0, 1));
  ASSERT_TRUE(path->port(1).punt(ids[1], make(frame_of(60, 10, 2))));
  EXPECT_EQ(ten.receive(), frame_of(60, 0, 2)) << "the tag is taken off";
  // A frame is counted once it is written: its reader may be first.
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (path->statistics().to_kernel < 2 && std::chrono::steady_clock::now() < patience) {
    std::this_thread::yield();
  }
  EXPECT_EQ(path->statistics().to_kernel, 2U);
}

TEST_F(ExceptionPathTest, WritesFramesOfSeveralSegments) {
  const auto ids = raise({kLan});
  const PacketSocket lan("lan0");
  const Bytes whole = frame_of(3000, 0, 5);
  rte_mbuf* head = make(Bytes(whole.begin(), whole.begin() + 1500));
  rte_mbuf* tail = make(Bytes(whole.begin() + 1500, whole.end()));
  ASSERT_EQ(rte_pktmbuf_chain(head, tail), 0);
  ASSERT_TRUE(path->port(0).punt(ids[0], head));
  EXPECT_EQ(lan.receive(), whole);
}

TEST_F(ExceptionPathTest, CarriesFramesFromTheKernelToTheOwner) {
  raise({kLan, kLanTen});
  const PacketSocket lan("lan0");
  const PacketSocket ten("lan0.10");
  uint16_t port = 0;
  lan.send_frame(frame_of(50, 0, 2));
  EXPECT_EQ(receive(0, &port), frame_of(50, 0, 2));
  EXPECT_EQ(port, 3);
  ten.send_frame(frame_of(50, 0, 3));
  EXPECT_EQ(receive(1), frame_of(50, 10, 3)) << "tagged for the wire, steered to worker 1";
  ten.send_frame(frame_of(8000, 0, 4));
  EXPECT_EQ(receive(0), frame_of(8000, 10, 4)) << "larger than one mbuf";
}

TEST_F(ExceptionPathTest, CountsWhatItCannotDeliver) {
  auto ids = path->set_twins({kLan});
  ASSERT_TRUE(ids);
  ASSERT_TRUE(path->port(0).punt((*ids)[0], make(frame_of(50, 0, 1)))) << "the twin is down";
  ASSERT_TRUE(path->port(0).punt(77, make(frame_of(50, 0, 1))));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (path->statistics().dropped_write_failed + path->statistics().dropped_unknown_twin < 2 &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(path->statistics().dropped_write_failed, 1U);
  EXPECT_EQ(path->statistics().dropped_unknown_twin, 1U);
}

TEST_F(ExceptionPathTest, WorkersThatDoNotListenFillTheirRingOnly) {
  raise({kLan});
  const PacketSocket lan("lan0");
  for (int i = 0; i < 200; ++i) lan.send_frame(frame_of(50, 0, 2));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (path->statistics().dropped_to_worker_full == 0 &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_GT(path->statistics().dropped_to_worker_full, 0U);
  lan.send_frame(frame_of(50, 0, 3));
  EXPECT_EQ(receive(1), frame_of(50, 0, 3)) << "worker 1 is not disturbed";
}

TEST_F(ExceptionPathTest, TwinsKeepTheirIdsWhileTheirNameStays) {
  const auto first = raise({kLan, kLanTen});
  TwinSettings moved = kLanTen;
  moved.vlan = 20;
  const TwinSettings wan{"wan0", net::MacAddress{{2, 0, 0, 0, 0, 2}}, 4, 0};
  const auto second = raise({wan, moved});
  ASSERT_EQ(second.size(), 2U);
  EXPECT_EQ(second[1], first[1]);
  EXPECT_NE(second[0], first[0]) << "the id of the removed twin is not used at once";
  EXPECT_EQ(if_nametoindex("lan0"), 0U);
  const PacketSocket twenty("lan0.10");
  twenty.send_frame(frame_of(50, 0, 2));
  EXPECT_EQ(receive(0), frame_of(50, 20, 2));
}

TEST_F(ExceptionPathTest, AFaultChangesNothing) {
  const auto first = raise({kLan});
  run("ip link add wan0 type veth peer name other");
  const TwinSettings wan{"wan0", net::MacAddress{{2, 0, 0, 0, 0, 2}}, 4, 0};
  const auto refused = path->set_twins({wan});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("wan0"), std::string::npos);
  const PacketSocket lan("lan0");
  ASSERT_TRUE(path->port(0).punt(first[0], make(frame_of(50, 0, 1))));
  EXPECT_EQ(lan.receive(), frame_of(50, 0, 1));
}

TEST_F(ExceptionPathTest, ShowsTheCarrier) {
  const auto ids = raise({kLan});
  path->set_carrier(ids[0], false);
  EXPECT_NE(output_of("ip link show lan0").find("NO-CARRIER"), std::string::npos);
  path->set_carrier(ids[0], true);
  EXPECT_EQ(output_of("ip link show lan0").find("NO-CARRIER"), std::string::npos);
}

TEST_F(ExceptionPathTest, SleepsWhenIdle) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (path->statistics().sleeps < 3 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_GE(path->statistics().sleeps, 3U);
}

TEST(ExceptionPath, RefusesNonsense) {
  ExceptionSettings settings;
  settings.workers = 2;
  EXPECT_FALSE(ExceptionPath::create(settings, nullptr, nullptr)) << "no steering";
  settings.workers = 0;
  EXPECT_FALSE(ExceptionPath::create(settings, nullptr, nullptr));
}

}  // namespace
}  // namespace masugata::dataplane
