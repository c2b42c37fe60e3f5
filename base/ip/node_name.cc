#include "base/ip/node_name.h"

#include <algorithm>

#include "base/core/text.h"

namespace margay {
namespace {

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_part(std::string_view text) {
  if (text.empty() || !is_letter_or_digit(text.front()) || !is_letter_or_digit(text.back())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

}  // namespace

bool is_dns1123_subdomain(std::string_view text) {
  if (text.size() > kDns1123SubdomainSizeMax) return false;
  const auto parts = split(text, '.');
  return std::all_of(parts.begin(), parts.end(), is_part);
}

bool is_dns1123_label(std::string_view text) { return text.size() <= kDns1123LabelSizeMax && is_part(text); }

Result<NodeName> NodeName::parse(std::string_view text) {
  if (!is_dns1123_subdomain(text)) {
    return invalid(
        concat(quoted(text.substr(0, kDns1123SubdomainSizeMax)),
               " is not a node name: expected at most 253 lower-case letters, digits, '-' and '.', each part "
               "beginning and ending with a letter or digit"));
  }
  return NodeName(text);
}

}  // namespace margay
