// SPDX-License-Identifier: GPL-2.0-or-later
// When may something that workers were reading be changed or freed? When every worker has said,
// between two bursts, that it holds nothing any more.
#pragma once

#include <cstdint>
#include <memory>

#include "result/result.h"

struct rte_rcu_qsbr;

namespace masugata::dataplane {

// What the control thread asks. A token taken with start() has passed once every registered
// worker has reported after it. All functions: control thread only, never a worker.
class Quiescence {
 public:
  using Token = uint64_t;

  virtual ~Quiescence() = default;
  // Publish first (release store of the pointer), then take the token.
  [[nodiscard]] virtual Token start() noexcept = 0;
  // Never blocks. Tokens pass in the order in which they were taken.
  [[nodiscard]] virtual bool passed(Token token) noexcept = 0;
  // Blocks until a token taken now has passed: at most one burst of the slowest worker. For
  // shutdown and start-up; the event loop polls passed().
  virtual void wait() noexcept = 0;
};

// A world without workers, or one where the only reader is the caller: everything passes at once.
// For tests and for the time before the first worker starts.
class NoReaders final : public Quiescence {
 public:
  [[nodiscard]] Token start() noexcept override { return 0; }
  [[nodiscard]] bool passed(Token) noexcept override { return true; }
  void wait() noexcept override {}
};

// Quiescence over rte_rcu_qsbr. Needs no EAL. One object for the whole process.
class QuiescenceDomain final : public Quiescence {
 public:
  // `maximum_workers` in 1..1024; worker ids run from 0 to maximum_workers - 1.
  static Result<std::unique_ptr<QuiescenceDomain>> create(uint32_t maximum_workers);
  ~QuiescenceDomain() override;
  QuiescenceDomain(const QuiescenceDomain&) = delete;
  QuiescenceDomain& operator=(const QuiescenceDomain&) = delete;

  // Called by the worker's own thread before it loads its first view; from here on start() counts
  // it. `worker` must be below maximum_workers: a wrong id is ignored (and false returned).
  bool register_worker(uint32_t worker) noexcept;
  // Called by the worker's thread when it has dropped every reference, before it ends.
  void unregister_worker(uint32_t worker) noexcept;

  // Called by the worker between two bursts, holding no view, snapshot or neighbour index that it
  // will use without checking its generation again. One load and one store.
  void report(uint32_t worker) noexcept;

  // Around anything that blocks (an idle sleep): while offline the worker is not waited for and
  // must not read anything published.
  void go_offline(uint32_t worker) noexcept;
  void go_online(uint32_t worker) noexcept;

  [[nodiscard]] Token start() noexcept override;
  [[nodiscard]] bool passed(Token token) noexcept override;
  void wait() noexcept override;

 private:
  QuiescenceDomain(rte_rcu_qsbr* variable, uint32_t maximum_workers) noexcept
      : variable_(variable), maximum_workers_(maximum_workers) {}

  rte_rcu_qsbr* variable_;  // owned, from std::aligned_alloc
  uint32_t maximum_workers_;
};

}  // namespace masugata::dataplane
