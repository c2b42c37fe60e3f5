// JsonPath: the subset of JSONPath that printer columns of CustomResourceDefinitions use.
//
//   .spec.cidr   .metadata.annotations.example\.org/x   .spec.list[0]   .spec.list[-1]   .spec.list[*].name
//   .spec['name']   .status.conditions[?(@.type=="Ready")].status
//
// Source: Kubernetes documentation, "JSONPath Support".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/json/view.h"

namespace margay::server {

class JsonPath {
 public:
  static Result<JsonPath> parse(std::string_view text);
  // Values in document order; none where the path leads nowhere.
  [[nodiscard]] std::vector<json::View> find(json::View root) const;

 private:
  struct Step {
    enum class Kind { kMember, kIndex, kAll, kFilter };
    Kind kind = Kind::kMember;
    std::string name;                      // kMember
    long index = 0;                        // kIndex; negative counts from the end
    std::vector<std::string> filter_path;  // kFilter: @.a.b
    bool is_negated = false;
    std::string filter_value;
  };
  class Parser;
  static void apply(const Step& step, json::View view, std::vector<json::View>& out);

  std::vector<Step> steps_;
};

}  // namespace margay::server
