#include "dataplane/conntrack/background_conntrack.h"

#include <utility>

namespace margay::conntrack {

BackgroundConntrack::BackgroundConntrack(loop::Loop& loop, std::unique_ptr<netlink::Netlink> kernel, Task on_done)
    : walk_(std::make_shared<Walk>(std::move(kernel))), on_done_(std::move(on_done)), worker_(loop) {}

dataplane::ApplyReport BackgroundConntrack::apply(TimePoint now) {
  if (worker_.is_busy()) return {};
  dataplane::ApplyReport report = std::exchange(walk_->report, {});
  retry_at_ = report.failed > 0 ? report.try_again_at : retry_at_;
  const bool is_more = !waiting_.empty();
  for (const IpAddress& address : waiting_) walk_->driver.flush(address);
  waiting_.clear();
  if (walk_->driver.due().empty()) return report;
  if (is_more || !retry_at_ || *retry_at_ <= now) {
    retry_at_.reset();
    worker_.run([walk = walk_, now] { walk->report = walk->driver.apply(now); }, [this] { on_done_(); });
    // Without a thread it has been done already, and nobody will say so.
    if (!worker_.is_busy()) report = std::exchange(walk_->report, {});
    if (!worker_.is_busy() && report.failed > 0) retry_at_ = report.try_again_at;
  }
  report.try_again_at = retry_at_;
  return report;
}

}  // namespace margay::conntrack
