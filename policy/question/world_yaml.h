// For tests: a world as a file would hold it.
#pragma once

#include <string>
#include <string_view>

#include "base/core/check.h"
#include "base/core/text.h"
#include "base/json/yaml.h"
#include "policy/question/world.h"

namespace margay::policy {

inline World world_of(std::string_view yaml) {
  World world;
  const auto documents = json::parse_yaml(yaml);
  MARGAY_CHECK(documents.ok());
  for (const json::YamlDocument& document : *documents) {
    const auto kind = model::find_kind(document.value.string_at({"apiVersion"}), document.value.string_at({"kind"}));
    MARGAY_CHECK(kind.has_value());
    MARGAY_CHECK(world.add(*kind, document.value).empty());
  }
  return world;
}

// "shop/web", labels "app: web", an address, and one port named http on TCP 8080.
inline std::string pod_yaml(std::string_view name_space, std::string_view name, std::string_view labels,
                            std::string_view ip) {
  return concat("---\napiVersion: v1\nkind: Pod\nmetadata: {name: ", name, ", namespace: ", name_space, ", labels: {",
                labels, "}}\nspec:\n  nodeName: node-1\n  containers: [{name: c, ports: [{name: http, containerPort: ",
                "8080}]}]\nstatus: {phase: Running, podIP: ", ip, "}\n");
}

}  // namespace margay::policy
