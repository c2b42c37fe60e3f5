#include "datastore/watch/resource_of.h"

#include <string>
#include <string_view>

#include "base/core/text.h"
#include "datastore/model/old_version.h"

namespace margay::watch {
namespace {

// As Kubernetes forms plurals of kinds: policy, policies; status, statuses; endpoint, endpoints.
std::string plural_of(std::string_view kind) {
  std::string out = to_lower(kind);
  if (out.ends_with('y')) {
    out.pop_back();
    return out + "ies";
  }
  return out + (out.ends_with('s') ? "es" : "s");
}

}  // namespace

kube::ResourceType resource_of(model::Kind kind) {
  const model::KindInfo& info = model::info(kind);
  const auto parts = split_once(info.api_version, '/');
  kube::ResourceType out;
  out.group = parts ? std::string(parts->first) : std::string();
  out.version = parts ? std::string(parts->second) : std::string(info.api_version);
  out.kind = info.name;
  out.plural = plural_of(info.name);
  out.is_namespaced = info.is_namespaced;
  return out;
}

std::string old_version_of(model::Kind kind) {
  const auto parts = split_once(model::old_api_version(kind), '/');
  return parts ? std::string(parts->second) : std::string();
}

}  // namespace margay::watch
