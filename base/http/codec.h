// Heads of HTTP/1.1 messages: from text to values and back (RFC 9110, RFC 9112). Reading is Boost.Beast's parser;
// bodies are body_reader.h.
//
// Refused, because two readers of the same bytes could disagree where a message ends: Content-Length together with
// Transfer-Encoding, differing Content-Lengths, a transfer coding other than chunked, any of it in HTTP/1.0 together
// with Transfer-Encoding.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/http/body_reader.h"
#include "base/http/message.h"

namespace margay::http {

struct ParsedRequest {
  Request request;  // the target in origin form; without its body
  Framing framing;
  bool is_keep_alive = true;
  bool is_http_1_0 = false;
  bool expects_continue = false;
};

struct ParsedResponse {
  ResponseHead head;
  Framing framing;
  bool is_keep_alive = true;
};

// What to answer to a head that cannot be taken.
struct RequestError {
  int status = 400;
  std::string message;
};

// `text` as HeadReader collected it.
Result<ParsedRequest, RequestError> parse_request_head(std::string_view text);
// Of the answer to a request with this method: to HEAD there is no body.
Result<ParsedResponse> parse_response_head(std::string_view text, std::string_view method);

// kInvalid: the method, target or a field cannot be written without changing the message's meaning.
Result<std::string> format_request_head(const Request& request, std::string_view host);
// Fields about framing and the connection come from `framing` and `is_keep_alive`; such fields in the head are left
// out, and so are fields with characters that have no place in one. kUntilClose writes no framing field.
std::string format_response_head(const ResponseHead& head, const Framing& framing, bool is_keep_alive);
// What precedes a chunk of so many bytes; CRLF follows it.
std::string format_chunk_size(std::size_t size);
// Whether an answer with this status can have a body.
bool allows_body(int status);
// May be repeated without changing anything (RFC 9110 section 9.2.1).
bool is_safe_method(std::string_view method);

}  // namespace margay::http
