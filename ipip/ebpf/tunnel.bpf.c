// SPDX-License-Identifier: GPL-2.0-only
// IP-in-IP at tc: one program for what leaves an uplink, one for what arrives. The packets on the wire are those of the
// kernel's ipip device (RFC 2003), so that nodes of both kinds understand each other.
//
// Passing on is TC_ACT_UNSPEC: filters of others behind ours see the packet as well. Uplinks have Ethernet headers (the
// agent refuses others). IPv4 only, as IP-in-IP pools are.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "ipip/ebpf/tunnel_layout.h"

#define OUTER_BYTES ((__u32)sizeof(struct iphdr))
#define OUTER_TTL 64
#define MTU_MIN 68 /* RFC 791 §3.2 */
#define PASS TC_ACT_UNSPEC
#define EALREADY_ERROR 114

#define DONT_FRAGMENT 0x4000
#define FRAGMENT_BITS 0x3fff /* more fragments, and the offset */

#define ECN_MASK 3
#define ECN_NONE 0
#define ECN_ECT1 1
#define ECN_ECT0 2
#define ECN_CE 3

/* linux/icmp.h wants a C library. RFC 792. */
#define ICMP_DEST_UNREACH 3
#define ICMP_FRAG_NEEDED 4

#define NODES_MAX 65536
#define PREFIXES_MAX 1048576

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, PREFIXES_MAX);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct RouteKey);
  __type(value, struct RouteValue);
} mgy_ipip1_route SEC(".maps");

// Nodes that may send to us, and our own addresses: that they are there is all.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, NODES_MAX);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __u32);
  __type(value, __u32);
} mgy_ipip1_known SEC(".maps"), mgy_ipip1_local SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct TunnelConfig);
} mgy_ipip1_conf SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(max_entries, NODES_MAX);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __u32);
  __type(value, struct NodeTraffic);
} mgy_ipip2_nodes SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, kDropReasons);
  __type(key, __u32);
  __type(value, __u64);
} mgy_ipip1_drops SEC(".maps");

static __always_inline int drop(__u32 reason) {
  __u64* count = bpf_map_lookup_elem(&mgy_ipip1_drops, &reason);
  if (count) *count += 1;
  return TC_ACT_SHOT;
}

// Made with a node's first packet; the agent removes those of nodes that are gone.
static __always_inline struct NodeTraffic* traffic_of(__u32 node) {
  struct NodeTraffic* traffic = bpf_map_lookup_elem(&mgy_ipip2_nodes, &node);
  if (traffic) return traffic;
  struct NodeTraffic none = {};
  bpf_map_update_elem(&mgy_ipip2_nodes, &node, &none, BPF_NOEXIST);
  return bpf_map_lookup_elem(&mgy_ipip2_nodes, &node);
}

static __always_inline int drop_to(__u32 node, __u32 reason) {
  struct NodeTraffic* traffic = traffic_of(node);
  if (traffic) traffic->drops_out += 1;
  return drop(reason);
}

static __always_inline int drop_from(__u32 node, __u32 reason) {
  struct NodeTraffic* traffic = traffic_of(node);
  if (traffic) traffic->drops_in += 1;
  return drop(reason);
}

static __always_inline int is_local(__u32 address) { return bpf_map_lookup_elem(&mgy_ipip1_local, &address) != 0; }
static __always_inline int is_known(__u32 address) { return bpf_map_lookup_elem(&mgy_ipip1_known, &address) != 0; }

static __always_inline struct RouteValue* route_to(__u32 address) {
  struct RouteKey key = {.length = 32, .address = address};
  return bpf_map_lookup_elem(&mgy_ipip1_route, &key);
}

static __always_inline __u16 folded(__u32 sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  sum += sum >> 16;
  return (__u16)~sum;
}

// RFC 1071 over a header without options; 0 for one whose checksum is right.
static __always_inline __u16 header_checksum(const struct iphdr* header) {
  const __u16* words = (const __u16*)header;
  __u32 sum = 0;
#pragma unroll
  for (int i = 0; i < (int)(sizeof(*header) / 2); ++i) sum += words[i];
  return folded(sum);
}

static __always_inline __u32 packets_of(const struct __sk_buff* skb) { return skb->gso_segs ? skb->gso_segs : 1; }

static __always_inline __u8 version_of(const struct iphdr* header) { return *(const __u8*)header; }

// ---------------------------------------------------------------------------------------------------------- leaving

