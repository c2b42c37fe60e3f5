#include "base/http/codec.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <utility>

#include "base/core/text.h"

namespace margay::http {
namespace {

constexpr int kStatusMin = 100;

namespace beast = boost::beast;
using BeastError = beast::error_code;
using BeastView = beast::string_view;

std::string_view view(BeastView text) { return {text.data(), text.size()}; }

// Beast's parser with the fields going straight into ours. Never fed more than a head.
template <bool is_request>
class HeadParser final : public beast::http::basic_parser<is_request> {
 public:
  explicit HeadParser(std::string_view text) {
    this->header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(text.size() + 1, UINT32_MAX)));
    this->body_limit(boost::none);
    this->eager(false);
    this->put({text.data(), text.size()}, error);
    if (!error && !this->is_header_done()) error = beast::http::error::partial_message;
  }

  BeastError error;
  std::string method;
  std::string target;
  int status = 0;
  int version = 0;
  Headers headers;
  bool has_other_coding = false;
  bool has_coding = false;
  int hosts = 0;

 private:
  void on_request_impl(beast::http::verb, BeastView method_text, BeastView target_text, int version_number,
                       BeastError&) override {
    method = view(method_text);
    target = view(target_text);
    version = version_number;
  }
  void on_response_impl(int code, BeastView, int version_number, BeastError&) override {
    status = code;
    version = version_number;
  }
  void on_field_impl(beast::http::field field, BeastView name, BeastView value, BeastError&) override {
    if (field == beast::http::field::transfer_encoding) {
      has_coding = true;
      has_other_coding = has_other_coding || !equals_ignoring_case(view(value), "chunked");
    }
    if (field == beast::http::field::host) ++hosts;
    headers.add(std::string(view(name)), std::string(view(value)));
  }
  void on_header_impl(BeastError&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, BeastError&) override {}
  std::size_t on_body_impl(BeastView body, BeastError&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, BeastView, BeastError&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView body, BeastError&) override { return body.size(); }
  void on_finish_impl(BeastError&) override {}
};

// Whether one of the Connection fields has this option (RFC 9110 section 7.6.1: a list, of any number of fields).
bool has_connection_option(const Headers& headers, std::string_view option) {
  for (const auto& [name, value] : headers) {
    if (!equals_ignoring_case(name, "Connection")) continue;
    for (const std::string_view each : split(value, ',')) {
      if (equals_ignoring_case(trim(each), option)) return true;
    }
  }
  return false;
}

// RFC 9112 section 9.3: close wins.
bool is_persistent(const Headers& headers, bool is_http_1_0) {
  if (has_connection_option(headers, "close")) return false;
  return !is_http_1_0 || has_connection_option(headers, "keep-alive");
}

template <bool is_request>
Framing framing_of(const HeadParser<is_request>& parser, Framing::Kind without_any) {
  if (parser.chunked()) return {Framing::Kind::kChunked, 0};
  if (const auto length = parser.content_length()) return {Framing::Kind::kLength, *length};
  return {without_any, 0};
}

// RFC 9112 section 3.2.2: a server takes the absolute form too; its path and query are what counts here.
bool to_origin_form(std::string& target, std::string_view method) {
  if (target.starts_with('/')) return true;
  if (target == "*") return method == "OPTIONS";
  if (!equals_ignoring_case(std::string_view(target).substr(0, 7), "http://")) return false;
  const std::size_t path = target.find_first_of("/?", 7);
  std::string origin = path == std::string::npos ? "" : target.substr(path);
  if (!origin.starts_with('/')) origin.insert(0, "/");
  target = std::move(origin);
  return true;
}

int status_of(const BeastError& error) { return error == beast::http::error::bad_version ? 505 : 400; }

bool is_token_character(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kOthers.find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); });
}

bool is_target(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
}

bool is_framing_field(std::string_view name) {
  return equals_ignoring_case(name, "Content-Length") || equals_ignoring_case(name, "Transfer-Encoding") ||
         equals_ignoring_case(name, "Connection");
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

bool wants_length(std::string_view method) { return method == "POST" || method == "PUT" || method == "PATCH"; }

}  // namespace

