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
    unsupported("bypass"),
    unsupported("cip_service"),
    unsupported("config"),

    unsupported("dce.*"),
    unsupported("dcerpc.*"),
    unsupported("decompress"),
    unsupported("dhcp.*"),
    unsupported("dnp3.*"),
    unsupported("email.body_md5"),
    unsupported("enip.*"),
    unsupported("entropy"),
    unsupported("ether.*"),
    unsupported("flow.elephant"),
    unsupported("flowvar"),
    unsupported("frame"),
    unsupported("ftp.dynamic_port"),
    unsupported("ftp.mode"),
    unsupported("gunzip"),
    unsupported("hostname"),
    unsupported("http2.*"),
    unsupported("igmp.*"),
    unsupported("ike.*"),
    unsupported("imap.*"),
    unsupported("ip.dst"),
    unsupported("ip.src"),
    unsupported("ipaddr"),
    unsupported("krb5.*"),
    unsupported("l3_proto"),
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
    unsupported("nfq_set_mark"),
    unsupported("nfs.*"),
    unsupported("ntp.*"),
    unsupported("pgsql.*"),
    unsupported("pktvar"),
    unsupported("pop3.*"),
    unsupported("quic.*"),
    unsupported("rfb.*"),
    unsupported("rpc"),
    unsupported("sip.*"),
    unsupported("smb.ntlmssp_domain"),
    unsupported("smb.ntlmssp_user"),
    unsupported("snmp.*"),
    unsupported("subslice"),
    unsupported("telnet.*"),
    unsupported("template.*"),
    unsupported("vlan.*"),
    unsupported("websocket.*"),
    unsupported("zlib_deflate"),
};

}  // namespace

std::span<const Keyword> unsupported_keywords() noexcept { return kKeywords; }

}  // namespace masugata::ids