// Whether the segments the kernel will cut fit the uplink with our header. Those of TCP can be made smaller; datagrams
// (UDP_SEGMENT) cannot, their size is what their sender said.
static __always_inline int keeps_segment_size(struct __sk_buff* skb, const struct iphdr* inner, __u32 mtu) {
  if (inner->protocol != IPPROTO_TCP) return 1;
  __u8 words = 0;
  const __u32 header = inner->ihl * 4;
  if (bpf_skb_load_bytes_relative(skb, header + 12, &words, 1, BPF_HDR_START_NET)) return 1;
  return skb->gso_size + header + (words >> 4) * 4 + OUTER_BYTES <= mtu;
}

// Room for the outer header before the inner. 0: done.
static __always_inline long make_room(struct __sk_buff* skb, const struct iphdr* inner, __u32 mtu) {
  __u64 flags = BPF_F_ADJ_ROOM_ENCAP_L3_IPV4;
  if (skb->gso_size && keeps_segment_size(skb, inner, mtu)) flags |= BPF_F_ADJ_ROOM_FIXED_GSO;
  const long failed = bpf_skb_adjust_room(skb, OUTER_BYTES, BPF_ADJ_ROOM_MAC, flags);
  // A pod's own tunnel: the kernel keeps one inner header in mind, theirs. Without offloads ours is only bytes.
  if (failed != -EALREADY_ERROR || skb->gso_size) return failed;
  return bpf_skb_adjust_room(skb, OUTER_BYTES, BPF_ADJ_ROOM_MAC, 0);
}

// RFC 2003 §3.1. Never fragmented on the way: the other end may be a program at tc, which cannot put packets together;
// a router that would have to says so, and relay() tells the sender. So the identification has no meaning (RFC 6864
// §4.1).
static __always_inline void fill_outer(struct iphdr* outer, const struct iphdr* inner, __u32 from, __u32 to) {
  const __u32 length = bpf_ntohs(inner->tot_len) + OUTER_BYTES;
  outer->version = 4;
  outer->ihl = 5;
  outer->tos = inner->tos;  // RFC 6040 §4.1, normal mode: the ECN field is copied, congestion included
  // 0: longer than a packet can be. Only a packet that the kernel has yet to cut can be that, and it knows its length.
  outer->tot_len = inner->tot_len && length <= 0xffff ? bpf_htons((__u16)length) : 0;
  outer->id = 0;
  outer->frag_off = bpf_htons(DONT_FRAGMENT);
  outer->ttl = OUTER_TTL;
  outer->protocol = IPPROTO_IPIP;
  outer->check = 0;
  outer->saddr = from;
  outer->daddr = to;
  outer->check = header_checksum(outer);
}

static __always_inline int send_to(struct __sk_buff* skb, const struct iphdr* inner, __u32 from, __u32 to) {
  __u32 mtu = 0;
  const int fits = bpf_check_mtu(skb, 0, &mtu, OUTER_BYTES, 0) == BPF_MTU_CHK_RET_SUCCESS;
  if (!fits) return drop_to(to, kDropTooBig);
  const __u32 packets = packets_of(skb);
  const __u32 bytes = skb->len - ETH_HLEN;
  if (make_room(skb, inner, mtu)) return drop_to(to, kDropNotTunnelled);
  struct iphdr outer;
  fill_outer(&outer, inner, from, to);
  if (bpf_skb_store_bytes(skb, ETH_HLEN, &outer, sizeof(outer), BPF_F_RECOMPUTE_CSUM))
    return drop_to(to, kDropNotTunnelled);
  struct NodeTraffic* traffic = traffic_of(to);
  if (traffic) {
    traffic->packets_out += packets;
    traffic->bytes_out += bytes;
  }
  return PASS;
}

SEC("tc")
int mgy_ipip_out(struct __sk_buff* skb) {
  if (skb->protocol != bpf_htons(ETH_P_IP)) return PASS;
  struct iphdr inner;
  if (bpf_skb_load_bytes_relative(skb, 0, &inner, sizeof(inner), BPF_HDR_START_NET)) return PASS;
  const struct RouteValue* route = route_to(inner.daddr);
  if (!route || !route->node || route->node == kPlainNode) return PASS;
  const __u32 node = route->node;
  // A range that has the node itself in it: what is for the node is not for behind it, our own tunnel least of all.
  if (inner.daddr == node || is_known(inner.daddr)) return PASS;
  const __u32 first = 0;
  const struct TunnelConfig* config = bpf_map_lookup_elem(&mgy_ipip1_conf, &first);
  if (!config || !config->source) return drop_to(node, kDropNoSource);
  return send_to(skb, &inner, config->source, node);
}