Result<ParsedRequest, RequestError> parse_request_head(std::string_view text) {
  HeadParser<true> parser(text);
  if (parser.error) return RequestError{status_of(parser.error), concat("malformed request: ", parser.error.message())};
  const bool is_http_1_0 = parser.version < 11;
  if (parser.has_other_coding) return RequestError{501, "the only transfer coding understood is chunked"};
  if (is_http_1_0 && parser.has_coding) return RequestError{400, "Transfer-Encoding in HTTP/1.0"};
  if (parser.hosts > 1 || (parser.hosts == 0 && !is_http_1_0)) return RequestError{400, "one Host field is needed"};
  if (!to_origin_form(parser.target, parser.method)) return RequestError{400, "the target is not a path"};
  ParsedRequest parsed;
  const std::string_view expect = parser.headers.get("Expect");
  if (!expect.empty() && !equals_ignoring_case(expect, "100-continue")) return RequestError{417, "unknown Expect"};
  parsed.expects_continue = !expect.empty() && !is_http_1_0;
  parsed.framing = framing_of(parser, Framing::Kind::kNone);
  parsed.is_keep_alive = is_persistent(parser.headers, is_http_1_0);
  parsed.is_http_1_0 = is_http_1_0;
  parsed.request.method = std::move(parser.method);
  parsed.request.target = std::move(parser.target);
  parsed.request.headers = std::move(parser.headers);
  return parsed;
}

Result<ParsedResponse> parse_response_head(std::string_view text, std::string_view method) {
  HeadParser<false> parser(text);
  if (parser.error) return invalid(concat("malformed response: ", parser.error.message()));
  // RFC 9110 section 15: the first digit is a class of responses, and there is none of 0.
  if (parser.status < kStatusMin) return invalid("malformed response: a status below 100");
  if (parser.has_other_coding) return invalid("the only transfer coding understood is chunked");
  if (parser.version < 11 && parser.has_coding) return invalid("Transfer-Encoding in HTTP/1.0");
  ParsedResponse parsed;
  const bool has_body = method != "HEAD" && allows_body(parser.status);
  if (has_body) parsed.framing = framing_of(parser, Framing::Kind::kUntilClose);
  const bool is_delimited = parsed.framing.kind != Framing::Kind::kUntilClose;
  parsed.is_keep_alive = is_delimited && is_persistent(parser.headers, parser.version < 11);
  parsed.head.status = parser.status;
  parsed.head.headers = std::move(parser.headers);
  return parsed;
}

Result<std::string> format_request_head(const Request& request, std::string_view host) {
  if (!is_token(request.method)) return invalid(concat("request method ", quoted(request.method), " is not a token"));
  if (!is_target(request.target)) return invalid(concat("request target ", quoted(request.target), " is not encoded"));
  std::string out = concat(request.method, ' ', request.target, " HTTP/1.1\r\n");
  if (!request.headers.contains("Host")) append_field(out, "Host", host);
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name) || !is_field_value(value))
      return invalid(concat("request field ", quoted(name), " is malformed"));
    if (!is_framing_field(name)) append_field(out, name, value);
  }
  if (!request.body.empty() || wants_length(request.method)) {
    append_field(out, "Content-Length", concat(request.body.size()));
  }
  return out.append("\r\n");
}

std::string format_response_head(const ResponseHead& head, const Framing& framing, bool is_keep_alive) {
  std::string out = concat("HTTP/1.1 ", head.status, ' ', reason_phrase(head.status), "\r\n");
  for (const auto& [name, value] : head.headers) {
    if (!is_framing_field(name) && is_token(name) && is_field_value(value)) append_field(out, name, value);
  }
  if (framing.kind == Framing::Kind::kLength) append_field(out, "Content-Length", concat(framing.length));
  if (framing.kind == Framing::Kind::kChunked) append_field(out, "Transfer-Encoding", "chunked");
  if (!is_keep_alive) append_field(out, "Connection", "close");
  return out.append("\r\n");
}

std::string format_chunk_size(std::size_t size) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  do {
    out.push_back(kDigits[size % 16]);
    size /= 16;
  } while (size > 0);
  std::reverse(out.begin(), out.end());
  return out.append("\r\n");
}

bool allows_body(int status) { return status >= 200 && status != 204 && status != 304; }

bool is_safe_method(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE";
}

}  // namespace margay::http
