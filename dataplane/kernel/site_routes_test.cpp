// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel/site_routes.h"

#include <gtest/gtest.h>

namespace masugata::dataplane {
namespace {

std::string prefixes(const char* range) {
  std::string text;
  for (const net::Prefix& prefix : prefixes_of(*net::AddressRange::parse(range))) {
    text += (text.empty() ? "" : " ") + prefix.to_string();
  }
  return text;
}

TEST(SiteRoutes, ARangeIsItsFewestPrefixes) {
  EXPECT_EQ(prefixes("10.0.0.0/8"), "10.0.0.0/8");
  EXPECT_EQ(prefixes("10.0.0.5"), "10.0.0.5/32");
  EXPECT_EQ(prefixes("10.0.0.1-10.0.0.6"), "10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32");
  EXPECT_EQ(prefixes("0.0.0.0-255.255.255.255"), "0.0.0.0/0");
  EXPECT_EQ(prefixes("0.0.0.1-255.255.255.255").substr(0, 21), "0.0.0.1/32 0.0.0.2/31");
  EXPECT_EQ(prefixes("255.255.255.254-255.255.255.255"), "255.255.255.254/31");
  EXPECT_EQ(prefixes("2001:db8::/32"), "2001:db8::/32");
  EXPECT_EQ(prefixes("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "::/0");
}

TEST(SiteRoutes, WhatIsWrittenCounts) {
  config::Model model;
  config::VpnSite site;
  site.interface = 3;
  site.remote_networks = {*net::AddressRange::parse("10.9.0.0/16"),
                          *net::AddressRange::parse("10.8.0.0/16"),
                          *net::AddressRange::parse("0.0.0.0/0")};
  model.vpn.sites = {site, site};
  model.vpn.sites[1].enabled = false;
  config::StaticRoute written;
  written.destination = *net::Prefix::parse("10.8.0.0/16");
  model.routes = {written};
  const auto routes = routes_to_sites(model);
  ASSERT_EQ(routes.size(), 1U);
  EXPECT_EQ(routes[0].destination.to_string(), "10.9.0.0/16");
  EXPECT_EQ(routes[0].interface, 3);
}

}  // namespace
}  // namespace masugata::dataplane
