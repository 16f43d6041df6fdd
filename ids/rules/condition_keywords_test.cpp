// SPDX-License-Identifier: GPL-2.0-or-later
// Conditions on packets, flows, hosts, transactions and files.
#include <cstdio>
#include <fstream>

#include "ids/protocols/events.h"
#include "ids/rules/rules_test_support.h"

namespace masugata::ids {
namespace {

TEST(Numbers, AreComparedByTheirField) {
  const std::pair<const char*, NumberField> fields[] = {
      {"ttl", NumberField::IpTtl},
      {"tos", NumberField::IpTos},
      {"id", NumberField::IpId},
      {"ip_proto", NumberField::IpProtocol},
      {"fragoffset", NumberField::IpFragmentOffset},
      {"seq", NumberField::TcpSequence},
      {"tcp.seq", NumberField::TcpSequence},
      {"ack", NumberField::TcpAcknowledgement},
      {"tcp.ack", NumberField::TcpAcknowledgement},
      {"window", NumberField::TcpWindow},
      {"tcp.window", NumberField::TcpWindow},
      {"tcp.mss", NumberField::TcpMss},
      {"tcp.wscale", NumberField::TcpWindowScale},
      {"itype", NumberField::IcmpType},
      {"icode", NumberField::IcmpCode},
      {"icmp_id", NumberField::IcmpId},
      {"icmp_seq", NumberField::IcmpSequence},
      {"icmpv6.mtu", NumberField::Icmpv6Mtu},
      {"dsize", NumberField::PayloadSize},
      {"flow.age", NumberField::FlowAgeSeconds},
      {"flow.pkts_toserver", NumberField::FlowPacketsToServer},
      {"flow.pkts_toclient", NumberField::FlowPacketsToClient},
      {"flow.bytes_toserver", NumberField::FlowBytesToServer},
      {"flow.bytes_toclient", NumberField::FlowBytesToClient},
      {"tls.cert_chain_len", NumberField::TlsCertificateChainLength},
      {"filesize", NumberField::FileSize},
  };
  for (const auto& [name, field] : fields) {
    const auto match = condition_of<NumberMatch>(loaded(std::string(name) + ":>7;"));
    EXPECT_EQ(match.field, field) << name;
    EXPECT_EQ(match.comparison, Comparison::Greater) << name;
    EXPECT_EQ(match.low, 7U) << name;
    const std::string wrong = std::string(name) + ":nosuch;";
    expect_problem({wrong.c_str(), name, "expects a number"});
  }
}

TEST(Numbers, HaveFormsOfTheirOwn) {
  EXPECT_EQ(condition_of<NumberMatch>(loaded("tos:x18;")).low, 0x18U);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("tos:!8;")).comparison, Comparison::NotEqual);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("ip_proto:ipv6-icmp;")).low, 58U);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("ip_proto:!tcp;")).comparison, Comparison::NotEqual);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("itype:\"8\";")).low, 8U);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("dsize:10<>20;")).comparison, Comparison::Between);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("filesize:>=2KB;")).low, 2048U);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("filesize:1MiB-2gb;")).high, 2ULL << 30U);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("flow.pkts:toclient,=10;")).field,
            NumberField::FlowPacketsToClient);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("flow.bytes:toserver,<10;")).field,
            NumberField::FlowBytesToServer);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("flow.pkts:both,10;")).field,
            NumberField::FlowPacketsBoth);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("flow.pkts:either,10;")).field,
            NumberField::FlowPacketsEither);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("flow.bytes:either,10;")).field,
            NumberField::FlowBytesEither);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("stream_size:either,>=,5;")).field,
            NumberField::StreamSizeEither);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("stream_size:server,!=,5;")).comparison,
            Comparison::NotEqual);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("dns.opcode:!4;")).field, NumberField::DnsOpcode);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("dns.rcode:nxdomain;")).low, 3U);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("dns.rrtype:AAAA;")).low, 28U);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("smb.version:2;")).field, NumberField::SmbVersion);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("ftp.reply_received:no;")).low, 0U);
  for (const WrongOption& wrong : {
           WrongOption{"ttl:256;", "ttl", "up to 255"},
           WrongOption{"flow.pkts:10;", "flow.pkts", "SIDE,NUMBER"},
           WrongOption{"flow.bytes:up,10;", "flow.bytes", "toserver"},
           WrongOption{"stream_size:server,5;", "stream_size", "SIDE,OPERATOR"},
           WrongOption{"stream_size:server,~,5;", "stream_size", "not '~'"},
           WrongOption{"filesize:to_client,>5;", "filesize", "'=>'"},
           WrongOption{"dns.opcode:16;", "dns.opcode", "up to 15"},
           WrongOption{"dns.rcode:nosuch;", "dns.rcode", "expects a number"},
           WrongOption{"dns.rrtype:nosuch;", "dns.rrtype", "expects a number"},
           WrongOption{"dns.opcode:1;", "dns.opcode", "belongs to dns",
                       "alert http any any -> any any"},
           WrongOption{"smb.version:3;", "smb.version", "1 or 2"},
           WrongOption{"ftp.reply_received:maybe;", "ftp.reply_received", "yes or no"},
       }) {
    expect_problem(wrong);
  }
}

