#include "datastore/patch/json_pointer.h"

#include "base/core/text.h"

namespace margay::patch {
namespace {

// nullopt when a '~' is followed by neither 0 nor 1.
std::optional<std::string> unescaped(std::string_view text) {
  std::string token;
  token.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '~') {
      token.push_back(text[i]);
      continue;
    }
    if (++i == text.size() || (text[i] != '0' && text[i] != '1')) return std::nullopt;
    token.push_back(text[i] == '0' ? '~' : '/');
  }
  return token;
}

void append_escaped(std::string& out, std::string_view token) {
  for (const char c : token) {
    if (c == '~') {
      out.append("~0");
    } else if (c == '/') {
      out.append("~1");
    } else {
      out.push_back(c);
    }
  }
}

}  // namespace

Result<PointerTokens> parse_pointer(std::string_view text) {
  PointerTokens tokens;
  if (text.empty()) return tokens;
  if (text.front() != '/') return invalid(concat(quoted(text), " is no JSON pointer: it must begin with '/'"));
  for (const std::string_view piece : split(text.substr(1), '/')) {
    std::optional<std::string> token = unescaped(piece);
    if (!token) return invalid(concat(quoted(text), " is no JSON pointer: '~' must be followed by 0 or 1"));
    tokens.push_back(std::move(*token));
  }
  return tokens;
}

std::string format_pointer(const PointerTokens& tokens) {
  std::string out;
  for (const std::string& token : tokens) {
    out.push_back('/');
    append_escaped(out, token);
  }
  return out;
}

std::optional<std::size_t> parse_array_index(std::string_view token) {
  if (token.size() > 1 && token.front() == '0') return std::nullopt;
  return parse_number<std::size_t>(token);
}

}  // namespace margay::patch
