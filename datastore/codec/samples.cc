#include "datastore/codec/samples.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/core/check.h"
#include "base/core/text.h"
#include "base/json/yaml.h"

namespace margay::codec::samples {
namespace {

constexpr std::array<std::string_view, 12> kMaps = {"labels",
                                                    "annotations",
                                                    "matchLabels",
                                                    "labelsToApply",
                                                    "bpfLogFilters",
                                                    "environmentVars",
                                                    "secondary",
                                                    "alternateOwnerAttrs",
                                                    "data",
                                                    "block",
                                                    "sequenceNumberForAllocation",
                                                    "nodeSelectorTerms"};

bool is_map(std::string_view name) { return std::find(kMaps.begin(), kMaps.end(), name) != kMaps.end(); }

void collect(const json::Value& value, Leaf place, bool in_map, std::vector<Leaf>& out) {
  const json::Object* object = value.as_object();
  const json::Array* array = value.as_array();
  if ((object == nullptr || object->empty()) && (array == nullptr || array->empty())) {
    out.push_back(std::move(place));
    return;
  }
  if (array != nullptr) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      Leaf next = place;
      next.path += concat('[', i, ']');
      next.steps.push_back(concat(i));
      collect((*array)[i], std::move(next), false, out);
    }
    return;
  }
  for (const json::Member& member : *object) {
    Leaf next = place;
    next.path += in_map ? concat('[', member.name, ']') : concat(place.path.empty() ? "" : ".", member.name);
    next.steps.push_back(member.name);
    collect(member.value, std::move(next), is_map(member.name) && member.value.as_object() != nullptr, out);
  }
}

void visit_structs(json::Value& value, bool in_map, const std::function<void(json::Object&)>& visit) {
  if (json::Array* array = value.as_array()) {
    for (json::Value& element : *array) visit_structs(element, false, visit);
  } else if (json::Object* object = value.as_object()) {
    for (json::Member& member : *object) {
      visit_structs(member.value, is_map(member.name) && member.value.as_object() != nullptr, visit);
    }
    if (!in_map) visit(*object);
  }
}

}  // namespace

json::Value load(model::Kind kind) {
  const model::KindInfo& info = model::info(kind);
  std::string name = to_lower(info.name);
  if (kind == model::Kind::kKubernetesNetworkPolicy) name = "kubernetesnetworkpolicy";
  const char* root = std::getenv("MARGAY_SOURCE_DIR");
  const std::string path = concat(root == nullptr ? "." : root, "/datastore/codec/testdata/", name, ".yaml");
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const auto documents = json::parse_yaml(text.str());
  MARGAY_CHECK(documents.ok() && documents->size() == 1);
  MARGAY_CHECK(documents->front().value.string_at({"kind"}) == info.name);
  return documents->front().value;
}

std::vector<Leaf> leaves_of(const json::Value& document) {
  std::vector<Leaf> out;
  collect(document, {}, false, out);
  return out;
}

json::Value& at(json::Value& document, const Leaf& leaf) {
  json::Value* value = &document;
  for (const std::string& step : leaf.steps) {
    if (json::Array* array = value->as_array()) {
      value = &(*array)[*parse_number<std::size_t>(step)];
    } else {
      value = value->find(step);
    }
  }
  return *value;
}

void for_each_struct(json::Value& document, const std::function<void(json::Object&)>& visit) {
  visit_structs(document, false, visit);
}

}  // namespace margay::codec::samples
