// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/charon/charon_agent.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace masugata::ipsec {
namespace {

void raise_signal(int descriptor) {
  const uint64_t one = 1;
  (void)!::write(descriptor, &one, sizeof one);
}

void lower_signal(int descriptor) {
  uint64_t count = 0;
  (void)!::read(descriptor, &count, sizeof count);
}

Fault not_there(const std::string& problem) {
  return {"charon", problem.empty() ? "is not there" : problem};
}

}  // namespace

CharonAgent::CharonAgent(CharonAgentTargets targets) : targets_(std::move(targets)) {}

CharonAgent::~CharonAgent() {
  {
    const std::lock_guard guard(lock_);
    stop_ = true;
    if (interrupt_ >= 0) (void)::shutdown(interrupt_, SHUT_RDWR);
  }
  if (thread_.joinable()) {
    raise_signal(order_signal_);
    thread_.join();
  }
  for (const int descriptor : {order_signal_, news_signal_, interrupt_}) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

Status CharonAgent::start() {
  order_signal_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  news_signal_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (order_signal_ < 0 || news_signal_ < 0) return failure("eventfd", std::strerror(errno));
  thread_ = std::thread([this] { run(); });
  return {};
}

uint64_t CharonAgent::give(Order order) {
  order.number = next_order_++;
  const uint64_t number = order.number;
  {
    const std::lock_guard guard(lock_);
    orders_.push_back(std::move(order));
  }
  raise_signal(order_signal_);
  return number;
}

uint64_t CharonAgent::load(PlanMaker make) {
  Order order;
  order.kind = Order::Kind::Load;
  order.make = std::move(make);
  return give(std::move(order));
}

uint64_t CharonAgent::look() { return give({}); }

uint64_t CharonAgent::act(const std::string& site, SiteAction action) {
  Order order;
  order.kind = Order::Kind::Act;
  order.site = site;
  order.action = action;
  return give(std::move(order));
}

std::vector<CharonNews> CharonAgent::take_news() {
  lower_signal(news_signal_);
  const std::lock_guard guard(lock_);
  return std::exchange(news_, {});
}

uint64_t CharonAgent::lost_news() const {
  const std::lock_guard guard(lock_);
  return lost_news_;
}

void CharonAgent::tell(CharonNews news) {
  {
    const std::lock_guard guard(lock_);
    const bool optional =
        std::holds_alternative<CharonSas>(news) || std::holds_alternative<ViciEvent>(news);
    if (optional && news_.size() >= kMaximumNews) {
      ++lost_news_;
      return;
    }
    news_.push_back(std::move(news));
  }
  raise_signal(news_signal_);
}

void CharonAgent::run() {
  while (true) {
    std::deque<Order> orders;
    {
      const std::lock_guard guard(lock_);
      if (stop_) return;
      orders.swap(orders_);
    }
    if (!session_ && Clock::now() >= next_try_) connect();
    for (Order& order : orders) obey(std::move(order));
    if (session_) take_events();
    if (session_ && Clock::now() >= next_tend_) tend();
    wait();
  }
}

void CharonAgent::wait() {
  pollfd waited[2] = {{order_signal_, POLLIN, 0},
                      {session_ ? session_->descriptor() : -1, POLLIN, 0}};
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      (session_ ? next_tend_ : next_try_) - Clock::now());
  // Rounded up, so that the time has come when the wait is over.
  (void)::poll(waited, 2, static_cast<int>(std::max<int64_t>(left.count() + 1, 0)));
  lower_signal(order_signal_);
}

void CharonAgent::connect() {
  next_try_ = Clock::now() + targets_.connect_every;
  Result<ViciSession> session = targets_.connect();
  if (!session) {
    problem_ = session.error().message();
    return;
  }
  {
    const std::lock_guard guard(lock_);
    if (stop_) return;
    interrupt_ = ::fcntl(session->descriptor(), F_DUPFD_CLOEXEC, 0);
  }
  session_ = std::move(*session);
  const Result<CharonVersion> version = charon_version(*session_);
  Status ready = version ? Status() : Status(tl::unexpected<Fault>(version.error()));
  for (const std::string& event : targets_.events) {
    if (ready) ready = session_->subscribe(event);
  }
  if (!ready) return lose(ready.error().message());
  tell(CharonAppeared{*version});
  control_.forget();
  next_tend_ = Clock::now();
  if (make_) (void)load_all();
}

void CharonAgent::lose(const std::string& why) {
  session_.reset();
  problem_ = why;
  {
    const std::lock_guard guard(lock_);
    if (interrupt_ >= 0) ::close(interrupt_);
    interrupt_ = -1;
  }
  next_try_ = Clock::now() + targets_.connect_every;
  tell(CharonVanished{why});
}

void CharonAgent::obey(Order order) {
  Status done;
  if (order.kind == Order::Kind::Load) make_ = std::move(order.make);
  if (!session_) {
    done = tl::unexpected<Fault>(not_there(problem_));
  } else if (order.kind == Order::Kind::Load) {
    done = load_all();
  } else if (order.kind == Order::Kind::Act) {
    done = act_on(order);
  } else {
    tend();
    if (!session_) done = tl::unexpected<Fault>(not_there(problem_));
  }
  tell(OrderDone{order.number, std::move(done)});
}

Status CharonAgent::load_all() {
  Result<CommitReport> report = control_.commit(*session_, make_());
  next_tend_ = Clock::now();
  if (!report) {
    if (!session_->is_open()) lose(report.error().message());
    return tl::unexpected<Fault>(report.error());
  }
  tell(CharonLoaded{std::move(*report)});
  return {};
}

Status CharonAgent::act_on(const Order& order) {
  Status done;
  switch (order.action) {
    case SiteAction::Up:
      control_.hold(order.site, false, Clock::now());
      done = control_.initiate(*session_, order.site);
      break;
    case SiteAction::Down:
      control_.hold(order.site, true, Clock::now());
      done = terminate_site(*session_, order.site);
      // Nothing was there to be ended.
      if (session_->is_open()) done = {};
      break;
    case SiteAction::Rekey:
    case SiteAction::RekeyIke:
      done = control_.rekey(*session_, order.site, order.action == SiteAction::RekeyIke);
      break;
  }
  next_tend_ = Clock::now();
  if (!session_->is_open()) lose(done ? "the session ended" : done.error().message());
  return done;
}

void CharonAgent::tend() {
  next_tend_ = Clock::now() + targets_.tend_every;
  Result<std::vector<ViciSection>> sas = session_->stream("list-sas", "list-sa", {});
  if (!sas) return lose(sas.error().message());
  const Status settled = control_.end_duplicates(*session_, *sas, Clock::now());
  Result<std::vector<std::string>> begun;
  if (settled) begun = control_.keep_up(*session_, *sas, Clock::now());
  if (!settled) return lose(settled.error().message());
  if (!begun) return lose(begun.error().message());
  tell(CharonSas{std::move(*sas), std::move(*begun), control_.held(), control_.ending()});
}

void CharonAgent::take_events() {
  Result<std::vector<ViciEvent>> events = session_->take_events();
  if (!events) return lose(events.error().message());
  for (ViciEvent& event : *events) {
    next_tend_ = Clock::now();
    tell(std::move(event));
  }
}

}  // namespace masugata::ipsec