TEST(Numbers, OfTagsNetworksAndDataConnections) {
  const auto any = condition_of<VlanIdMatch>(loaded("vlan.id:>200;"));
  EXPECT_EQ(any.which, VlanIdMatch::Which::Any);
  EXPECT_EQ(any.comparison, Comparison::Greater);
  EXPECT_EQ(condition_of<VlanIdMatch>(loaded("vlan.id:7,all;")).which, VlanIdMatch::Which::All);
  const auto last = condition_of<VlanIdMatch>(loaded("vlan.id:7,-1;"));
  EXPECT_EQ(last.which, VlanIdMatch::Which::Layer);
  EXPECT_EQ(last.layer, -1);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("vlan.layers:<3;")).field, NumberField::VlanLayers);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("l3_proto:ipv6;")).low, 6U);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("ftp.mode:passive;")).low, 2U);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("ftp.dynamic_port:>1024;")).field,
            NumberField::FtpDynamicPort);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("dns.opcode:update;")).low, 5U);
  EXPECT_EQ(condition_of<NumberMatch>(loaded("ttl:&0xc0=0x40;")).comparison, Comparison::Masked);
  for (const WrongOption& wrong : {
           WrongOption{"vlan.id:4096;", "vlan.id", "up to 4095"},
           WrongOption{"vlan.id:1,3;", "vlan.id", "layer"},
           WrongOption{"vlan.id:1,all,2;", "vlan.id", "LAYER"},
           WrongOption{"l3_proto:arp;", "l3_proto", "ipv4 or ipv6"},
           WrongOption{"ftp.mode:both;", "ftp.mode", "active or passive"},
           WrongOption{"ttl:&0xc0=1;", "ttl", "mask"},
       }) {
    expect_problem(wrong);
  }
}

TEST(Events, HaveOneNameForAllLayers) {
  const auto stream = condition_of<EventMatch>(loaded("engine-event:stream.pkt_invalid_ack;"));
  EXPECT_EQ(stream.kind, EventKind::Stream);
  const auto packet = condition_of<EventMatch>(loaded("engine-event:decoder.ipv4.pkt_too_small;"));
  EXPECT_EQ(packet.kind, EventKind::Decode);
}

TEST(PacketFlags, AreReadWithTheirMode) {
  auto flags = condition_of<TcpFlagsMatch>(loaded("flags:S,12;"));
  EXPECT_EQ(flags.mode, TcpFlagsMatch::Mode::Exactly);
  EXPECT_EQ(flags.flags, 0x02U);
  EXPECT_EQ(flags.ignored, 0xc0U);
  flags = condition_of<TcpFlagsMatch>(loaded("tcp.flags:+FPUA;"));
  EXPECT_EQ(flags.mode, TcpFlagsMatch::Mode::AllOf);
  EXPECT_EQ(flags.flags, 0x39U);
  EXPECT_EQ(condition_of<TcpFlagsMatch>(loaded("flags:*CE;")).flags, 0xc0U);
  EXPECT_EQ(condition_of<TcpFlagsMatch>(loaded("flags:!RS;")).mode, TcpFlagsMatch::Mode::Not);
  EXPECT_EQ(condition_of<TcpFlagsMatch>(loaded("flags:0;")).flags, 0U);
  const auto fragment = condition_of<FragmentBitsMatch>(loaded("fragbits:+MD;"));
  EXPECT_TRUE(fragment.more_fragments && fragment.dont_fragment && !fragment.reserved);
  EXPECT_EQ(fragment.mode, FragmentBitsMatch::Mode::AllOf);
  EXPECT_EQ(condition_of<FragmentBitsMatch>(loaded("fragbits:!R;")).mode,
            FragmentBitsMatch::Mode::Not);
  EXPECT_EQ(condition_of<IpOptionsMatch>(loaded("ipopts:lsrr;")).option,
            IpOption::LooseSourceRoute);
  (void)condition_of<SameIpMatch>(loaded("sameip;"));
  for (const WrongOption& wrong : {
           WrongOption{"flags:X;", "flags", "FSRPAUCE"},
           WrongOption{"tcp.flags:+;", "tcp.flags", "FSRPAUCE"},
           WrongOption{"fragbits:X;", "fragbits", "MDR"},
           WrongOption{"fragbits:!;", "fragbits", "MDR"},
           WrongOption{"ipopts:none;", "ipopts", "expects rr"},
           WrongOption{"sameip:1;", "sameip", "takes no value"},
       }) {
    expect_problem(wrong);
  }
}

