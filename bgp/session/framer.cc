#include "bgp/session/framer.h"

#include <algorithm>
#include <utility>

namespace margay::bgp::session {

std::optional<DecodeError> Framer::feed(bytes::View bytes, const DecodeContext& context, const OnMessage& on_message) {
  bool goes_on = true;
  if (!half_.empty()) {
    if (auto error = finish_half(bytes, context, on_message, goes_on)) return error;
    if (!half_.empty()) return std::nullopt;
  }
  while (goes_on && !bytes.empty()) {
    auto header = decode_header(bytes, context);
    if (!header.ok()) return bad(bytes, std::move(header).error());
    if (!header.value() || (*header)->size > bytes.size()) break;
    const std::size_t size = (*header)->size;
    goes_on = on_message((*header)->type, bytes.first(size));
    bytes = bytes.subspan(size);
  }
  if (goes_on) half_.assign(bytes::text_of(bytes));
  return std::nullopt;
}

std::optional<DecodeError> Framer::finish_half(bytes::View& bytes, const DecodeContext& context,
                                               const OnMessage& on_message, bool& goes_on) {
  const auto take_up_to = [&](std::size_t size) {
    const std::size_t count = std::min(size - std::min(size, half_.size()), bytes.size());
    half_.append(bytes::text_of(bytes.first(count)));
    bytes = bytes.subspan(count);
  };
  take_up_to(kHeaderSize);
  auto header = decode_header(bytes::view_of(half_), context);
  if (!header.ok()) return bad(bytes::view_of(half_), std::move(header).error());
  if (!header.value()) return std::nullopt;
  const std::size_t size = (*header)->size;
  take_up_to(size);
  if (half_.size() < size) return std::nullopt;
  // Moved away first: what the message does may end this connection.
  std::string whole = std::exchange(half_, {});
  goes_on = on_message((*header)->type, bytes::view_of(whole));
  whole.clear();
  if (goes_on) half_ = std::move(whole);
  return std::nullopt;
}

DecodeError Framer::bad(bytes::View bytes, DecodeError error) {
  bad_bytes_.assign(bytes::text_of(bytes.first(std::min(bytes.size(), kHeaderSize))));
  return error;
}

}  // namespace margay::bgp::session
