// NodeName: the name of a Node object, a DNS-1123 subdomain as Kubernetes checks it ("Object Names and IDs" in its
// documentation): lower-case letters, digits, '-' and '.'; each part begins and ends with a letter or digit; ≤ 253
// bytes.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/core/result.h"

namespace margay {

inline constexpr std::size_t kDns1123SubdomainSizeMax = 253;
inline constexpr std::size_t kDns1123LabelSizeMax = 63;

// The parts between dots have no limit of their own, as in Kubernetes.
bool is_dns1123_subdomain(std::string_view text);
// One part, at most 63 bytes, without dots.
bool is_dns1123_label(std::string_view text);

class NodeName {
 public:
  static Result<NodeName> parse(std::string_view text);

  [[nodiscard]] const std::string& value() const { return value_; }
  [[nodiscard]] const std::string& to_string() const { return value_; }

  friend auto operator<=>(const NodeName&, const NodeName&) = default;
  template <class H>
  friend H AbslHashValue(H state, const NodeName& name) {
    return H::combine(std::move(state), name.value_);
  }

 private:
  explicit NodeName(std::string_view value) : value_(value) {}

  std::string value_;  // never empty
};

}  // namespace margay

template <>
struct std::hash<margay::NodeName> {
  std::size_t operator()(const margay::NodeName& name) const noexcept { return std::hash<std::string>()(name.value()); }
};
