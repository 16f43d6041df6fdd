// SPDX-License-Identifier: GPL-2.0-or-later
#include <rte_config.h>
#include <rte_eal.h>

#include <string>
#include <vector>

#include "tests/eal_environment.h"

namespace masugata::tests {

void EalEnvironment::SetUp() {
  // --in-memory would be right, but DPDK 22.11 refuses it together with --no-huge.
  std::vector<std::string> texts = {
      "test",       "--no-huge",      "--no-pci",         "-m", "256", "--no-shconf",
      "--lcores=0", "--no-telemetry", "--log-level=error"};
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  ASSERT_GE(rte_eal_init(static_cast<int>(arguments.size()), arguments.data()), 0)
      << "EAL does not start without hugepages";
}

void EalEnvironment::TearDown() { rte_eal_cleanup(); }

}  // namespace masugata::tests

int main(int argument_count, char** arguments) {
  ::testing::InitGoogleTest(&argument_count, arguments);
  ::testing::AddGlobalTestEnvironment(new masugata::tests::EalEnvironment);
  return RUN_ALL_TESTS();
}
