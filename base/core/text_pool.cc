#include "base/core/text_pool.h"

#include <algorithm>

namespace margay {

SharedText TextPool::share(std::string_view text) {
  if (text.empty()) return {};
  if (const auto found = texts_.find(text); found != texts_.end()) return *found;
  make_room();
  return *texts_.insert(SharedText(text)).first;
}

StringMap TextPool::share(const StringMap& map) {
  if (map.empty()) return {};
  const auto found = texts_.find(map.storage_.view());
  if (found != texts_.end()) return StringMap(*found);
  make_room();
  return StringMap(*texts_.insert(map.storage_).first);
}

void TextPool::make_room() {
  if (texts_.size() < sweep_at_) return;
  absl::erase_if(texts_, [](const SharedText& held) { return held.is_unshared(); });
  sweep_at_ = std::max(kSweepMin, texts_.size() * 2);
}

}  // namespace margay
