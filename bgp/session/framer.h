// Framer: cuts the bytes of a connection into messages. Whole messages are handed on where they lie; only what is cut
// off by the end of a read is kept and joined with what follows.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/bytes/reader.h"
#include "bgp/wire/decode.h"

namespace margay::bgp::session {

class Framer {
 public:
  // Gets one message, header included; false: stop, the connection is gone.
  using OnMessage = std::function<bool(MessageType type, bytes::View message)>;

  // `context` is looked at again for each message, since one may change it. The error is that of the first bad header;
  // nothing after it can be understood.
  std::optional<DecodeError> feed(bytes::View bytes, const DecodeContext& context, const OnMessage& on_message);

  // The bytes of the header that was bad.
  [[nodiscard]] const std::string& bad_bytes() const { return bad_bytes_; }

 private:
  // Joins the kept half with the front of `bytes` and hands it on once whole.
  std::optional<DecodeError> finish_half(bytes::View& bytes, const DecodeContext& context, const OnMessage& on_message,
                                         bool& goes_on);
  DecodeError bad(bytes::View bytes, DecodeError error);

  std::string half_;
  std::string bad_bytes_;
};

}  // namespace margay::bgp::session
