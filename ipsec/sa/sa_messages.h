/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What charon's plugin kernel-masugata and masugatad say to each other: messages of fixed size over
 * a SEQPACKET socket of one machine, in its byte order, one message per packet. Valid in C and in
 * C++. ipsec/sa/README.md tells the dialogue.
 *
 * The plugin connects and says Hello; masugatad answers. After that the plugin asks (types 1 to 63)
 * and masugatad answers each request with a Reply of the same sequence number; Alert gets no
 * answer. masugatad may say Acquire, Expire and Mapping (types 64 and up) at any time.
 *
 * SPIs are in host order here, addresses in network order. Reserved bytes are zero. Texts end with
 * a zero byte within their array; who reads cuts off what does not.
 */
#ifndef MASUGATA_IPSEC_SA_SA_MESSAGES_H
#define MASUGATA_IPSEC_SA_SA_MESSAGES_H

#include <stdint.h>

/* Any change of a structure or of a meaning is a new version: there is no older partner to serve,
 * both ends come from one build. */
#define MASUGATA_SA_VERSION 3
#define MASUGATA_SA_MAGIC 0x4153674dU
#define MASUGATA_SA_SOCKET "/run/masugata/sa.sock"

/* The sequence number of all that is asked before the plugin is through with its greeting, and of
 * the Reply to a connection that is refused, which comes unasked. */
#define MASUGATA_SA_GREETING 0xffffffffU

#define MASUGATA_SA_KEY_BYTES 64
#define MASUGATA_SA_SELECTORS 16

/* Unscoped, with the width of the fields: C has nothing else. */
enum masugata_sa_type {
  MASUGATA_SA_HELLO = 1,
  MASUGATA_SA_RESERVE_SPI = 2,
  MASUGATA_SA_ADD = 3,
  MASUGATA_SA_UPDATE = 4,
  MASUGATA_SA_QUERY = 5,
  MASUGATA_SA_REMOVE = 6,
  MASUGATA_SA_FLUSH = 7,
  MASUGATA_SA_ADD_POLICY = 8,
  MASUGATA_SA_REMOVE_POLICY = 9,
  MASUGATA_SA_FLUSH_POLICIES = 10,
  MASUGATA_SA_ALERT = 11,
  MASUGATA_SA_REPLY = 64,
  MASUGATA_SA_ACQUIRE = 65,
  MASUGATA_SA_EXPIRE = 66,
  MASUGATA_SA_MAPPING = 67
};

enum masugata_sa_status {
  MASUGATA_SA_OK = 0,
  MASUGATA_SA_REFUSED = 1,   /* `reason` tells why */
  MASUGATA_SA_NOT_FOUND = 2, /* no such SA or policy */
  MASUGATA_SA_BUSY = 3       /* to Hello: another charon is connected */
};

enum masugata_sa_direction {
  MASUGATA_SA_INBOUND = 0,
  MASUGATA_SA_OUTBOUND = 1,
  MASUGATA_SA_FORWARD = 2 /* policies only */
};

enum masugata_sa_mode { MASUGATA_SA_TRANSPORT = 1, MASUGATA_SA_TUNNEL = 2 };

/* `handling` of masugata_sa_add */
#define MASUGATA_SA_COPY_DF 0x01U
#define MASUGATA_SA_COPY_ECN 0x02U
#define MASUGATA_SA_COPY_DSCP_OUT 0x04U
#define MASUGATA_SA_COPY_DSCP_IN 0x08U

struct masugata_sa_header {
  uint32_t magic;
  uint16_t version;
  uint16_t type;
  uint32_t size;     /* of the whole message */
  uint32_t sequence; /* of the request, repeated in its reply; 0 where nothing is answered */
};

struct masugata_sa_address {
  uint8_t family; /* 4 or 6; 0: none, all else zero */
  uint8_t reserved;
  uint16_t port;     /* UDP, host order; 0 where it has no meaning */
  uint8_t bytes[16]; /* an IPv4 address in the first four */
};

struct masugata_sa_selector {
  uint8_t family;
  uint8_t protocol;    /* 0: any */
  uint16_t first_port; /* host order, inclusive */
  uint16_t last_port;
  uint16_t reserved;
  uint8_t first[16];
  uint8_t last[16];
};

