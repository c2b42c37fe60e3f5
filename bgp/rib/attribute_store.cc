#include "bgp/rib/attribute_store.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

namespace margay::bgp::rib {
namespace {

std::uint32_t u32_at(bytes::View value, std::size_t offset) {
  return std::uint32_t{value[offset]} << 24 | std::uint32_t{value[offset + 1]} << 16 |
         std::uint32_t{value[offset + 2]} << 8 | std::uint32_t{value[offset + 3]};
}

template <class T>
T narrow(std::size_t count) {
  return static_cast<T>(std::min<std::size_t>(count, std::numeric_limits<T>::max()));
}

std::uint16_t flag_of_community(std::uint32_t community) {
  switch (community) {
    case kNoExport:
    case kNoExportSubconfed: return AttributeRecord::kNoExport;
    case kNoAdvertise: return AttributeRecord::kNoAdvertise;
    case kGracefulShutdown: return AttributeRecord::kGracefulShutdown;
    case kLlgrStale: return AttributeRecord::kLlgrStale;
    case kNoLlgr: return AttributeRecord::kNoLlgr;
    default: return 0;
  }
}

void note(AttributeRecord& record, AttributeType type, bytes::View value) {
  if (type == AttributeType::kOrigin) {
    record.origin = static_cast<Origin>(value[0]);
  } else if (type == AttributeType::kAsPath) {
    const AsPathView path(value);
    record.path_length = narrow<std::uint16_t>(path.length());
    record.neighbour_asn = path.first().value_or(Asn(0)).value();
  } else if (type == AttributeType::kMultiExitDisc) {
    record.med = u32_at(value, 0);
    record.flags |= AttributeRecord::kHasMed;
  } else if (type == AttributeType::kLocalPref) {
    record.local_pref = u32_at(value, 0);
    record.flags |= AttributeRecord::kHasLocalPref;
  } else if (type == AttributeType::kCommunities) {
    for (std::size_t at = 0; at + 4 <= value.size(); at += 4) record.flags |= flag_of_community(u32_at(value, at));
  } else if (type == AttributeType::kOriginatorId) {
    record.originator_id = u32_at(value, 0);
    record.flags |= AttributeRecord::kHasOriginator;
  } else if (type == AttributeType::kClusterList) {
    record.cluster_list_length = narrow<std::uint8_t>(value.size() / 4);
    record.flags |= AttributeRecord::kHasClusterList;
  }
}

// The canonical form is trusted (attributes.h); what would run past the end stops the walk.
void read_attributes(AttributeRecord& record) {
  bytes::View rest = record.bytes();
  while (rest.size() >= 3) {
    const bool is_extended = (rest[0] & kFlagExtendedLength) != 0;
    const std::size_t header = is_extended ? 4 : 3;
    if (rest.size() < header) return;
    const std::size_t size = is_extended ? std::size_t{rest[2]} << 8 | rest[3] : rest[2];
    if (rest.size() < header + size) return;
    note(record, static_cast<AttributeType>(rest[1]), rest.subspan(header, size));
    rest = rest.subspan(header + size);
  }
}

AttributeRecord* make_record(bytes::View canonical) {
  void* memory = ::operator new(sizeof(AttributeRecord) + canonical.size());
  auto* record = new (memory) AttributeRecord;
  record->size = static_cast<std::uint32_t>(canonical.size());
  if (!canonical.empty()) std::memcpy(record + 1, canonical.data(), canonical.size());
  read_attributes(*record);
  return record;
}

bool equal(bytes::View a, bytes::View b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace

AttributeStore::~AttributeStore() {
  for (std::uint32_t id = 0; id < ids_.limit(); ++id) {
    if (records_[id] != nullptr) ::operator delete(records_[id]);
  }
}

AttributeId AttributeStore::intern(bytes::View canonical) { return intern(canonical, kNoId); }

AttributeId AttributeStore::intern(bytes::View canonical, AttributeId guess) {
  if (guess != kNoId && equal(records_[guess]->bytes(), canonical)) {
    retain(guess);
    return guess;
  }
  const std::uint32_t hash = hash_of(canonical);
  const AttributeId found = index_.find(hash, [&](AttributeId id) { return equal(records_[id]->bytes(), canonical); });
  if (found != kNoId) {
    retain(found);
    return found;
  }
  const AttributeId id = ids_.allocate();
  records_.reach(id);
  records_[id] = make_record(canonical);
  records_[id]->references = 1;
  bytes_ += sizeof(AttributeRecord) + canonical.size();
  index_.insert(id, hash);
  return id;
}

void AttributeStore::set_rewritten(AttributeId from, std::uint32_t by, AttributeId to) {
  AttributeRecord& record = *records_[from];
  retain(to);
  const AttributeId before = record.rewritten;
  record.rewritten = to;
  record.rewritten_by = by;
  if (before != kNoId) release(before);
}

void AttributeStore::remove(AttributeId id) {
  AttributeRecord* record = records_[id];
  const AttributeId rewritten = record->rewritten;
  index_.erase(id, hash_of(record->bytes()));
  bytes_ -= sizeof(AttributeRecord) + record->size;
  ::operator delete(record);
  records_[id] = nullptr;
  if (ids_.release(id)) records_.clear();
  if (rewritten != kNoId) release(rewritten);
}

std::size_t AttributeStore::memory_bytes() const {
  return bytes_ + records_.memory_bytes() + ids_.memory_bytes() + index_.memory_bytes();
}

}  // namespace margay::bgp::rib
