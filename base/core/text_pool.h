// TextPool: makes equal texts share their storage. Holds what it has given out until a sweep finds nobody else using
// it; sweeps come as the pool grows, so that what is no longer used is at most about as much as what is. One thread;
// the texts it gives may go to others.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "base/core/shared_text.h"
#include "base/core/string_map.h"

namespace margay {

class TextPool {
 public:
  SharedText share(std::string_view text);
  StringMap share(const StringMap& map);
  [[nodiscard]] std::size_t size() const { return texts_.size(); }

 private:
  void make_room();

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return a == b; }
  };
  static constexpr std::size_t kSweepMin = 1024;

  absl::flat_hash_set<SharedText, Hash, Equal> texts_;
  std::size_t sweep_at_ = kSweepMin;
};

}  // namespace margay
