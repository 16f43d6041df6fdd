// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/platform/quiescence.h"

#include <rte_config.h>
#include <rte_rcu_qsbr.h>

#include <cstdlib>
#include <new>

namespace masugata::dataplane {

namespace {
constexpr uint32_t kMaximumWorkers = 1024;
}  // namespace

Result<std::unique_ptr<QuiescenceDomain>> QuiescenceDomain::create(uint32_t maximum_workers) {
  if (maximum_workers == 0 || maximum_workers > kMaximumWorkers) {
    return failure("quiescence", "the number of workers must be 1 to 1024");
  }
  const std::size_t bytes = rte_rcu_qsbr_get_memsize(maximum_workers);
  const std::size_t rounded = (bytes + RTE_CACHE_LINE_SIZE - 1) / RTE_CACHE_LINE_SIZE;
  auto* variable = static_cast<rte_rcu_qsbr*>(
      std::aligned_alloc(RTE_CACHE_LINE_SIZE, rounded * RTE_CACHE_LINE_SIZE));
  if (variable == nullptr) return failure("quiescence", "out of memory");
  if (rte_rcu_qsbr_init(variable, maximum_workers) != 0) {
    std::free(variable);
    return failure("quiescence", "rte_rcu_qsbr_init refused its arguments");
  }
  return std::unique_ptr<QuiescenceDomain>(new QuiescenceDomain(variable, maximum_workers));
}

QuiescenceDomain::~QuiescenceDomain() { std::free(variable_); }

bool QuiescenceDomain::register_worker(uint32_t worker) noexcept {
  if (worker >= maximum_workers_) return false;
  if (rte_rcu_qsbr_thread_register(variable_, worker) != 0) return false;
  rte_rcu_qsbr_thread_online(variable_, worker);
  return true;
}

void QuiescenceDomain::unregister_worker(uint32_t worker) noexcept {
  if (worker >= maximum_workers_) return;
  rte_rcu_qsbr_thread_offline(variable_, worker);
  rte_rcu_qsbr_thread_unregister(variable_, worker);
}

void QuiescenceDomain::report(uint32_t worker) noexcept {
  rte_rcu_qsbr_quiescent(variable_, worker);
}

void QuiescenceDomain::go_offline(uint32_t worker) noexcept {
  rte_rcu_qsbr_thread_offline(variable_, worker);
}

void QuiescenceDomain::go_online(uint32_t worker) noexcept {
  rte_rcu_qsbr_thread_online(variable_, worker);
}

Quiescence::Token QuiescenceDomain::start() noexcept { return rte_rcu_qsbr_start(variable_); }

bool QuiescenceDomain::passed(Token token) noexcept {
  return rte_rcu_qsbr_check(variable_, token, false) == 1;
}

void QuiescenceDomain::wait() noexcept {
  rte_rcu_qsbr_check(variable_, rte_rcu_qsbr_start(variable_), true);
}

}  // namespace masugata::dataplane
