// AttributeStore: each distinct attribute set once, in one allocation: its canonical bytes with what the decision and
// the export ask of them, read once. Numbers are counted references: intern() gives one, retain() another, release()
// takes one back, and the last frees the set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes/reader.h"
#include "bgp/rib/id_index.h"
#include "bgp/rib/ids.h"
#include "bgp/rib/keyed_hash.h"
#include "bgp/rib/paged_vector.h"
#include "bgp/wire/attributes.h"

namespace margay::bgp::rib {

inline constexpr std::uint32_t kDefaultLocalPref = 100;

// The bytes follow it in memory.
struct AttributeRecord {
  enum Flag : std::uint16_t {
    kHasLocalPref = 1 << 0,
    kHasMed = 1 << 1,
    kHasOriginator = 1 << 2,
    kNoExport = 1 << 3,  // or NO_EXPORT_SUBCONFED, the same without confederations
    kNoAdvertise = 1 << 4,
    kGracefulShutdown = 1 << 5,
    kLlgrStale = 1 << 6,
    kNoLlgr = 1 << 7,
    kHasClusterList = 1 << 8,
  };

  std::uint32_t references = 0;
  std::uint32_t size = 0;  // of the bytes
  std::uint32_t local_pref = kDefaultLocalPref;
  std::uint32_t med = 0;            // RFC 4271 §9.1.2.2: none is the lowest
  std::uint32_t neighbour_asn = 0;  // first of the path; 0: an empty one
  std::uint32_t originator_id = 0;
  // The set that export made of this one, a reference, and by which rewriting: relaying a table in any order asks for
  // it again and again.
  AttributeId rewritten = kNoId;
  std::uint32_t rewritten_by = 0;
  std::uint16_t path_length = 0;  // no longer than 65535
  std::uint16_t flags = 0;
  std::uint8_t cluster_list_length = 0;  // no longer than 255
  Origin origin = Origin::kIncomplete;

  [[nodiscard]] bool has(Flag flag) const { return (flags & flag) != 0; }
  [[nodiscard]] bytes::View bytes() const { return {reinterpret_cast<const std::uint8_t*>(this + 1), size}; }
  [[nodiscard]] AttributeView view() const { return AttributeView(bytes()); }
};

static_assert(sizeof(AttributeRecord) == 40, "there are hundreds of thousands");

class AttributeStore {
 public:
  AttributeStore() = default;
  ~AttributeStore();
  AttributeStore(const AttributeStore&) = delete;
  AttributeStore& operator=(const AttributeStore&) = delete;

  AttributeId intern(bytes::View canonical);
  // The same, when it may well be what `guess` (or kNoId) stands for.
  AttributeId intern(bytes::View canonical, AttributeId guess);
  void retain(AttributeId id) { ++records_[id]->references; }
  void release(AttributeId id) {
    if (--records_[id]->references == 0) remove(id);
  }

  const AttributeRecord& operator[](AttributeId id) const { return *records_[id]; }

  // What `from` was rewritten to by rewriting number `by` when it was last rewritten; kNoId: something else.
  [[nodiscard]] AttributeId rewritten(AttributeId from, std::uint32_t by) const {
    return records_[from]->rewritten_by == by ? records_[from]->rewritten : kNoId;
  }
  // Remembers it as long as `from` is there. Rewritings must not lead back to where they began.
  void set_rewritten(AttributeId from, std::uint32_t by, AttributeId to);
  [[nodiscard]] std::size_t size() const { return ids_.used(); }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  [[nodiscard]] std::uint32_t hash_of(bytes::View canonical) const {
    return static_cast<std::uint32_t>(hash_bytes(canonical, key_));
  }
  void remove(AttributeId id);

  HashKey key_;

  PagedVector<AttributeRecord*> records_;
  IdAllocator ids_;
  IdIndex index_;
  std::size_t bytes_ = 0;
};

}  // namespace margay::bgp::rib
