// The buffer that all streams of one network read into: bytes live in it only during on_data, so that an idle
// connection costs no buffer.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace margay::loop {

class ReadBuffer {
 public:
  static constexpr std::size_t kSize = 256 * 1024;
  [[nodiscard]] char* data() { return bytes_.get(); }
  [[nodiscard]] std::string_view first(std::size_t count) const { return {bytes_.get(), count}; }

 private:
  std::unique_ptr<char[]> bytes_{new char[kSize]};
};

}  // namespace margay::loop
