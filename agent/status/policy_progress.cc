#include "agent/status/policy_progress.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"

namespace margay::status {

void PolicyProgress::note(const model::ObjectKey& key, const model::ObjectMeta* metadata) {
  if (metadata == nullptr) {
    generations_.erase(key);
    return;
  }
  const auto version = parse_number<std::uint64_t>(metadata->resource_version);
  std::uint64_t* const seen = seen_.of(key.kind);
  if (!version || seen == nullptr) return;
  *seen = std::max(*seen, *version);
  const auto [at, is_new] = generations_.try_emplace(key, metadata->generation);
  const bool is_other = std::exchange(at->second, metadata->generation) != metadata->generation;
  has_seen_news_ = has_seen_news_ || is_new || is_other;
}

void PolicyProgress::sent(std::uint64_t batch) {
  if (steps_.empty() || steps_.back().batch != batch) steps_.push_back({batch, {}, false});
  steps_.back().versions = seen_;
  steps_.back().is_news = std::exchange(has_seen_news_, false) || steps_.back().is_news;
}

void PolicyProgress::written(std::uint64_t batch) {
  while (!steps_.empty() && steps_.front().batch <= batch) {
    in_kernel_ = steps_.front().versions;
    is_news_ = is_news_ || steps_.front().is_news;
    steps_.pop_front();
  }
}

}  // namespace margay::status