TEST(Flow, ReadsDirectionStateAndKind) {
  const Rule rule = loaded("flow:established, from_client, no_stream, only_frag;");
  EXPECT_EQ(rule.direction, Direction::ToServer);
  const auto flow = condition_of<FlowMatch>(rule);
  EXPECT_EQ(flow.established, true);
  EXPECT_TRUE(flow.no_stream && flow.only_fragment && !flow.only_stream && !flow.no_fragment);
  EXPECT_EQ(loaded("flow:to_client;").direction, Direction::ToClient);
  EXPECT_EQ(condition_of<FlowMatch>(loaded("flow:not_established;")).established, false);
  EXPECT_TRUE(condition_of<FlowMatch>(loaded("flow:stateless,only_stream,no_frag;")).stateless);
  for (const WrongOption& wrong : {
           WrongOption{"flow:to_server,to_client;", "flow", "both directions"},
           WrongOption{"flow:established,not_established;", "flow", "at once"},
           WrongOption{"flow:stateless,established;", "flow", "at once"},
           WrongOption{"flow:only_stream,no_stream;", "flow", "only_stream"},
           WrongOption{"flow:only_frag,no_frag;", "flow", "only_frag"},
           WrongOption{"flow:sideways;", "flow", "unknown option"},
           WrongOption{"flow:to_server; flow:established;", "flow", "twice"},
       }) {
    expect_problem(wrong);
  }
}

