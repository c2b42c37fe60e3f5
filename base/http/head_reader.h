// HeadReader: collects the head of a message (start line, fields, empty line) from pieces of any size, and no byte
// more.
//
// Line by line it refuses what parsers disagree about, the stuff of request smuggling: a line that ends in a bare LF,
// and a field continued on the next line (RFC 9112 sections 2.2, 5.2). Empty lines before a start line are skipped
// (2.2).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace margay::http {

class HeadReader {
 public:
  enum class State { kMore, kComplete, kTooLarge, kMalformed };

  explicit HeadReader(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Takes what belongs to the head from the front of `bytes`.
  State take(std::string_view& bytes);
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] bool has_begun() const { return !text_.empty(); }
  // Ready for the next head.
  void reset();

 private:
  State line_ended();

  std::size_t bytes_max_;
  std::string text_;
  std::size_t line_start_ = 0;
  std::size_t empty_lines_ = 0;
};

}  // namespace margay::http