// --------------------------------------------------------------------------------------------------------- arriving

// RFC 6040 §4.2, figure 4. -1: to be dropped.
static __always_inline int ecn_of(__u8 outer, __u8 inner) {
  if (outer == ECN_CE) return inner == ECN_NONE ? -1 : ECN_CE;
  if (outer == ECN_ECT1 && inner == ECN_ECT0) return ECN_ECT1;
  return inner;
}

// Sources that no packet from another node can have: our own addresses and pods, nobody's, groups.
static __always_inline int is_spoofed(__u32 source) {
  const __u32 first = bpf_ntohl(source) >> 24;
  if (first == 0 || first == 127 || first >= 224 || is_local(source)) return 1;
  const struct RouteValue* route = route_to(source);
  return route && !route->node;
}

// What is wrong with the outer header; -1: nothing.
static __always_inline int check_outer(const struct iphdr* outer) {
  if (version_of(outer) != 0x45 || header_checksum(outer) != 0) return kDropBadOuter;
  if (!is_known(outer->saddr)) return kDropUnknownSender;
  if (outer->frag_off & bpf_htons(FRAGMENT_BITS)) return kDropOuterFragment;
  return -1;
}

// The same of the inner; `room`: bytes there are for it. A packet the kernel has put together may have no length.
static __always_inline int check_inner(const struct __sk_buff* skb, const struct iphdr* inner, __u32 room) {
  const __u32 length = bpf_ntohs(inner->tot_len);
  const int is_long = length == 0 && skb->gso_size;
  if (inner->version != 4 || inner->ihl < 5 || inner->ttl == 0) return kDropBadInner;
  if (!is_long && length < inner->ihl * 4u) return kDropBadInner;
  if (length > room) return kDropTruncated;
  if (inner->protocol == IPPROTO_IPIP && (is_local(inner->daddr) || is_known(inner->daddr))) return kDropNested;
  return is_spoofed(inner->saddr) ? kDropSpoofedSource : -1;
}

// The checksum of the header changes with the field, so the sum over both stays what it was.
static __always_inline void set_tos(struct __sk_buff* skb, const struct iphdr* inner, __u8 tos) {
  const __u16 before = bpf_htons((__u16)(version_of(inner) << 8 | inner->tos));
  const __u16 after = bpf_htons((__u16)(version_of(inner) << 8 | tos));
  bpf_l3_csum_replace(skb, ETH_HLEN + 10, before, after, 2);
  bpf_skb_store_bytes(skb, ETH_HLEN + 1, &tos, 1, 0);
}

static __always_inline int receive(struct __sk_buff* skb, const struct iphdr* outer, const struct iphdr* inner) {
  const int ecn = ecn_of(outer->tos & ECN_MASK, inner->tos & ECN_MASK);
  if (ecn < 0) return drop_from(outer->saddr, kDropCongestion);
  const __u32 packets = packets_of(skb);
  const __u32 bytes = skb->len - ETH_HLEN - OUTER_BYTES;
  // The sender's segments stay as long as they are: a pod behind a smaller MTU than ours gets no longer ones.
  if (bpf_skb_adjust_room(skb, -(int)OUTER_BYTES, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO))
    return drop_from(outer->saddr, kDropNotTunnelled);
  if (ecn != (inner->tos & ECN_MASK)) set_tos(skb, inner, (__u8)((inner->tos & ~ECN_MASK) | ecn));
  struct NodeTraffic* traffic = traffic_of(outer->saddr);
  if (traffic) {
    traffic->packets_in += packets;
    traffic->bytes_in += bytes;
  }
  return PASS;
}

// What a router says of a packet of ours in the tunnel: too big, and how long it may be.
struct TooBig {
  __u8 type;
  __u8 code;
  __u16 check;
  __u16 unused;
  __u16 mtu;
};
struct ToldOfOurs {
  struct TooBig icmp;
  struct iphdr outer, inner;  // and at least eight bytes more
};

