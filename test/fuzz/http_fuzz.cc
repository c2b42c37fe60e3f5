// HTTP: however the bytes are cut into pieces, the same messages come out; what was read can be written and is then
// read as the same. The first byte chooses the cuts, the rest are the bytes of a connection.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/check.h"
#include "base/core/random.h"
#include "base/core/text.h"
#include "base/http/codec.h"
#include "base/http/head_reader.h"

namespace {

namespace http = margay::http;

constexpr std::size_t kHeadBytesMax = 4096;

// What a connection carried, as far as it could be understood.
struct Messages {
  std::vector<std::string> heads;
  std::vector<std::string> bodies;
  std::string end;  // why no more: "more", "malformed head", …

  friend bool operator==(const Messages&, const Messages&) = default;
};

// The framing of the body after this head, or why there is none.
struct Framed {
  std::string problem;
  http::Framing framing;
};

Framed frame_request(std::string_view head) {
  const auto parsed = http::parse_request_head(head);
  if (!parsed.ok()) {
    MARGAY_CHECK(parsed.error().status >= 400 && !parsed.error().message.empty());
    return {"bad request", {}};
  }
  MARGAY_CHECK(parsed->framing.kind != http::Framing::Kind::kUntilClose);
  return {"", parsed->framing};
}

Framed frame_response(std::string_view head) {
  const auto parsed = http::parse_response_head(head, "GET");
  if (!parsed.ok()) return {"bad response", {}};
  MARGAY_CHECK(http::allows_body(parsed->head.status) || parsed->framing.kind == http::Framing::Kind::kNone);
  return {"", parsed->framing};
}

// Reads messages from pieces.
class Reader {
 public:
  explicit Reader(Framed (*frame)(std::string_view)) : frame_(frame) {}

  void take(std::string_view piece) {
    while (messages_.end.empty() && (!piece.empty() || body_.is_complete())) {
      const std::size_t before = piece.size();
      is_in_body_ ? take_body(piece) : take_head(piece);
      if (piece.size() == before && piece.empty()) return;
    }
  }
  [[nodiscard]] const Messages& messages() const { return messages_; }

 private:
  void take_head(std::string_view& piece) {
    switch (head_.take(piece)) {
      case http::HeadReader::State::kMore: MARGAY_CHECK(piece.empty()); return;
      case http::HeadReader::State::kTooLarge: messages_.end = "too large"; return;
      case http::HeadReader::State::kMalformed: messages_.end = "malformed head"; return;
      case http::HeadReader::State::kComplete: break;
    }
    MARGAY_CHECK(head_.text().size() <= kHeadBytesMax);
    messages_.heads.emplace_back(head_.text());
    const Framed framed = frame_(head_.text());
    head_.reset();
    messages_.end = framed.problem;
    body_ = http::BodyReader(framed.framing);
    messages_.bodies.emplace_back();
    is_in_body_ = true;
  }

  void take_body(std::string_view& piece) {
    if (body_.is_complete()) {
      is_in_body_ = false;
      return;
    }
    const auto part = body_.next(piece);
    if (!part.ok()) {
      messages_.end = "malformed body";
    } else {
      messages_.bodies.back().append(*part);
    }
  }

  Framed (*frame_)(std::string_view);
  http::HeadReader head_{kHeadBytesMax};
  http::BodyReader body_;
  bool is_in_body_ = false;
  Messages messages_;
};

Messages read(std::string_view bytes, Framed (*frame)(std::string_view), std::uint64_t piece_max, std::uint64_t seed) {
  Reader reader(frame);
  margay::SeededRandom random(seed);
  while (!bytes.empty()) {
    const std::size_t size = std::min<std::size_t>(bytes.size(), 1 + random.below(piece_max));
    reader.take(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return reader.messages();
}

void check_request_again(std::string_view head) {
  const auto parsed = http::parse_request_head(head);
  if (!parsed.ok()) return;
  const auto text = http::format_request_head(parsed->request, "fuzz");
  if (!text.ok()) return;
  const auto again = http::parse_request_head(*text);
  MARGAY_CHECK(again.ok());
  MARGAY_CHECK(again->request.method == parsed->request.method && again->request.target == parsed->request.target);
  (void)http::parse_target(parsed->request.target);
}

void check_response_again(std::string_view head) {
  const auto parsed = http::parse_response_head(head, "GET");
  if (!parsed.ok()) return;
  const auto again = http::parse_response_head(
      http::format_response_head(parsed->head, parsed->framing, parsed->is_keep_alive), "GET");
  MARGAY_CHECK(again.ok() && again->head.status == parsed->head.status && again->framing == parsed->framing);
}

void check_escapes(std::string_view text) {
  const auto decoded = http::percent_decode(http::percent_encode(text));
  MARGAY_CHECK(decoded.ok() && *decoded == text);
  (void)http::percent_decode(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint64_t seed = data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  for (auto* frame : {frame_request, frame_response}) {
    const Messages whole = read(bytes, frame, bytes.size() + 1, seed);
    MARGAY_CHECK(read(bytes, frame, 1, seed) == whole);
    MARGAY_CHECK(read(bytes, frame, 1 + seed, seed) == whole);
    for (const std::string& head : whole.heads) {
      check_request_again(head);
      check_response_again(head);
    }
  }
  check_escapes(bytes);
  return 0;
}