/* By what an SA is known: inbound SPIs are masugatad's own, outbound ones are unique per peer. */
struct masugata_sa_name {
  uint32_t spi;
  uint8_t direction; /* inbound or outbound */
  uint8_t protocol;  /* 50, ESP: nothing else is accepted */
  uint16_t reserved;
  struct masugata_sa_address destination; /* outer, without port */
};

struct masugata_sa_limits {
  uint64_t seconds; /* 0: none, as with the others */
  uint64_t bytes;
  uint64_t packets;
};

struct masugata_sa_hello {
  struct masugata_sa_header header;
  uint64_t generation; /* random, new with each start of charon: another one flushes everything */
  char daemon[64];     /* "charon-systemd, strongSwan 5.9.8-5+deb12u6" */
};

struct masugata_sa_reserve_spi {
  struct masugata_sa_header header;
  struct masugata_sa_address source; /* of the SA to come: the peer */
  struct masugata_sa_address destination;
};

/* Holds keys: wiped after use at both ends. */
struct masugata_sa_add {
  struct masugata_sa_header header;
  struct masugata_sa_name name;
  struct masugata_sa_address source;
  uint16_t source_port; /* UDP encapsulation (RFC 3948); both 0: plain ESP */
  uint16_t destination_port;
  uint8_t mode;
  uint8_t extended_sequence; /* 0 or 1 */
  uint8_t handling;
  uint8_t was_reserved; /* 1: the SPI came from Reserve-SPI */
  uint16_t encryption;  /* IKEv2 transform type 1 and 3; 0: none */
  uint16_t integrity;
  uint32_t replay_window_packets;
  uint32_t request_id;
  uint32_t tunnel_id;
  struct masugata_sa_limits soft;
  struct masugata_sa_limits hard;
  uint16_t encryption_key_bytes; /* salt included */
  uint16_t integrity_key_bytes;
  uint8_t source_selector_count;
  uint8_t destination_selector_count;
  uint8_t initiator; /* 1: this side began the exchange that made the SA */
  uint8_t reserved;
  struct masugata_sa_selector source_selectors[MASUGATA_SA_SELECTORS];
  struct masugata_sa_selector destination_selectors[MASUGATA_SA_SELECTORS];
  uint8_t encryption_key[MASUGATA_SA_KEY_BYTES];
  uint8_t integrity_key[MASUGATA_SA_KEY_BYTES];
};

/* New outer addresses (MOBIKE, NAT). The sequence number goes on. */
struct masugata_sa_update {
  struct masugata_sa_header header;
  struct masugata_sa_name name; /* with the destination so far */
  struct masugata_sa_address source;
  struct masugata_sa_address destination;
  uint16_t source_port; /* as in masugata_sa_add */
  uint16_t destination_port;
  uint32_t request_id; /* 0: as before */
};

/* Query and Remove. Removing a reserved SPI that was never added gives it back. */
struct masugata_sa_about {
  struct masugata_sa_header header;
  struct masugata_sa_name name;
};

/* Flush (SAs and reserved SPIs) and Flush-Policies. */
struct masugata_sa_plain {
  struct masugata_sa_header header;
};

/* Add- and Remove-Policy. Policies are counted: what was added twice is there until it is
 * removed twice. A policy is known by all of its fields but `peer`, which tells apart those that
 * are the same otherwise: an SA may have moved since its policy was added. */
struct masugata_sa_policy {
  struct masugata_sa_header header;
  uint8_t direction;
  uint8_t kind;     /* 1: IPsec, 2: pass, 3: discard */
  uint8_t priority; /* 0: pass, 1: usual, 2: trap, 3: fallback */
  uint8_t mode;     /* 0 where no SA is tied to it */
  uint32_t manual_priority;
  uint32_t request_id;
  uint32_t tunnel_id;
  uint32_t spi; /* of the SA that shall be used; 0: none yet, traffic raises Acquire */
  struct masugata_sa_address peer; /* its outer destination, without port; family 0: not told */
  struct masugata_sa_selector source;
  struct masugata_sa_selector destination;
};

