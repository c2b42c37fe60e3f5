#include "base/http/body_reader.h"

#include <algorithm>

#include "base/http/hex.h"

namespace margay::http {
namespace {

constexpr std::size_t kSizeDigitsMax = 15;  // below 2^60
// Extensions and trailers may take this much more than the content pays for: every content byte pays for one, up to the
// limit, and every chunk for its own size line.
constexpr std::size_t kOverheadMax = 16 * 1024;
constexpr std::size_t kPaidPerChunk = 32;

bool is_text(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); }

}  // namespace

BodyReader::BodyReader(Framing framing) : left_(framing.length) {
  switch (framing.kind) {
    case Framing::Kind::kNone: state_ = State::kComplete; break;
    case Framing::Kind::kLength: state_ = framing.length == 0 ? State::kComplete : State::kLength; break;
    case Framing::Kind::kChunked: state_ = State::kSizeStart; break;
    case Framing::Kind::kUntilClose: state_ = State::kUntilClose; break;
  }
}

Result<std::string_view> BodyReader::next(std::string_view& bytes) {
  while (!bytes.empty() && state_ != State::kComplete) {
    if (state_ == State::kLength) return data(bytes, State::kComplete);
    if (state_ == State::kData) return data(bytes, State::kDataCr);
    if (state_ == State::kUntilClose) {
      const std::string_view piece = bytes;
      bytes = {};
      return piece;
    }
    if (!frame(bytes.front())) return invalid("malformed chunked body");
    if (!spend()) return invalid("chunk extensions or trailers are over the limit");
    bytes.remove_prefix(1);
  }
  return std::string_view();
}

std::string_view BodyReader::data(std::string_view& bytes, State after) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  const std::string_view piece = bytes.substr(0, count);
  bytes.remove_prefix(count);
  left_ -= count;
  overhead_ -= std::min(overhead_, count);
  if (left_ == 0) state_ = after;
  return piece;
}

bool BodyReader::spend() { return ++overhead_ <= kOverheadMax; }

bool BodyReader::size_digit(char c) {
  const int value = hex_value(c);
  if (value < 0 || ++digits_ > kSizeDigitsMax) return false;
  left_ = left_ * 16 + static_cast<std::uint64_t>(value);
  state_ = State::kSize;
  return true;
}

bool BodyReader::after_size(char c) {
  if (c == '\r') {
    state_ = State::kSizeLf;
    return true;
  }
  if (state_ == State::kSizeExtension) return is_text(c);
  if (c == ';') {
    state_ = State::kSizeExtension;
    return true;
  }
  const bool is_blank = c == ' ' || c == '\t';
  // "1 2" is 1 to one reader and 12 to another.
  if (state_ == State::kSize && !is_blank) return size_digit(c);
  state_ = State::kSizeBlank;
  return is_blank;
}

bool BodyReader::frame(char c) {
  const auto expect = [&](char wanted, State then) {
    state_ = then;
    return c == wanted;
  };
  switch (state_) {
    case State::kSizeStart:
      left_ = 0;
      digits_ = 0;
      overhead_ -= std::min(overhead_, kPaidPerChunk);
      return size_digit(c);
    case State::kSize:
    case State::kSizeBlank:
    case State::kSizeExtension: return after_size(c);
    case State::kSizeLf: return expect('\n', left_ == 0 ? State::kTrailerStart : State::kData);
    case State::kDataCr: return expect('\r', State::kDataLf);
    case State::kDataLf: return expect('\n', State::kSizeStart);
    case State::kTrailerStart: state_ = c == '\r' ? State::kEndLf : State::kTrailer; return c == '\r' || is_text(c);
    case State::kTrailer:
      if (c == '\r') state_ = State::kTrailerLf;
      return c == '\r' || is_text(c);
    case State::kTrailerLf: return expect('\n', State::kTrailerStart);
    case State::kEndLf: return expect('\n', State::kComplete);
    case State::kComplete:
    case State::kLength:
    case State::kUntilClose:
    case State::kData: break;
  }
  return false;
}

}  // namespace margay::http
