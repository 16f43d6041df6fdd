// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/reading/readers.h"

namespace masugata::config::reading {

void read_system(Context& context) {
  const DataNode system = context.tree().top("system");
  SystemSettings& settings = context.model.system;
  if (const DataNode name = system.child("host-name")) settings.host_name = name.value();
  if (const DataNode profile = system.child("hw-profile")) settings.hw_profile = profile.value();
  settings.log_denied = system.has("log-denied");
}

void read_sessions(Context& context) {
  const DataNode sessions = context.tree().top("sessions");
  SessionSettings& settings = context.model.sessions;
  settings.maximum = number_or(sessions.child("maximum"), settings.maximum);
  if (const DataNode strict = sessions.child("tcp-strict")) {
    settings.tcp_strict = strict.value() == "on";
  }
  settings.tcp_midstream = sessions.has("tcp-midstream");
  if (const DataNode helper = sessions.child("ftp-helper")) {
    settings.ftp_helper = helper.value() == "on";
  }

  const DataNode timeout = sessions.child("timeout");
  SessionTimeouts& timeouts = settings.timeouts;
  const auto read = [timeout](const char* name, uint32_t& seconds) {
    seconds = number_or(timeout.child(name), seconds);
  };
  read("tcp-syn", timeouts.tcp_syn);
  read("tcp-handshake", timeouts.tcp_handshake);
  read("tcp-established", timeouts.tcp_established);
  read("tcp-half-closed", timeouts.tcp_half_closed);
  read("tcp-closing", timeouts.tcp_closing);
  read("tcp-time-wait", timeouts.tcp_time_wait);
  read("tcp-reset", timeouts.tcp_reset);
  read("udp-new", timeouts.udp_new);
  read("udp-replied", timeouts.udp_replied);
  read("icmp", timeouts.icmp);
  read("other", timeouts.other);

  const DataNode fragments = context.tree().top("fragments");
  FragmentSettings& bounds = context.model.fragments;
  bounds.maximum_datagrams =
      number_or(fragments.child("maximum-datagrams"), bounds.maximum_datagrams);
  bounds.maximum_per_source =
      number_or(fragments.child("maximum-per-source"), bounds.maximum_per_source);
  bounds.timeout_seconds = number_or(fragments.child("timeout"), bounds.timeout_seconds);
  bounds.maximum_fragments_per_datagram =
      number_or(fragments.child("maximum-per-datagram"), bounds.maximum_fragments_per_datagram);
  if (bounds.maximum_per_source > bounds.maximum_datagrams) {
    context.warning(fragments,
                    "one source may use up all datagrams: maximum-per-source is above "
                    "maximum-datagrams");
  }
}

}  // namespace masugata::config::reading
