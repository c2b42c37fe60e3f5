#include "base/loop/worker.h"

#include <system_error>
#include <utility>

#include "base/core/check.h"

namespace margay::loop {

Worker::~Worker() {
  if (current_ != nullptr && current_->thread.joinable()) current_->thread.join();
}

void Worker::run(Task job, Task done) {
  MARGAY_CHECK(!is_busy());
  current_ = std::make_shared<Current>();
  current_->done = std::move(done);
  auto shared = std::make_shared<Task>(std::move(job));
  // Looked at on the loop's thread alone: wait() or the destructor may have been there first.
  const auto over = [this, of = std::weak_ptr<Current>(current_)] {
    if (!of.expired()) finish();
  };
  const auto work = [&loop = loop_, shared, over] {
    (*shared)();
    *shared = nullptr;
    loop.post(over);
  };
  try {
    current_->thread = std::thread(work);
  } catch (const std::system_error&) {
    work();
  }
}

void Worker::finish() {
  const std::shared_ptr<Current> current = std::exchange(current_, nullptr);
  if (current->thread.joinable()) current->thread.join();
  current->done();
}

void Worker::wait() {
  if (is_busy()) finish();
}

}  // namespace margay::loop
