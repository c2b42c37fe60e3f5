#include "bgp/session/turn_queue.h"

#include <utility>

namespace margay::bgp::session {

void TurnQueue::add(Work work) {
  line_.push_back(std::move(work));
  schedule();
}

void TurnQueue::schedule() {
  if (std::exchange(is_scheduled_, true)) return;
  loop_.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) run();
  });
}

void TurnQueue::run() {
  is_scheduled_ = false;
  const std::weak_ptr<bool> alive = alive_;
  const TimePoint end = loop_.now() + budget_;
  for (std::size_t left = line_.size(); left > 0 && !line_.empty(); --left) {
    Work work = std::move(line_.front());
    line_.pop_front();
    const bool has_more = work();
    if (alive.expired()) return;
    if (has_more) line_.push_back(std::move(work));
    if (loop_.now() >= end) break;
  }
  if (!line_.empty()) schedule();
}

}  // namespace margay::bgp::session
