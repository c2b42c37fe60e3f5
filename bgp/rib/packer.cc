#include "bgp/rib/packer.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace margay::bgp::rib {
namespace {

constexpr std::size_t kPacketSize = 60 * 1024;
// Scratch memory that is kept from one flush to the next.
constexpr std::size_t kKeptItems = 16 * 1024;

std::uint32_t hash_of(const Audience& audience) {
  return spread(std::uint64_t{audience.except} << 32 | std::uint64_t{audience.except_too} << 16 | audience.only);
}

template <class T>
void empty_out(std::vector<T>& items) {
  items.clear();
  if (items.capacity() > kKeptItems) std::vector<T>().swap(items);
}

}  // namespace

Audience Audience::all_but(PeerId a, PeerId b) {
  if (a == b) b = kNoPeer;
  return {std::min(a, b), std::max(a, b), kNoPeer};
}

std::uint32_t Packer::Key::hash() const {
  return spread((std::uint64_t{attributes} << 32 | next_hop) ^ std::uint64_t{hash_of(audience)} << 16);
}

void Packer::add(const Key& key, Destination destination) {
  if (recent_bucket_ == kNoId || buckets_[recent_bucket_].key != key) recent_bucket_ = bucket_of(key);
  Bucket& bucket = buckets_[recent_bucket_];
  const auto item = static_cast<std::uint32_t>(items_.size());
  items_.push_back({destination, kNoId});
  if (bucket.first == kNoId) {
    bucket.first = item;
  } else {
    items_[bucket.last].next = item;
  }
  bucket.last = item;
}

std::uint32_t Packer::bucket_of(const Key& key) {
  const std::uint32_t found = bucket_index_.find(key.hash(), [&](std::uint32_t at) { return buckets_[at].key == key; });
  if (found != kNoId) return found;
  const auto added = static_cast<std::uint32_t>(buckets_.size());
  buckets_.push_back({key});
  bucket_index_.insert(added, key.hash());
  Line& line = lines_[line_of(key.audience)];
  if (key.attributes == kNoId) {
    line.withdrawal = added;
  } else if (line.first == kNoId) {
    line.first = line.last = added;
  } else {
    buckets_[line.last].next = added;
    line.last = added;
  }
  return added;
}

std::uint32_t Packer::line_of(const Audience& audience) {
  if (recent_line_ != kNoId && lines_[recent_line_].audience == audience) return recent_line_;
  recent_line_ = line_index_.find(hash_of(audience), [&](std::uint32_t at) { return lines_[at].audience == audience; });
  if (recent_line_ != kNoId) return recent_line_;
  recent_line_ = static_cast<std::uint32_t>(lines_.size());
  lines_.push_back({audience});
  line_index_.insert(recent_line_, hash_of(audience));
  return recent_line_;
}

void Packer::load(const Bucket& bucket, Family family) {
  const PrefixTable& prefixes = tables_.prefixes[family];
  nlri_.clear();
  for (std::uint32_t at = bucket.first; at != kNoId; at = items_[at].next) {
    const Destination& destination = items_[at].destination;
    nlri_.push_back({prefixes.prefix(destination.prefix), destination.path_id});
  }
}

void Packer::encode(const Bucket& bucket, const EncodeContext& context) {
  if (bucket.key.attributes != kNoId) {
    const bytes::View attributes = tables_.attributes[bucket.key.attributes].bytes();
    const NextHop& next_hop = tables_.next_hops[bucket.key.next_hop];
    const Result<std::size_t> count = encode_reach(context, attributes, next_hop, nlri_, out_.bytes);
    if (count.ok()) {
      out_.updates += *count;
      return;
    }
    // What does not fit (the export has seen to it that it does) must not be left as it was.
  }
  out_.updates += encode_withdraw(context, nlri_, out_.bytes);
}

// The packet may wait for long: it gets no more memory than it needs.
void Packer::seal(const Audience& audience, const Deliver& deliver) {
  if (out_.bytes.empty()) return;
  deliver(audience, std::make_shared<const std::string>(out_.bytes), out_.updates);
  out_.bytes.clear();
  out_.updates = 0;
}

void Packer::flush(Family family, const EncodeContext& context, const Deliver& deliver) {
  for (const Line& line : lines_) {
    const auto put = [&](std::uint32_t bucket) {
      load(buckets_[bucket], family);
      encode(buckets_[bucket], context);
      if (out_.bytes.size() >= kPacketSize) seal(line.audience, deliver);
    };
    // RFC 4271 §9.2.2.1 wants no order, but what is withdrawn first cannot lead into a loop.
    if (line.withdrawal != kNoId) put(line.withdrawal);
    for (std::uint32_t at = line.first; at != kNoId; at = buckets_[at].next) put(at);
    seal(line.audience, deliver);
  }
  clear();
}

void Packer::clear() {
  empty_out(items_);
  empty_out(buckets_);
  empty_out(lines_);
  empty_out(nlri_);
  if (out_.bytes.capacity() > 4 * kPacketSize) std::string().swap(out_.bytes);
  bucket_index_.clear();
  line_index_.clear();
  recent_bucket_ = recent_line_ = kNoId;
}

}  // namespace margay::bgp::rib
