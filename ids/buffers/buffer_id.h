// SPDX-License-Identifier: GPL-2.0-or-later
// Every buffer that a rule can look into: its name in the rule language (Suricata 8 "sticky
// buffers"), the older names that mean the same, and where it comes from. Rule parser, plan,
// engine and protocol parsers all speak of buffers by these ids.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace masugata::ids {

// Where a buffer's bytes come from.
enum class BufferSource : uint8_t {
  Packet,       // the packet at hand
  Stream,       // the packet's payload and the reassembled stream around it
  Transaction,  // a protocol parser's transaction
  File,         // a file inside a transaction; progressive
  Derived,      // made by another keyword of the same rule (base64_data)
};

// Which direction a buffer belongs to.
enum class BufferSide : uint8_t { ToServer, ToClient, Both };

// clang-format off
// X(Id, "sticky name", "older content modifiers, space separated; ! marks older sticky names",
//   source, side, protocol)
// A '*' before the name: many instances per transaction. A '+' before the name: progressive, the
// bytes arrive over time.
#define MASUGATA_IDS_BUFFERS(X)                                                              \
  X(Payload, "", "", Stream, Both, Unknown)                                                   \
  X(Ipv4Header, "ipv4.hdr", "", Packet, Both, Unknown)                                        \
  X(Ipv6Header, "ipv6.hdr", "", Packet, Both, Unknown)                                        \
  X(TcpHeader, "tcp.hdr", "", Packet, Both, Unknown)                                          \
  X(UdpHeader, "udp.hdr", "", Packet, Both, Unknown)                                          \
  X(Icmpv4Header, "icmpv4.hdr", "", Packet, Both, Unknown)                                    \
  X(Icmpv6Header, "icmpv6.hdr", "", Packet, Both, Unknown)                                    \
  X(IpSource, "ip.src", "", Packet, Both, Unknown)                                            \
  X(IpDestination, "ip.dst", "", Packet, Both, Unknown)                                       \
  X(Base64Data, "base64_data", "", Derived, Both, Unknown)                                    \
  X(HttpUri, "http.uri", "http_uri", Transaction, ToServer, Http)                             \
  X(HttpUriRaw, "http.uri.raw", "http_raw_uri", Transaction, ToServer, Http)                  \
  X(HttpMethod, "http.method", "http_method", Transaction, ToServer, Http)                    \
  X(HttpRequestLine, "http.request_line", "!http_request_line", Transaction, ToServer, Http)  \
  X(HttpProtocol, "http.protocol", "!http_protocol", Transaction, Both, Http)                 \
  X(HttpHost, "http.host", "http_host", Transaction, ToServer, Http)                          \
  X(HttpHostRaw, "http.host.raw", "http_raw_host", Transaction, ToServer, Http)               \
  X(HttpUserAgent, "http.user_agent", "http_user_agent", Transaction, ToServer, Http)         \
  X(HttpReferer, "http.referer", "!http_referer", Transaction, ToServer, Http)                \
  X(HttpCookie, "http.cookie", "http_cookie", Transaction, Both, Http)                        \
  X(HttpHeader, "http.header", "http_header", Transaction, Both, Http)                        \
  X(HttpHeaderRaw, "http.header.raw", "http_raw_header", Transaction, Both, Http)             \
  X(HttpHeaderNames, "http.header_names", "!http_header_names", Transaction, Both, Http)      \
  X(HttpRequestHeader, "*http.request_header", "", Transaction, ToServer, Http)               \
  X(HttpResponseHeader, "*http.response_header", "", Transaction, ToClient, Http)             \
  X(HttpAccept, "http.accept", "!http_accept", Transaction, ToServer, Http)                   \
  X(HttpAcceptLanguage, "http.accept_lang", "!http_accept_lang", Transaction, ToServer, Http) \
  X(HttpAcceptEncoding, "http.accept_enc", "!http_accept_enc", Transaction, ToServer, Http)   \
  X(HttpConnection, "http.connection", "!http_connection", Transaction, Both, Http)           \
  X(HttpContentType, "http.content_type", "!http_content_type", Transaction, Both, Http)      \
  X(HttpContentLength, "http.content_len", "!http_content_len", Transaction, Both, Http)      \
  X(HttpStart, "http.start", "!http_start", Transaction, Both, Http)                          \
  X(HttpRequestBody, "+http.request_body", "http_client_body", Transaction, ToServer, Http)   \
  X(HttpResponseBody, "+http.response_body", "http_server_body", Transaction, ToClient, Http) \
  X(HttpStatusCode, "http.stat_code", "http_stat_code", Transaction, ToClient, Http)          \
  X(HttpStatusMessage, "http.stat_msg", "http_stat_msg", Transaction, ToClient, Http)         \
  X(HttpResponseLine, "http.response_line", "!http_response_line", Transaction, ToClient, Http) \
  X(HttpServer, "http.server", "", Transaction, ToClient, Http)                               \
  X(HttpLocation, "http.location", "", Transaction, ToClient, Http)                           \
  X(FileData, "+file.data", "!file_data", File, Both, Unknown)                                \
  X(FileName, "*file.name", "", Transaction, Both, Unknown)                                   \
  X(FileMagic, "*file.magic", "", Transaction, Both, Unknown)                                 \
  X(DnsQuery, "*dns.query", "!dns_query", Transaction, Both, Dns)                             \
  X(DnsQueriesName, "*dns.queries.rrname", "", Transaction, Both, Dns)                        \
  X(DnsAnswersName, "*dns.answers.rrname", "!dns.answer.name", Transaction, Both, Dns)        \
  X(DnsAuthoritiesName, "*dns.authorities.rrname", "", Transaction, Both, Dns)                \
  X(DnsAdditionalsName, "*dns.additionals.rrname", "", Transaction, Both, Dns)                \
  X(DnsResponseName, "*dns.response.rrname", "", Transaction, ToClient, Dns)                  \
  X(TlsSni, "tls.sni", "!tls_sni", Transaction, ToServer, Tls)                                \
  X(TlsCertificateSubject, "tls.cert_subject", "!tls_cert_subject", Transaction, Both, Tls) \
  X(TlsCertificateIssuer, "tls.cert_issuer", "!tls_cert_issuer", Transaction, Both, Tls)  \
  X(TlsCertificateSerial, "tls.cert_serial", "!tls_cert_serial", Transaction, Both, Tls)  \
  X(TlsCertificateFingerprint, "tls.cert_fingerprint", "!tls_cert_fingerprint", Transaction, Both, Tls) \
  X(TlsCertificates, "*tls.certs", "", Transaction, Both, Tls)                            \
  X(TlsSubjectAltName, "*tls.subjectaltname", "", Transaction, ToClient, Tls)                 \
  X(TlsAlpn, "*tls.alpn", "", Transaction, Both, Tls)                                         \
  X(TlsRandom, "tls.random", "", Transaction, Both, Tls)                                      \
  X(TlsRandomTime, "tls.random_time", "", Transaction, Both, Tls)                             \
  X(TlsRandomBytes, "tls.random_bytes", "", Transaction, Both, Tls)                           \
  X(Ja3Hash, "ja3.hash", "!ja3_hash", Transaction, ToServer, Tls)                             \
  X(Ja3String, "ja3.string", "!ja3_string", Transaction, ToServer, Tls)                       \
  X(Ja3sHash, "ja3s.hash", "!ja3s_hash", Transaction, ToClient, Tls)                          \
  X(Ja3sString, "ja3s.string", "!ja3s_string", Transaction, ToClient, Tls)                    \
  X(Ja4Hash, "ja4.hash", "!ja4_hash", Transaction, ToServer, Tls)                             \
  X(SshProto, "ssh.proto", "!ssh_proto", Transaction, Both, Ssh)                              \
  X(SshSoftware, "ssh.software", "!ssh_software", Transaction, Both, Ssh)                     \
  X(SshHassh, "ssh.hassh", "", Transaction, ToServer, Ssh)                                    \
  X(SshHasshString, "ssh.hassh.string", "", Transaction, ToServer, Ssh)                       \
  X(SshHasshServer, "ssh.hassh.server", "", Transaction, ToClient, Ssh)                       \
  X(SshHasshServerString, "ssh.hassh.server.string", "", Transaction, ToClient, Ssh)          \
  X(SmtpHelo, "smtp.helo", "", Transaction, ToServer, Smtp)                                   \
  X(SmtpMailFrom, "smtp.mail_from", "", Transaction, ToServer, Smtp)                          \
  X(SmtpRcptTo, "*smtp.rcpt_to", "", Transaction, ToServer, Smtp)                             \
  X(EmailFrom, "email.from", "", Transaction, ToServer, Smtp)                                 \
  X(EmailTo, "email.to", "", Transaction, ToServer, Smtp)                                     \
  X(EmailCc, "email.cc", "", Transaction, ToServer, Smtp)                                     \
  X(EmailSubject, "email.subject", "", Transaction, ToServer, Smtp)                           \
  X(EmailDate, "email.date", "", Transaction, ToServer, Smtp)                                 \
  X(EmailMessageId, "email.message_id", "", Transaction, ToServer, Smtp)                      \
  X(EmailXMailer, "email.x_mailer", "", Transaction, ToServer, Smtp)                          \
  X(EmailUrl, "*email.url", "", Transaction, ToServer, Smtp)                                  \
  X(EmailReceived, "*email.received", "", Transaction, ToServer, Smtp)                        \
  X(FtpCommand, "ftp.command", "", Transaction, ToServer, Ftp)                                \
  X(FtpCommandData, "ftp.command_data", "", Transaction, ToServer, Ftp)                       \
  X(FtpCompletionCode, "*ftp.completion_code", "", Transaction, ToClient, Ftp)                \
  X(FtpReply, "*ftp.reply", "", Transaction, ToClient, Ftp)                                   \
  X(SmbNamedPipe, "smb.named_pipe", "", Transaction, ToServer, Smb)                           \
  X(SmbShare, "smb.share", "", Transaction, ToServer, Smb)
// clang-format on

enum class BufferId : uint8_t {
#define MASUGATA_IDS_BUFFER_ID(id, name, older, source, side, protocol) id,
  MASUGATA_IDS_BUFFERS(MASUGATA_IDS_BUFFER_ID)
#undef MASUGATA_IDS_BUFFER_ID
      Count,
};
inline constexpr size_t kBufferCount = static_cast<size_t>(BufferId::Count);
static_assert(kBufferCount <= 128, "sets of buffers are two words");

}  // namespace masugata::ids
