#include "base/http/head_reader.h"

namespace margay::http {
namespace {

constexpr std::size_t kEmptyLinesMax = 4;

}  // namespace

HeadReader::State HeadReader::take(std::string_view& bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::size_t count = end == std::string_view::npos ? bytes.size() : end + 1;
    if (text_.size() + count > bytes_max_) return State::kTooLarge;
    text_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
    if (end == std::string_view::npos) return State::kMore;
    const State state = line_ended();
    if (state != State::kMore) return state;
  }
  return State::kMore;
}

HeadReader::State HeadReader::line_ended() {
  const std::size_t length = text_.size() - line_start_;
  if (length < 2 || text_[text_.size() - 2] != '\r') return State::kMalformed;
  const bool is_first = line_start_ == 0;
  if (length == 2) {
    if (!is_first) return State::kComplete;
    text_.clear();
    return ++empty_lines_ > kEmptyLinesMax ? State::kMalformed : State::kMore;
  }
  if (!is_first && (text_[line_start_] == ' ' || text_[line_start_] == '\t')) return State::kMalformed;
  line_start_ = text_.size();
  return State::kMore;
}

void HeadReader::reset() {
  text_.clear();
  line_start_ = 0;
  empty_lines_ = 0;
}

}  // namespace margay::http