TEST(Memory, NumbersBitsAndCounters) {
  const RuleSet set = read_options(
      "flowbits:set,one; flowbits:isset,two|one; flowbits:isnotset,three; flowbits:unset,one;"
      "flowbits:toggle,one; flowbits:noalert; flowint:n,+,1; flowint:n,>=,m; flowint:m,notset;"
      "xbits:set,x,track ip_pair,expire 60; hostbits:isset,x,dst; xbits:isnotset,x,track tx;");
  const Rule rule = rule_of(set);
  EXPECT_EQ(set.flowbit_names, (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(set.flowint_names, (std::vector<std::string>{"n", "m"}));
  EXPECT_EQ(set.xbit_names, (std::vector<std::string>{"x", "host:x"}));
  EXPECT_TRUE(rule.no_alert);
  EXPECT_EQ(condition_of<FlowbitsMatch>(rule, 1).bits, (std::vector<uint32_t>{1, 0}));
  EXPECT_EQ(condition_of<FlowbitsMatch>(rule, 4).operation, FlowbitsMatch::Operation::Toggle);
  EXPECT_EQ(condition_of<FlowintMatch>(rule, 5).operation, FlowintMatch::Operation::Add);
  const auto compared = condition_of<FlowintMatch>(rule, 6);
  EXPECT_EQ(compared.comparison, Comparison::GreaterOrEqual);
  EXPECT_EQ(compared.other, 1U);
  EXPECT_EQ(condition_of<FlowintMatch>(rule, 7).operation, FlowintMatch::Operation::NotSet);
  const auto xbit = condition_of<XbitsMatch>(rule, 8);
  EXPECT_EQ(xbit.track, XbitsMatch::Track::Pair);
  EXPECT_EQ(xbit.expire_seconds, 60U);
  const auto hostbit = condition_of<XbitsMatch>(rule, 9);
  EXPECT_EQ(hostbit.track, XbitsMatch::Track::Destination);
  EXPECT_EQ(hostbit.bit, 1U);
  EXPECT_EQ(condition_of<XbitsMatch>(rule, 10).track, XbitsMatch::Track::Transaction);
  for (const WrongOption& wrong : {
           WrongOption{"flowbits:set;", "flowbits", "OPERATION,NAME"},
           WrongOption{"flowbits:put,a;", "flowbits", "expects set"},
           WrongOption{"flowbits:set,a|b;", "flowbits", "isset and isnotset"},
           WrongOption{"flowbits:set,a b;", "flowbits", "one word"},
           WrongOption{"flowbits:noalert,a;", "flowbits", "no name"},
           WrongOption{"flowint:n;", "flowint", "NAME,OPERATION"},
           WrongOption{"flowint:n,*,1;", "flowint", "expects one of"},
           WrongOption{"flowint:n,+;", "flowint", "one value"},
           WrongOption{"flowint:n,isset,1;", "flowint", "no value"},
           WrongOption{"xbits:set,x;", "xbits", "track"},
           WrongOption{"xbits:set,x,track by_src;", "xbits", "ip_src"},
           WrongOption{"xbits:set,x,track ip_src,expire 0;", "xbits", "1 second"},
           WrongOption{"hostbits:set,x,pair;", "hostbits", "src, dst or both"},
           WrongOption{"hostbits:set;", "hostbits", "OPERATION,NAME"},
       }) {
    expect_problem(wrong);
  }
}

TEST(Limits, AreRead) {
  const Rule rule = loaded(
      "threshold:type both, track by_src, count 5, seconds 60; tag:session,5,packets;"
      "detection_filter:track by_dst,count 15,seconds 2;");
  ASSERT_EQ(rule.thresholds.size(), 2U);
  EXPECT_EQ(rule.thresholds[0].kind, ThresholdKind::Both);
  EXPECT_EQ(rule.thresholds[0].count, 5U);
  EXPECT_EQ(rule.thresholds[0].seconds, 60U);
  EXPECT_EQ(rule.thresholds[1].kind, ThresholdKind::DetectionFilter);
  EXPECT_EQ(rule.thresholds[1].track, ThresholdTrack::Destination);
  EXPECT_TRUE(rule.tagged);
  EXPECT_EQ(rule.tag_count, 5U);
  EXPECT_EQ(loaded("tag:host,100,seconds,dst; tag:session;").tag_scope,
            Rule::TagScope::HostDestination);
  EXPECT_EQ(loaded("threshold:type backoff, track by_flow, count 1, multiplier 10;")
                .thresholds[0]
                .multiplier,
            10U);
  for (const WrongOption& wrong : {
           WrongOption{"threshold:track by_src, count 1, seconds 1;", "threshold", "a type"},
           WrongOption{"threshold:type limit, count 1, seconds 1;", "threshold", "a track"},
           WrongOption{"threshold:type limit, track by_src, seconds 1;", "threshold", "a count"},
           WrongOption{"threshold:type limit, track by_src, count 1;", "threshold", "seconds"},
           WrongOption{"threshold:type limit, track all, count 1, seconds 1;", "threshold",
                       "by_src"},
           WrongOption{"threshold:type backoff, track by_src, count 1, multiplier 2;", "threshold",
                       "by_flow"},
           WrongOption{"detection_filter:type limit,track by_src,count 1,seconds 1;",
                       "detection_filter", "no type"},
           WrongOption{"detection_filter:track by_src,count 1,seconds 1,x;", "detection_filter",
                       "unknown option"},
           WrongOption{"tag:flow;", "tag", "session or host"},
           WrongOption{"tag:host,5,packets;", "tag", "src or dst"},
           WrongOption{"tag:session,5,lines;", "tag", "packets"},
       }) {
    expect_problem(wrong);
  }
}

TEST(Application, ProtocolAndEvents) {
  const auto protocol =
      condition_of<ApplicationProtocolMatch>(loaded("app-layer-protocol:!http,to_client;"));
  EXPECT_TRUE(protocol.negated);
  EXPECT_EQ(protocol.protocol, ApplicationProtocol::Http);
  EXPECT_EQ(protocol.mode, ApplicationProtocolMatch::Mode::ToClient);
  EXPECT_EQ(condition_of<ApplicationProtocolMatch>(loaded("app-layer-protocol:failed;")).protocol,
            ApplicationProtocol::Failed);
  const auto event = condition_of<EventMatch>(loaded("app-layer-event:dns.z_flag_set;"));
  EXPECT_EQ(event.kind, EventKind::Application);
  EXPECT_EQ(event.protocol, ApplicationProtocol::Dns);
  EXPECT_EQ(event.event, *find_event(application_events(ApplicationProtocol::Dns), "z_flag_set"));
  EXPECT_EQ(condition_of<EventMatch>(loaded("decode-event:ipv4.trunc_pkt;")).kind,
            EventKind::Decode);
  EXPECT_EQ(condition_of<EventMatch>(loaded("engine-event:ipv4.trunc_pkt;")).kind,
            EventKind::Decode);
  EXPECT_EQ(condition_of<EventMatch>(loaded("stream-event:reassembly_seq_gap;")).kind,
            EventKind::Stream);
  for (const WrongOption& wrong : {
           WrongOption{"app-layer-protocol:nosuch;", "app-layer-protocol", "unknown protocol"},
           WrongOption{"app-layer-protocol:http,never;", "app-layer-protocol", "final"},
           WrongOption{"app-layer-protocol:http;", "app-layer-protocol", "repeats",
                       "alert http any any -> any any"},
           WrongOption{"app-layer-event:nosuch.event;", "app-layer-event", "unknown protocol"},
       }) {
    expect_problem(wrong);
  }
  expect_problem({"app-layer-event:dns.nosuch;", "app-layer-event", "no event"}, true);
  expect_problem({"decode-event:nosuch;", "decode-event", "no event"}, true);
  expect_problem({"engine-event:nosuch;", "engine-event", "no event"}, true);
  expect_problem({"stream-event:nosuch;", "stream-event", "no event"}, true);
}

TEST(Application, OlderKeywordsBecomeMatches) {
  Rule rule = loaded("ssh.protoversion:2_compat;");
  EXPECT_EQ(rule.application, ApplicationProtocol::Ssh);
  EXPECT_EQ(match_of<PcreMatch>(rule).pattern, "^(?:2(?:\\.0)?|1\\.99)$");
  const auto version = match_of<ContentMatch>(loaded("ssh.protoversion:1.99;"));
  EXPECT_TRUE(version.startswith && version.endswith);
  EXPECT_EQ(match_of<ContentMatch>(loaded("ssh.softwareversion:\"PuTTY\";")).bytes, "PuTTY");
  EXPECT_EQ(condition_of<FtpDataCommandMatch>(loaded("ftpdata_command:retr;")).command,
            FtpDataCommandMatch::Command::Retr);
  EXPECT_EQ(loaded("ftpbounce;").application, ApplicationProtocol::Ftp);
  expect_problem({"ssh.protoversion:\"\";", "ssh.protoversion", "a text"});
  expect_problem({"ssh.softwareversion:\"\";", "ssh.softwareversion", "a text"});
  expect_problem({"ftpdata_command:list;", "ftpdata_command", "stor or retr"});
  expect_problem({"ftpbounce:1;", "ftpbounce", "takes no value"});
}

TEST(Tls, VersionsStatesAndTimes) {
  auto versions = condition_of<NumberListMatch>(loaded("ssl_version:tls1.0,tls1.1;"));
  EXPECT_EQ(versions.values, (std::vector<uint64_t>{0x0301, 0x0302}));
  EXPECT_FALSE(versions.negated);
  versions = condition_of<NumberListMatch>(loaded("ssl_version:!tls1.3,tls1.2;"));
  EXPECT_TRUE(versions.negated);
  EXPECT_EQ(versions.values, std::vector<uint64_t>{0x0304});
  EXPECT_EQ(condition_of<NumberListMatch>(loaded("tls.version:\"1.2\";")).values[0], 0x0303U);
  EXPECT_EQ(condition_of<NumberListMatch>(loaded("tls.version:0x7f12;")).values[0], 0x7f12U);
  auto state = condition_of<TlsStateMatch>(loaded("ssl_state:!client_hello;"));
  ASSERT_EQ(state.any_of.size(), 1U);
  EXPECT_EQ(state.any_of[0].state, TlsStateMatch::State::ClientHello);
  EXPECT_TRUE(state.any_of[0].negated);
  state = condition_of<TlsStateMatch>(loaded("ssl_state:client_hello | server_keyx,unknown;"));
  ASSERT_EQ(state.any_of.size(), 3U);
  EXPECT_EQ(state.any_of[1].state, TlsStateMatch::State::ServerKeyx);
  auto time = condition_of<TlsCertificateTimeMatch>(loaded("tls_cert_notafter:>2015-10-22;"));
  EXPECT_EQ(time.comparison, Comparison::Greater);
  EXPECT_EQ(time.low, 1445472000);
  time = condition_of<TlsCertificateTimeMatch>(
      loaded("tls_cert_notbefore:2000-02-29T01:02:03<>2001;"));
  EXPECT_EQ(time.low, 951786123);
  EXPECT_EQ(time.high, 978307200);
  EXPECT_EQ(condition_of<TlsCertificateTimeMatch>(loaded("tls_cert_expired;")).field,
            TlsCertificateTimeMatch::Field::Expired);
  EXPECT_EQ(condition_of<TlsCertificateTimeMatch>(loaded("tls_cert_valid;")).field,
            TlsCertificateTimeMatch::Field::Valid);
  EXPECT_EQ(loaded("tls.store;").application, ApplicationProtocol::Tls);
  EXPECT_TRUE(match_of<ContentMatch>(loaded("tls.subject:!\"CN=x\";")).negated);
  EXPECT_EQ(loaded("tls.issuerdn:\"CN=x\";").buffers[0].buffer, BufferId::TlsCertificateIssuer);
  EXPECT_EQ(match_of<ContentMatch>(loaded("tls.fingerprint:\"4A:B3\";")).bytes, "4a:b3");
  for (const WrongOption& wrong : {
           WrongOption{"ssl_version:ssl9;", "ssl_version", "expects sslv2"},
           WrongOption{"ssl_version:sslv3;", "ssl_version", "belongs to tls",
                       "alert http any any -> any any"},
           WrongOption{"tls.version:5;", "tls.version", "expects 1.0"},
           WrongOption{"ssl_state:hello;", "ssl_state", "client_hello"},
           WrongOption{"tls_cert_notafter:tomorrow;", "tls_cert_notafter", "expects a time"},
           WrongOption{"tls_cert_notbefore:2015<>2014;", "tls_cert_notbefore", "TIME<>TIME"},
           WrongOption{"tls_cert_expired:1;", "tls_cert_expired", "takes no value"},
           WrongOption{"tls_cert_valid:1;", "tls_cert_valid", "takes no value"},
           WrongOption{"tls.store:1;", "tls.store", "takes no value"},
           WrongOption{"tls.subject:\"\";", "tls.subject", "a text"},
           WrongOption{"tls.issuerdn:\"\";", "tls.issuerdn", "a text"},
           WrongOption{"tls.fingerprint:\"\";", "tls.fingerprint", "a text"},
       }) {
    expect_problem(wrong);
  }
}

TEST(Files, TextsAndStore) {
  auto text = condition_of<FileTextMatch>(loaded("fileext:!\"MP4\";"));
  EXPECT_EQ(text.field, FileTextMatch::Field::Extension);
  EXPECT_EQ(text.text, "mp4");
  EXPECT_TRUE(text.negated);
  EXPECT_EQ(condition_of<FileTextMatch>(loaded("filename:\"a\";")).field,
            FileTextMatch::Field::Name);
  const Rule magic = loaded("filemagic:\"PNG\"; filestore:both,flow;");
  EXPECT_TRUE(magic.needs_magic);
  EXPECT_EQ(condition_of<FileStore>(magic, 1).scope, "both,flow");
  EXPECT_EQ(condition_of<FileStore>(loaded("filestore;")).scope, "");
  expect_problem({"fileext:\"\";", "fileext", "a text"});
  expect_problem({"filename:\"|4|\";", "filename", "hexadecimal"});
  expect_problem({"filemagic:\"\";", "filemagic", "a text"});
  expect_problem({"filestore:cloud;", "filestore", "unknown option"});
}

// A file in the test's working folder, removed with the object.
struct DataFile {
  DataFile(const char* file_name, const std::string& text) : name(file_name) {
    std::ofstream(name) << text;
  }
  ~DataFile() { (void)std::remove(name); }
  const char* name;
};

TEST(Files, HashesAreReadFromFiles) {
  const DataFile md5("ids_rules_md5.list",
                     "# remark\n0f343b0931126a20f133d67c2b018a3b  a.exe\n"
                     "00000000000000000000000000000001\n00000000000000000000000000000001\n");
  const DataFile sha1("ids_rules_sha1.list", std::string(40, 'a') + "\n");
  const DataFile sha256("ids_rules_sha256.list", std::string(64, 'B') + "\r\n");
  const Rule rule = loaded("filemd5:!ids_rules_md5.list;");
  const auto match = condition_of<FileHashMatch>(rule);
  EXPECT_TRUE(rule.needs_md5 && match.negated);
  ASSERT_EQ(match.digests.size(), 2U);
  EXPECT_EQ(match.digests[0], std::string(15, '\0') + '\x01');
  EXPECT_TRUE(loaded("filesha1:ids_rules_sha1.list;").needs_sha1);
  EXPECT_TRUE(loaded("filesha256:ids_rules_sha256.list;").needs_sha256);
  expect_problem({"filemd5:ids_rules_nosuch.list;", "filemd5", "neither beside"});
  expect_problem({"filesha1:ids_rules_md5.list;", "filesha1", "40 hexadecimal digits in line 2"});
  expect_problem({"filesha256:ids_rules_md5.list;", "filesha256", "64 hexadecimal digits"});
}

TEST(Lists, DatasetsAndReputation) {
  const DataFile list("ids_rules_set.list", "YQ==\n");
  auto set = match_of<DatasetMatch>(
      loaded("http.host; dataset:isset,hosts,type string,load ids_rules_set.list,hashsize 5;"));
  EXPECT_EQ(set.name, "hosts");
  EXPECT_EQ(set.type, DatasetType::String);
  EXPECT_EQ(set.load_path, "ids_rules_set.list");
  set = match_of<DatasetMatch>(
      loaded("http.host; dataset:set,seen,type md5,state ids_rules_none.list,memcap 10mb;"));
  EXPECT_EQ(set.operation, DatasetMatch::Operation::Set);
  EXPECT_EQ(set.state_path, "ids_rules_none.list");
  EXPECT_EQ(set.load_path, "");
  set = match_of<DatasetMatch>(
      loaded("http.host; datarep:scores,>,200,load ids_rules_set.list,type sha256;"));
  EXPECT_EQ(set.operation, DatasetMatch::Operation::Reputation);
  EXPECT_EQ(set.reputation, 200U);
  EXPECT_FALSE(condition_of<IpReputationMatch>(loaded("iprep:src,CnC,isset;")).absent);
  EXPECT_TRUE(condition_of<IpReputationMatch>(loaded("iprep:any,CnC,isnotset;")).absent);
  const auto reputation = condition_of<IpReputationMatch>(loaded("iprep:src,CnC,>,30;"));
  EXPECT_EQ(reputation.category, "CnC");
  EXPECT_EQ(reputation.value, 30U);
  const auto countries = condition_of<GeoIpMatch>(loaded("geoip:src,!ru,!CN;"));
  EXPECT_TRUE(countries.negated);
  EXPECT_EQ(countries.side, GeoIpMatch::Side::Source);
  EXPECT_EQ(countries.countries, (std::vector<std::string>{"RU", "CN"}));
  for (const WrongOption& wrong : {
           WrongOption{"dataset:isset,a,type string;", "dataset", "sticky buffer"},
           WrongOption{"http.host; dataset:isset;", "dataset", "OPERATION,NAME"},
           WrongOption{"http.host; dataset:has,a,type string;", "dataset", "isset"},
           WrongOption{"http.host; dataset:isset,a,type word;", "dataset", "type string"},
           WrongOption{"http.host; dataset:isset,a,type string,load ids_none;", "dataset",
                       "neither beside"},
           WrongOption{"http.host; dataset:set,a,type string,state /etc/x;", "dataset", "relative"},
           WrongOption{"http.host; dataset:set,a,type string,save a/../../x;", "dataset", "'..'"},
           WrongOption{"http.host; datarep:a,>,1;", "datarep", "a type"},
           WrongOption{"http.host; datarep:a,>,x,type md5;", "datarep", "expects a number"},
           WrongOption{"iprep:src,CnC,>;", "iprep", "SIDE,CATEGORY"},
           WrongOption{"iprep:src,CnC,>,200;", "iprep", "up to 127"},
           WrongOption{"geoip:USA;", "geoip", "two letters"},
           WrongOption{"geoip:US,!CN;", "geoip", "'!' before all"},
           WrongOption{"geoip:src;", "geoip", "at least one"},
       }) {
    expect_problem(wrong);
  }
  expect_problem({"http.host; dataset:isset,a,type string,format json;", "dataset", "JSON"}, true);
}

}  // namespace
}  // namespace masugata::ids
