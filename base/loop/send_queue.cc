#include "base/loop/send_queue.h"

#include <utility>

namespace margay::loop {
namespace {

constexpr std::size_t kSmall = 4 * 1024;
constexpr std::size_t kJoinedMax = 32 * 1024;

}  // namespace

void SendQueue::push(std::string bytes) {
  if (bytes.empty()) return;
  size_ += bytes.size();
  if (bytes.size() <= kSmall && !strings_.empty() && strings_.back().size() + bytes.size() <= kJoinedMax) {
    strings_.back().append(bytes);
    return;
  }
  strings_.push_back(std::move(bytes));
}

std::size_t SendQueue::gather(iovec* pieces, std::size_t count) {
  std::size_t used = 0;
  for (std::string& string : strings_) {
    if (used == count) break;
    const std::size_t skip = used == 0 ? offset_ : 0;
    pieces[used++] = iovec{string.data() + skip, string.size() - skip};
  }
  return used;
}

void SendQueue::consume(std::size_t count) {
  size_ -= count;
  offset_ += count;
  while (!strings_.empty() && offset_ >= strings_.front().size()) {
    offset_ -= strings_.front().size();
    strings_.pop_front();
  }
}

void SendQueue::clear() {
  strings_.clear();
  offset_ = 0;
  size_ = 0;
}

}  // namespace margay::loop
