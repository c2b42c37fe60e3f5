#include "base/core/text.h"
#include "datastore/kube/kubeconfig.h"

namespace margay::kube {
namespace {

// -1: not in the alphabet.
int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

Result<std::string> base64_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  unsigned bits = 0;
  std::size_t digits = 0;
  std::size_t padding = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_space(text[i])) continue;
    if (text[i] == '=') {
      ++padding;
      continue;
    }
    const int value = value_of(text[i]);
    if (value < 0 || padding != 0) {
      return invalid(concat("is not base64: ", quoted(text.substr(i, 1)), " at byte ", i));
    }
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xffffffU;
    ++digits;
    if (digits % 4 == 0) {
      for (const unsigned shift : {16U, 8U, 0U}) out.push_back(static_cast<char>(bits >> shift & 0xffU));
    }
  }
  const std::size_t rest = digits % 4;
  if (rest == 1 || padding > 2 || (rest + padding) % 4 != 0) return invalid("is not base64: its end is missing");
  if (rest >= 2) out.push_back(static_cast<char>(bits >> (rest == 2 ? 4U : 10U) & 0xffU));
  if (rest == 3) out.push_back(static_cast<char>(bits >> 2U & 0xffU));
  return out;
}

}  // namespace margay::kube
