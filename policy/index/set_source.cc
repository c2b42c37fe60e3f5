// What IP sets are named by. Source: Calico's own tests (conformance data, calc-states).
#include <string>
#include <string_view>
#include <variant>

#include "base/core/base64.h"
#include "base/core/text.h"
#include "base/digest/digest.h"
#include "policy/index/set_index.h"

namespace margay::policy {
namespace {

std::string hashed(std::string_view prefix, std::string_view content) {
  const auto digest = digest::sha224(concat(prefix, ":", content));
  const std::string_view bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
  return concat(prefix, ":", base64_encode(bytes, Base64Alphabet::kUrl));
}

struct IdOf {
  std::string operator()(const SelectorSource& source) const { return hashed("s", source.selector.canonical()); }
  std::string operator()(const NamedPortSource& source) const {
    const std::string selector = hashed("s", source.selector.canonical());
    return hashed("n", concat(selector, ",", to_lower(source.protocol.to_string()), ",", source.port_name));
  }
  std::string operator()(const ServiceSource& source) const {
    return hashed(source.with_ports ? "svc" : "svcnoport", concat(source.name_space, "/", source.name));
  }
  std::string operator()(const NodesSource& source) const { return hashed("nodes", source.selector.canonical()); }
};

}  // namespace

IpSetId id_of(const SetSource& source) { return IpSetId(std::visit(IdOf(), source)); }

}  // namespace margay::policy