/* Why charon is unhappy, and when it is happy again; the number is our own, not strongSwan's. */
enum masugata_sa_alert_kind {
  MASUGATA_ALERT_IKE_PROPOSALS = 1,
  MASUGATA_ALERT_CHILD_PROPOSALS = 2,
  MASUGATA_ALERT_SELECTORS = 3,
  MASUGATA_ALERT_SELECTORS_NARROWED = 4,
  MASUGATA_ALERT_LOCAL_AUTHENTICATION = 5,
  MASUGATA_ALERT_PEER_AUTHENTICATION = 6,
  MASUGATA_ALERT_PEER_ADDRESS = 7,
  MASUGATA_ALERT_PEER_UNREACHABLE = 8,
  MASUGATA_ALERT_RETRANSMIT_TIMEOUT = 9,
  MASUGATA_ALERT_HALF_OPEN_TIMEOUT = 10,
  MASUGATA_ALERT_SA_NOT_INSTALLED = 11,
  MASUGATA_ALERT_POLICY_NOT_INSTALLED = 12,
  MASUGATA_ALERT_CHILD_FAILED = 13,
  MASUGATA_ALERT_AUTHORIZATION = 14,
  MASUGATA_ALERT_UNIQUE_REPLACED = 15,
  MASUGATA_ALERT_UNIQUE_KEPT = 16,
  MASUGATA_ALERT_IKE_EXPIRED = 17,
  MASUGATA_ALERT_CERTIFICATE_EXPIRED = 18,
  MASUGATA_ALERT_CERTIFICATE_REVOKED = 19,
  MASUGATA_ALERT_CERTIFICATE_STATUS_UNKNOWN = 20,
  MASUGATA_ALERT_CERTIFICATE_NO_ISSUER = 21,
  MASUGATA_ALERT_CERTIFICATE_UNTRUSTED_ROOT = 22,
  MASUGATA_ALERT_CERTIFICATE_PATH_LENGTH = 23,
  MASUGATA_ALERT_CERTIFICATE_POLICY = 24,
  MASUGATA_ALERT_MESSAGE_UNREADABLE = 25,
  MASUGATA_ALERT_UNKNOWN_IKE_SPI = 26,
  MASUGATA_ALERT_RETRANSMIT = 27,    /* `number` tells which */
  MASUGATA_ALERT_PEER_NOTIFIED = 28, /* an error of the peer's: `number` is the notify type (RFC
                                        7296 section 3.10.1), `received` its name */
  MASUGATA_ALERT_PEER_NOT_CONFIGURED = 29, /* somebody asks for whom there is no configuration */
  MASUGATA_ALERT_RETRANSMIT_ANSWERED = 30, /* a message that was sent again has its answer */
  MASUGATA_ALERT_IKE_UP = 31,
  MASUGATA_ALERT_IKE_DOWN = 32, /* also at the end of a try that failed */
  MASUGATA_ALERT_IKE_REKEYED = 33,
  MASUGATA_ALERT_CHILD_UP = 34, /* `received`: the selectors that were agreed on */
  MASUGATA_ALERT_CHILD_DOWN = 35,
  MASUGATA_ALERT_CHILD_REKEYED = 36, /* as with CHILD_UP */
  MASUGATA_ALERT_LAST = MASUGATA_ALERT_CHILD_REKEYED
};

/* `flags` of masugata_sa_alert */
#define MASUGATA_ALERT_WE_ASKED 0x01U        /* this side began the exchange that failed */
#define MASUGATA_ALERT_REKEYING 0x02U        /* the exchange renews an SA that works */
#define MASUGATA_ALERT_LOCAL_SELECTORS 0x04U /* narrowed are ours, else the peer's */
#define MASUGATA_ALERT_FIRST_CHILD 0x08U
#define MASUGATA_ALERT_NAT_HERE 0x10U      /* between this side and the Internet */
#define MASUGATA_ALERT_NAT_THERE 0x20U     /* between the Internet and the peer */
#define MASUGATA_ALERT_PEER_ANSWERED 0x40U /* at least the first message had an answer */
#define MASUGATA_ALERT_ESTABLISHED 0x80U   /* the IKE SA is up */

