// Packer: collects what a group of peers must be told about prefixes of one family, and makes of it as few UPDATEs as
// there can be: one for each set of attributes, next hop and audience, as long as the destinations fit. Encoded once,
// several messages in a packet of about 64 KiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bgp/rib/id_index.h"
#include "bgp/rib/rib.h"
#include "bgp/rib/tables.h"
#include "bgp/wire/encode.h"

namespace margay::bgp::rib {

// Who of the members gets a packet: all but two (a route's source and its originator), or a single one.
struct Audience {
  PeerId except = kNoPeer;
  PeerId except_too = kNoPeer;  // never the smaller of the two, so that equal audiences are equal values
  PeerId only = kNoPeer;
  friend bool operator==(const Audience&, const Audience&) = default;
  [[nodiscard]] bool has(PeerId peer) const {
    return only != kNoPeer ? peer == only : peer != except && peer != except_too;
  }
  static Audience all_but(PeerId a, PeerId b);
  static Audience just(PeerId peer) { return {kNoPeer, kNoPeer, peer}; }
};

class Packer {
 public:
  // In the order they are to be sent to each member.
  using Deliver = std::function<void(const Audience&, Packet, std::size_t updates)>;

  explicit Packer(const Tables& tables) : tables_(tables) {}

  struct Destination {
    PrefixId prefix = kNoId;
    std::uint32_t path_id = 0;
  };
  // The ids must live until flush().
  void announce(const Audience& audience, AttributeId attributes, NextHopId next_hop, Destination destination) {
    add({audience, attributes, next_hop}, destination);
  }
  void withdraw(const Audience& audience, Destination destination) { add({audience, kNoId, kNoId}, destination); }
  [[nodiscard]] bool empty() const { return items_.empty(); }

  // Encodes all, withdrawals first, and is empty afterwards.
  void flush(Family family, const EncodeContext& context, const Deliver& deliver);

 private:
  struct Key {
    Audience audience;
    AttributeId attributes = kNoId;  // kNoId: a withdrawal
    NextHopId next_hop = kNoId;
    friend bool operator==(const Key&, const Key&) = default;
    [[nodiscard]] std::uint32_t hash() const;
  };
  // Lists by place; kNoId ends them.
  struct Item {
    Destination destination;
    std::uint32_t next = kNoId;
  };
  struct Bucket {
    Key key;
    std::uint32_t first = kNoId, last = kNoId;  // items
    std::uint32_t next = kNoId;                 // bucket of the same audience
  };
  struct Line {  // what one audience is told
    Audience audience;
    std::uint32_t first = kNoId, last = kNoId;  // buckets
    std::uint32_t withdrawal = kNoId;           // the bucket of them
  };
  struct Output {
    std::string bytes;
    std::size_t updates = 0;
  };

  void add(const Key& key, Destination destination);
  std::uint32_t bucket_of(const Key& key);
  std::uint32_t line_of(const Audience& audience);
  void load(const Bucket& bucket, Family family);
  void encode(const Bucket& bucket, const EncodeContext& context);
  void seal(const Audience& audience, const Deliver& deliver);
  void clear();

  const Tables& tables_;
  std::vector<Item> items_;
  std::vector<Bucket> buckets_;
  std::vector<Line> lines_;
  IdIndex bucket_index_, line_index_;
  std::uint32_t recent_bucket_ = kNoId, recent_line_ = kNoId;
  std::vector<Nlri> nlri_;
  Output out_;
};

}  // namespace margay::bgp::rib
