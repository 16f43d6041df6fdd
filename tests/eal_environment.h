// SPDX-License-Identifier: GPL-2.0-or-later
// Starts DPDK's EAL once for a test program that needs mbufs or rte_malloc. Link
// tests/eal_main.cpp as well, instead of gtest_main. No hugepages, no PCI, no files, 256 MB.
#pragma once

#include <gtest/gtest.h>

namespace masugata::tests {

class EalEnvironment final : public ::testing::Environment {
 public:
  // Every test fails when EAL does not start.
  void SetUp() override;
  void TearDown() override;
};

}  // namespace masugata::tests
