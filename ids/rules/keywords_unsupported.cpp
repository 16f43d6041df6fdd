// SPDX-License-Identifier: GPL-2.0-or-later
// Keywords that the language has and the engine does not: a rule that uses one does not load, and
// the problem says so. "mqtt.*" stands for every "mqtt.X" and "mqtt_X".
#include <array>

#include "ids/rules/keyword.h"

namespace masugata::ids {
namespace {

constexpr Keyword unsupported(std::string_view name) {
  return {name, nullptr, ValueForm::Unsupported};
}

constexpr std::array kKeywords{
    unsupported("asn1"),
    unsupported("cip_service"),

    unsupported("dce.*"),
    unsupported("dcerpc.*"),
    unsupported("decompress"),
    unsupported("dhcp.*"),
    unsupported("dnp3.*"),
    unsupported("email.body_md5"),
    unsupported("enip.*"),
    unsupported("ether.*"),
    unsupported("flow.elephant"),
    unsupported("flowvar"),
    unsupported("frame"),
    unsupported("hostname"),
    unsupported("http2.*"),
    unsupported("igmp.*"),
    unsupported("ike.*"),
    unsupported("imap.*"),
    unsupported("ipaddr"),
    unsupported("krb5.*"),
    unsupported("ldap.*"),
    unsupported("llmnr.*"),
    unsupported("lua"),
    unsupported("luajit"),
    unsupported("luaxform"),
    unsupported("mdns.*"),
    unsupported("modbus"),
    unsupported("mqtt.*"),
    unsupported("mysql.*"),
    unsupported("ndpi-protocol"),
    unsupported("ndpi-risk"),
    unsupported("nfs.*"),
    unsupported("ntp.*"),
    unsupported("pgsql.*"),
    unsupported("pktvar"),
    unsupported("pop3.*"),
    unsupported("quic.*"),
    unsupported("rfb.*"),
    unsupported("sip.*"),
    unsupported("smb.ntlmssp_domain"),
    unsupported("smb.ntlmssp_user"),
    unsupported("snmp.*"),
    unsupported("subslice"),
    unsupported("telnet.*"),
    unsupported("template.*"),
    unsupported("websocket.*"),
};

}  // namespace

std::span<const Keyword> unsupported_keywords() noexcept { return kKeywords; }

}  // namespace masugata::ids
