// MapDriver<Codec>: the elements a BPF map should have, those it has, and the difference put into the kernel in
// batches.
//
//   struct Codec {
//     using Key = IpAddress;             // ordered
//     using Value = …;                   // compared with ==
//     using RawKey = __u32;              // as the map has them; no padding
//     using RawValue = …;
//     static RawKey key_of(const Key&);
//     static RawValue value_of(const Value&);
//     static std::optional<std::pair<Key, Value>> read(const RawKey&, const RawValue&);  // nullopt: not ours to have
//     made
//   };
//
// Additions and removals are steps of their own, as their order against other maps matters. Elements that cannot be
// read stay as they are. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/delta/delta_tracker.h"
#include "dataplane/bpf/raw_map.h"
#include "dataplane/driver/driver.h"

namespace margay::bpf {

template <class Codec>
class MapDriver {
 public:
  using Key = typename Codec::Key;
  using Value = typename Codec::Value;
  using RawKey = typename Codec::RawKey;
  using RawValue = typename Codec::RawValue;
  static constexpr std::size_t kBatchMax = 4096;

  explicit MapDriver(RawMap& map) : map_(map) {}

  void set(const Key& key, Value value) { tracker_.set_desired(key, std::move(value)); }
  void remove(const Key& key) { tracker_.remove_desired(key); }
  [[nodiscard]] bool is_in_sync() const { return tracker_.is_in_sync(); }
  [[nodiscard]] std::size_t desired_count() const { return tracker_.desired_count(); }

  // Reads what the map has.
  Status resync() {
    std::map<Key, Value> found;
    MARGAY_RETURN_IF_ERROR(map_.walk([&](ByteView raw_key, ByteView raw_value) {
      auto element = Codec::read(from_bytes<RawKey>(raw_key), from_bytes<RawValue>(raw_value));
      if (element) found.insert(std::move(*element));
    }));
    tracker_.replace_all_actual(std::move(found));
    return ok_status();
  }

  // What is missing or different; the first error ends it, the rest stays pending.
  Status apply_updates(std::size_t& updated) {
    while (tracker_.pending_updates() > 0) {
      const std::size_t before = tracker_.pending_updates();
      Batch batch = next_batch();
      const auto count = static_cast<std::uint32_t>(batch.keys.size());
      MARGAY_RETURN_IF_ERROR(
          map_.put(std::as_bytes(std::span(batch.keys)), std::as_bytes(std::span(batch.values)), count));
      std::size_t left = batch.keys.size();
      tracker_.apply_updates(
          [&](const Key&, const Value&, const Value*) { return left-- > 0 ? Outcome::kApplied : Outcome::kStop; });
      updated += before - tracker_.pending_updates();
    }
    return ok_status();
  }

  Status apply_removes(std::size_t& removed) {
    Status status = ok_status();
    const std::size_t before = tracker_.pending_removes();
    tracker_.apply_removes([&](const Key& key, const Value&) {
      const RawKey raw = Codec::key_of(key);
      status = map_.remove(std::as_bytes(std::span(&raw, 1)));
      return status.ok() ? Outcome::kApplied : Outcome::kStop;
    });
    removed += before - tracker_.pending_removes();
    return status;
  }

 private:
  struct Batch {
    std::vector<RawKey> keys;
    std::vector<RawValue> values;
  };
  // The first of what is pending, which stays so.
  Batch next_batch() {
    Batch batch;
    tracker_.apply_updates([&](const Key& key, const Value& value, const Value*) {
      if (batch.keys.size() == kBatchMax) return Outcome::kStop;
      batch.keys.push_back(Codec::key_of(key));
      batch.values.push_back(Codec::value_of(value));
      return Outcome::kFailed;
    });
    return batch;
  }
  template <class T>
  static T from_bytes(ByteView bytes) {
    T out{};
    std::memcpy(&out, bytes.data(), std::min(sizeof(T), bytes.size()));
    return out;
  }

  RawMap& map_;
  DeltaTracker<Key, Value> tracker_;
};

}  // namespace margay::bpf
