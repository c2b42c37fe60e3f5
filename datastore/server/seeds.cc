#include "datastore/server/seeds.h"

#include <utility>

namespace margay::server {
namespace {

constexpr std::string_view kGroupVersion = "projectcalico.org/v3";

json::Value object(std::string_view api_version, std::string_view kind, std::string_view name) {
  json::Object out;
  out.append_new("apiVersion", api_version);
  out.append_new("kind", kind);
  out.append_new("metadata", json::Object{{"name", name}});
  return out;
}

// Orders and actions are Calico's.
json::Value tier(std::string_view name, int order, std::string_view default_action) {
  json::Value out = object(kGroupVersion, "Tier", name);
  out["spec"]["order"] = order;
  out["spec"]["defaultAction"] = default_action;
  return out;
}

}  // namespace

std::vector<json::Value> seed_objects() {
  std::vector<json::Value> out;
  for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease"})
    out.push_back(object("v1", "Namespace", name));
  out.push_back(tier("kube-admin", 1'000, "Pass"));
  out.push_back(tier("default", 1'000'000, "Deny"));
  out.push_back(tier("kube-baseline", 10'000'000, "Pass"));
  return out;
}

}  // namespace margay::server
