// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// What the tunnel's programs in the kernel (tunnel.bpf.c) and the agent share: keys and values of the maps, reasons of
// drops. C and C++. Addresses are in network byte order. Who changes a structure gives the map another name in both
// places: a program of before then keeps its own maps until it is replaced.
#pragma once

#include <linux/types.h>

#ifdef __cplusplus
namespace margay::ipip {
#endif

// mgy_ipip1_route: the longest prefix of a destination (LPM).
struct RouteKey {
  __u32 length; /* bits */
  __u32 address;
};
struct RouteValue {
  __u32 node; /* the outer destination; 0: the prefix is our own; kPlainNode: another node's, and reached plain */
};

enum { kPlainNode = 0xffffffffU }; /* no node has this address */

// mgy_ipip1_conf, one element.
struct TunnelConfig {
  __u32 source; /* the outer source; 0: nothing can be sent */
};

// mgy_ipip2_nodes: of one remote node, for each CPU. Bytes are those of inner packets.
struct NodeTraffic {
  __u64 packets_in;
  __u64 bytes_in;
  __u64 packets_out;
  __u64 bytes_out;
  __u64 drops_in;           /* came from it and could not be believed or understood */
  __u64 drops_out;          /* should have gone to it */
  __u64 too_big_on_the_way; /* a router between said so, and the sender was told */
};

// mgy_ipip1_drops: index, for each CPU.
enum DropIndex {
  kDropUnknownSender, /* the outer source is no node of ours */
  kDropBadOuter,      /* a header with options, of another length or with a wrong checksum */
  kDropOuterFragment, /* a program at tc cannot put packets together */
  kDropTruncated,     /* shorter than its headers say */
  kDropBadInner,      /* no IPv4 packet inside, or one whose time is over */
  kDropNested,        /* a tunnel inside that would end or go on at a node */
  kDropSpoofedSource, /* the inner source is our own, or nobody's */
  kDropCongestion,    /* RFC 6040: marked on the way, and its sender would not understand */
  kDropTooBig,        /* does not fit the uplink with another header */
  kDropNoSource,      /* we have no address to send from yet */
  kDropNotTunnelled,  /* the kernel refused to change the packet */
  kDropReasons
};

#ifdef __cplusplus
}  // namespace margay::ipip
#endif
