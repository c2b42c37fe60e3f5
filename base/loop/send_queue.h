// SendQueue: bytes waiting for the kernel, in the strings they came in. Small pieces are joined so that a burst of them
// is one system call; large ones are never copied.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <deque>
#include <string>

namespace margay::loop {

class SendQueue {
 public:
  void push(std::string bytes);
  // Fills at most `count` pieces from the front; gives how many.
  std::size_t gather(iovec* pieces, std::size_t count);
  // So many bytes from the front have gone.
  void consume(std::size_t count);
  void clear();
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool is_empty() const { return size_ == 0; }

 private:
  std::deque<std::string> strings_;
  std::size_t offset_ = 0;  // gone from the first string
  std::size_t size_ = 0;
};

}  // namespace margay::loop