/* One of charon's alerts. When we asked and the peer refused, the peer's wishes are not known:
 * `received` is empty and `configured` is what we offered. Texts are in charon's words:
 * "IKE:AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384, ..." or "10.1.0.0/24 === 10.2.0.0/24", ours
 * first; "INVALID_KE_PAYLOAD ECP_384"; what comes from the peer may hold anything printable. */
struct masugata_sa_alert {
  struct masugata_sa_header header;
  uint16_t kind;
  uint8_t flags;
  uint8_t ike_version; /* 1 or 2; 0: no IKE SA */
  uint32_t number;     /* of the try or retransmission, from 1; notify type; else 0 */
  uint32_t ike_id;     /* charon's unique id of the IKE SA; 0: none */
  uint16_t exchange;   /* of what the peer notified: IKEv2's number (34: IKE_SA_INIT); else 0 */
  uint16_t reserved;
  int64_t not_before; /* of a certificate, seconds since 1970; 0 without meaning */
  int64_t not_after;
  struct masugata_sa_address local; /* with port */
  struct masugata_sa_address remote;
  char connection[64]; /* name of the IKE configuration; empty when none was chosen */
  char child[64];
  char local_identity[192];
  char remote_identity[192];            /* as received, or as configured before anything came */
  char configured_remote_identity[192]; /* empty: any, or no configuration chosen */
  char subject[256];                    /* of the certificate that is in question */
  char issuer[256];
  char received[1024];
  char configured[1024];
};

struct masugata_sa_reply {
  struct masugata_sa_header header;
  uint32_t status;
  uint32_t spi;          /* to Reserve-SPI */
  uint64_t generation;   /* to Hello: random, new with each start of masugatad */
  uint64_t bytes;        /* to Query, since the SA was added */
  uint64_t packets;      /* to Query */
  uint64_t idle_seconds; /* to Query; UINT64_MAX: never used */
  char reason[160];      /* one sentence unless OK; never holds a key */
};

struct masugata_sa_acquire {
  struct masugata_sa_header header;
  uint32_t request_id;
  uint32_t reserved;
  struct masugata_sa_selector source; /* of the packet; family 0: not told */
  struct masugata_sa_selector destination;
};

struct masugata_sa_expire {
  struct masugata_sa_header header;
  struct masugata_sa_name name;
  uint8_t hard; /* 0: time to renew; 1: no longer used */
  uint8_t reserved[7];
};

/* Authenticated packets of an inbound SA come from another address or UDP port. */
struct masugata_sa_mapping {
  struct masugata_sa_header header;
  struct masugata_sa_name name;
  struct masugata_sa_address remote; /* with port */
};

/* No padding but the reserved bytes that are named: whole messages are compared, sent and wiped. */
#ifdef __cplusplus
#define MASUGATA_SA_ASSERT_SIZE(type, size) static_assert(sizeof(struct type) == (size), #type)
#else
#define MASUGATA_SA_ASSERT_SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type)
#endif
MASUGATA_SA_ASSERT_SIZE(masugata_sa_header, 16);
MASUGATA_SA_ASSERT_SIZE(masugata_sa_address, 20);
MASUGATA_SA_ASSERT_SIZE(masugata_sa_selector, 40);
MASUGATA_SA_ASSERT_SIZE(masugata_sa_name, 28);
MASUGATA_SA_ASSERT_SIZE(masugata_sa_hello, 88);
MASUGATA_SA_ASSERT_SIZE(masugata_sa_reserve_spi, 56);
MASUGATA_SA_ASSERT_SIZE(masugata_sa_about, 44);
MASUGATA_SA_ASSERT_SIZE(masugata_sa_update, 92);
MASUGATA_SA_ASSERT_SIZE(masugata_sa_policy, 136);
MASUGATA_SA_ASSERT_SIZE(masugata_sa_add, 1552);
MASUGATA_SA_ASSERT_SIZE(masugata_sa_alert, 3352);
MASUGATA_SA_ASSERT_SIZE(masugata_sa_reply, 216);
MASUGATA_SA_ASSERT_SIZE(masugata_sa_acquire, 104);
MASUGATA_SA_ASSERT_SIZE(masugata_sa_expire, 52);
MASUGATA_SA_ASSERT_SIZE(masugata_sa_mapping, 64);

#endif
