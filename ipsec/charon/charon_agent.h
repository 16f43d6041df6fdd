// SPDX-License-Identifier: GPL-2.0-or-later
// Looks after charon from a thread of its own: connects, loads, keeps tunnels up, asks what there
// is. Nobody who gives it orders waits for charon. A thread, because charon itself waits for the
// control thread while it answers: it asks charon's plugin, and that asks masugatad, how much each
// SA has carried.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "ipsec/charon/charon_control.h"
#include "ipsec/charon/vici_session.h"

namespace masugata::ipsec {

// What the agent tells, in the order in which it happened.
struct CharonAppeared {
  CharonVersion version;
};
struct CharonVanished {
  std::string why;
};
struct CharonLoaded {
  CommitReport report;
};
struct CharonSas {
  std::vector<ViciSection> sas;    // messages of list-sas
  std::vector<std::string> begun;  // by keep_up(), just now
  std::vector<std::string> held;   // down by request
  std::vector<uint64_t> ending;    // IKE SAs of `sas` that were ended after these were listed
};
struct OrderDone {
  uint64_t order = 0;
  Status status;
};
using CharonNews =
    std::variant<CharonAppeared, CharonVanished, CharonLoaded, CharonSas, ViciEvent, OrderDone>;

enum class SiteAction : uint8_t { Up, Down, Rekey, RekeyIke };

struct CharonAgentTargets {
  std::function<Result<ViciSession>()> connect;
  std::chrono::milliseconds connect_every{1000};
  std::chrono::milliseconds tend_every{2000};
  // Of charon, told as ViciEvent; those about SAs also make the agent look at once.
  std::vector<std::string> events{"ike-updown", "child-updown", "ike-rekey", "child-rekey"};
};

// Thread: one thread owns the agent and calls everything; `connect` and plan makers are called in
// the agent's own. Bound: kMaximumNews wait to be taken; beyond, lists of SAs and events are left
// out (counted), answers to orders never.
class CharonAgent {
 public:
  using PlanMaker = std::function<ConnectionPlan()>;
  static constexpr size_t kMaximumNews = 4096;

  explicit CharonAgent(CharonAgentTargets targets);
  // Ends what is under way; does not wait for charon.
  ~CharonAgent();
  CharonAgent(const CharonAgent&) = delete;
  CharonAgent& operator=(const CharonAgent&) = delete;

  // The thread starts, and connects as soon as charon is there. Fault: no descriptor to be had.
  [[nodiscard]] Status start();
  [[nodiscard]] bool runs() const noexcept { return thread_.joinable(); }

  // Orders; each is answered by an OrderDone with the number returned. A Fault there: charon is not
  // there, or refuses.
  //
  // What `make` gives is in charon from now on: at once, and whenever charon appears anew.
  // CharonLoaded tells how it went.
  uint64_t load(PlanMaker make);
  // CharonSas comes before the answer.
  uint64_t look();
  uint64_t act(const std::string& site, SiteAction action);

  // Readable when there is news.
  [[nodiscard]] int descriptor() const noexcept { return news_signal_; }
  [[nodiscard]] std::vector<CharonNews> take_news();
  [[nodiscard]] uint64_t lost_news() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Order {
    uint64_t number = 0;
    enum class Kind : uint8_t { Load, Look, Act } kind = Kind::Look;
    PlanMaker make;
    std::string site;
    SiteAction action = SiteAction::Up;
  };

  uint64_t give(Order order);
  void tell(CharonNews news);
  // --- the agent's thread ---
  void run();
  void wait();
  void connect();
  void lose(const std::string& why);
  void obey(Order order);
  Status load_all();
  Status act_on(const Order& order);
  void tend();
  void take_events();

  CharonAgentTargets targets_;
  std::thread thread_;
  int order_signal_ = -1;
  int news_signal_ = -1;
  uint64_t next_order_ = 1;

  mutable std::mutex lock_;
  bool stop_ = false;  // from here on guarded by lock_
  std::deque<Order> orders_;
  std::vector<CharonNews> news_;
  uint64_t lost_news_ = 0;
  int interrupt_ = -1;  // the session's socket once more, to break off a wait

  // The agent's thread only.
  std::optional<ViciSession> session_;
  CharonControl control_;
  PlanMaker make_;
  std::string problem_;
  Clock::time_point next_try_{};
  Clock::time_point next_tend_{};
};

}  // namespace masugata::ipsec
