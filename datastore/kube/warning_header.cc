#include "datastore/kube/warning_header.h"

#include <optional>
#include <string_view>
#include <utility>

#include "base/core/text.h"

namespace margay::kube {
namespace {

constexpr std::size_t kWarningsMax = 100;
constexpr std::string_view kKubernetes = "299 - ";

void skip_blanks(std::string_view& rest) {
  while (rest.starts_with(' ') || rest.starts_with('\t')) rest.remove_prefix(1);
}

// A quoted-string (RFC 7230 section 3.2.6) at the beginning of `rest`, which goes on behind it.
std::optional<std::string> take_quoted(std::string_view& rest) {
  if (!rest.starts_with('"')) return std::nullopt;
  std::string text;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return text;
    }
    if (rest[i] == '\\' && ++i == rest.size()) break;
    const auto byte = static_cast<unsigned char>(rest[i]);
    text.push_back(byte < 0x20 || byte == 0x7f ? ' ' : rest[i]);
  }
  return std::nullopt;
}

struct WarningValue {
  bool is_kubernetes = false;
  std::string text;
};

// code SP agent SP text [SP date], and the comma behind it.
std::optional<WarningValue> take_warning(std::string_view& rest) {
  WarningValue value;
  value.is_kubernetes = rest.starts_with(kKubernetes);
  const std::size_t quote = rest.find('"');
  const std::size_t comma = rest.find(',');
  if (quote == std::string_view::npos || comma < quote) return std::nullopt;
  rest.remove_prefix(quote);
  auto text = take_quoted(rest);
  if (!text) return std::nullopt;
  value.text = std::move(*text);
  skip_blanks(rest);
  if (rest.starts_with('"') && !take_quoted(rest)) return std::nullopt;
  skip_blanks(rest);
  if (!rest.empty() && rest.front() != ',') return std::nullopt;
  return value;
}

void add_warnings(std::string_view header, std::vector<std::string>& out) {
  while (out.size() < kWarningsMax) {
    while (header.starts_with(',') || header.starts_with(' ') || header.starts_with('\t')) header.remove_prefix(1);
    if (header.empty()) return;
    auto value = take_warning(header);
    if (!value) return;
    if (value->is_kubernetes && !value->text.empty()) out.push_back(std::move(value->text));
  }
}

}  // namespace

std::vector<std::string> server_warnings(const http::Headers& headers) {
  std::vector<std::string> out;
  for (const auto& [name, value] : headers) {
    if (equals_ignoring_case(name, "Warning")) add_warnings(value, out);
  }
  return out;
}

}  // namespace margay::kube
