// LaggingWatch: a Collector whose view is filled by watches that lag, each kind by itself. For tests.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "base/core/random.h"
#include "controllers/ipam/collector.h"

namespace margay::controllers {

using WatchedValue = std::variant<std::shared_ptr<const model::IpamBlock>, std::shared_ptr<const model::BlockAffinity>,
                                  std::shared_ptr<const model::IpamHandle>, std::shared_ptr<const model::Pod>,
                                  std::shared_ptr<const model::Node>, std::shared_ptr<const model::IpPool>>;

class LaggingWatch {
 public:
  explicit LaggingWatch(const CollectRules& rules) : collector_(std::make_unique<Collector>(rules)) {}

  // What happened, to be shown later.
  void publish(std::string name_space, std::string name, WatchedValue value, TimePoint at) {
    auto& changes = changes_[value.index()];
    changes.push_back({std::move(name_space), std::move(name), std::move(value), at});
  }
  // Some of one kind.
  void deliver_some(Random& random) {
    auto& queue = changes_[random.below(changes_.size())];
    for (std::uint64_t i = random.below(6); i > 0 && !queue.empty(); --i) deliver_first(queue);
  }
  // Of every kind what happened until then.
  void deliver_until(TimePoint until) {
    for (auto& queue : changes_) {
      while (!queue.empty() && queue.front().at <= until) deliver_first(queue);
    }
  }
  Collector& collector() { return *collector_; }
  IpamView& view() { return collector_->view(); }

  std::deque<Question> questions;  // not yet answered

 private:
  struct Change {
    std::string name_space, name;
    WatchedValue value;
    TimePoint at;
  };
  void deliver_first(std::deque<Change>& queue) {
    const Change change = std::move(queue.front());
    queue.pop_front();
    if (const auto* pod = std::get_if<std::shared_ptr<const model::Pod>>(&change.value)) {
      return view().set_pod(change.name_space, change.name, *pod);
    }
    std::visit(
        [&](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (!std::is_same_v<T, std::shared_ptr<const model::Pod>>) view().set(change.name, value);
        },
        change.value);
  }

  std::unique_ptr<Collector> collector_;
  std::array<std::deque<Change>, std::variant_size_v<WatchedValue>> changes_;  // by kind
};

}  // namespace margay::controllers