// Whether it is about a packet of a pod of ours on its way to a node.
static __always_inline int is_about_ours(const struct ToldOfOurs* told, __u32 us) {
  if (told->icmp.type != ICMP_DEST_UNREACH || told->icmp.code != ICMP_FRAG_NEEDED) return 0;
  if (version_of(&told->outer) != 0x45 || told->outer.protocol != IPPROTO_IPIP || told->outer.saddr != us) return 0;
  if (!is_known(told->outer.daddr) || told->inner.version != 4 || told->inner.ihl < 5) return 0;
  const struct RouteValue* route = route_to(told->inner.saddr);
  return is_local(told->inner.saddr) || (route && !route->node);
}

// RFC 2003 §4.1: whoever sent the inner packet is told, with the size that leaves room for our header. Made of the
// message itself, so no state is kept: the outer header goes, the pod is the new destination. The router stays the
// source, as none of our own addresses is believed on an uplink.
static __always_inline int relay(struct __sk_buff* skb, struct iphdr* header) {
  struct ToldOfOurs told;
  const __u32 length = bpf_ntohs(header->tot_len);
  if (version_of(header) != 0x45 || header_checksum(header) || (header->frag_off & bpf_htons(FRAGMENT_BITS)))
    return PASS;
  if (bpf_skb_load_bytes_relative(skb, sizeof(*header), &told, sizeof(told), BPF_HDR_START_NET)) return PASS;
  const __u32 mtu = bpf_ntohs(told.icmp.mtu);
  if (!is_about_ours(&told, header->daddr) || mtu < OUTER_BYTES + MTU_MIN) return PASS;
  if (length > skb->len - ETH_HLEN ||
      length < sizeof(*header) + sizeof(told) - sizeof(told.inner) + told.inner.ihl * 4 + 8)
    return PASS;

  struct {
    struct iphdr header;
    struct TooBig icmp;
  } said = {.header = *header, .icmp = told.icmp};
  said.header.tot_len = bpf_htons((__u16)(length - OUTER_BYTES));
  said.header.daddr = told.inner.saddr;
  said.header.check = 0;
  said.header.check = header_checksum(&said.header);
  // The sum of what stays is what it was, right or wrong.
  const __u32 sum = (__u16)~told.icmp.check;
  told.icmp.check = 0;
  said.icmp.check = 0;
  said.icmp.mtu = bpf_htons((__u16)(mtu - OUTER_BYTES));
  const __s64 changed = bpf_csum_diff((__be32*)&told, sizeof(told.icmp) + sizeof(told.outer), (__be32*)&said.icmp,
                                      sizeof(said.icmp), sum);
  said.icmp.check = folded(changed);
  if (bpf_skb_adjust_room(skb, -(int)OUTER_BYTES, BPF_ADJ_ROOM_MAC, 0)) return drop(kDropNotTunnelled);
  if (bpf_skb_store_bytes(skb, ETH_HLEN, &said, sizeof(said), BPF_F_RECOMPUTE_CSUM)) return drop(kDropNotTunnelled);
  struct NodeTraffic* traffic = traffic_of(told.outer.daddr);
  if (traffic) traffic->too_big_on_the_way += 1;
  return PASS;
}

SEC("tc")
int mgy_ipip_in(struct __sk_buff* skb) {
  if (skb->protocol != bpf_htons(ETH_P_IP) || skb->pkt_type != PACKET_HOST) return PASS;
  struct iphdr outer;
  if (bpf_skb_load_bytes_relative(skb, 0, &outer, sizeof(outer), BPF_HDR_START_NET)) return PASS;
  if (outer.protocol != IPPROTO_IPIP && outer.protocol != IPPROTO_ICMP) return PASS;
  if (!is_local(outer.daddr)) return PASS;
  if (outer.protocol == IPPROTO_ICMP) return relay(skb, &outer);
  const int bad_outer = check_outer(&outer);
  if (bad_outer >= 0) return drop(bad_outer);

  __u32 length = bpf_ntohs(outer.tot_len);
  const __u32 there = skb->len - ETH_HLEN;
  if (length == 0 && skb->gso_size) length = there;
  struct iphdr inner;
  if (length > there || length < OUTER_BYTES + sizeof(inner)) return drop_from(outer.saddr, kDropTruncated);
  if (bpf_skb_load_bytes_relative(skb, OUTER_BYTES, &inner, sizeof(inner), BPF_HDR_START_NET))
    return drop_from(outer.saddr, kDropTruncated);
  const int bad_inner = check_inner(skb, &inner, length - OUTER_BYTES);
  if (bad_inner >= 0) return drop_from(outer.saddr, bad_inner);
  return receive(skb, &outer, &inner);
}

char mgy_license[] SEC("license") = "GPL";
