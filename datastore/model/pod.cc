#include "datastore/model/pod.h"

#include <algorithm>
#include <array>

#include "base/core/text.h"

namespace margay::model {
namespace {

// The domain before "/", and every domain below it.
constexpr std::array<std::string_view, 5> kKeptDomains = {"projectcalico.org", "margay.dev", "cni.cncf.io",
                                                          "kubevirt.io", "vpc.amazonaws.com"};

}  // namespace

bool is_kept_annotation(std::string_view key) {
  const auto parts = split_once(key, '/');
  if (!parts) return false;
  const std::string_view domain = parts->first;
  return std::any_of(kKeptDomains.begin(), kKeptDomains.end(), [domain](std::string_view kept) {
    if (!domain.ends_with(kept)) return false;
    return domain.size() == kept.size() || domain[domain.size() - kept.size() - 1] == '.';
  });
}

}  // namespace margay::model
