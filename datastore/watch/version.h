// Version: a resourceVersion, small and quick to compare: there is one for each object of a cluster.
//
// Opaque to clients by the API's rules; equality is all that may be relied on. Where both are decimal numbers, as
// etcd's are, the order is used to tell repeats from news; where not, nothing is said about order.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/text.h"

namespace margay::watch {

class Version {
 public:
  Version() = default;
  explicit Version(std::string_view text) {
    const bool is_canonical = !text.empty() && (text == "0" || (text[0] >= '1' && text[0] <= '9'));
    const auto number = is_canonical ? parse_number<std::uint64_t>(text) : std::nullopt;
    if (number) number_ = *number;
    if (!number) text_ = std::make_unique<const std::string>(text);
  }

  // Surely before the other in time.
  [[nodiscard]] bool is_older_than(const Version& other) const {
    return text_ == nullptr && other.text_ == nullptr && number_ < other.number_;
  }
  friend bool operator==(const Version& a, const Version& b) {
    if (a.text_ == nullptr || b.text_ == nullptr) return a.text_ == b.text_ && a.number_ == b.number_;
    return *a.text_ == *b.text_;
  }

 private:
  std::uint64_t number_ = 0;
  std::unique_ptr<const std::string> text_;  // when it is no number
};

}  // namespace margay::watch
