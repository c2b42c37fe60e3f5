// Catalog: the kinds the server serves, as immutable snapshots that requests keep for as long as they run: a
// CustomResourceDefinition may change or go meanwhile.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "datastore/schema/registry.h"
#include "datastore/server/failure.h"

namespace margay::server {

struct Resource {
  schema::ResourceInfo info;
  schema::StructuralSchema schema;
  std::string api_version;

  [[nodiscard]] Subject subject(std::string_view name) const {
    return Subject{info.group, info.plural, info.kind, std::string(name)};
  }
};
using ResourcePtr = std::shared_ptr<const Resource>;

class Catalog {
 public:
  explicit Catalog(std::unique_ptr<schema::Registry> registry);

  // Null when there is none.
  ResourcePtr find(std::string_view group, std::string_view version, std::string_view plural);
  // By the type in an owner reference; null when there is none.
  ResourcePtr find_kind(std::string_view api_version, std::string_view kind);
  // One of each group and plural (any version), in order.
  [[nodiscard]] std::vector<ResourcePtr> storage_kinds();
  [[nodiscard]] const schema::Registry& registry() const { return *registry_; }

  // What is wrong with a CRD, without adding it.
  [[nodiscard]] static Status check_crd(const json::Value& crd);
  Status add_crd(const json::Value& crd);
  // Kinds that were there from the start stay.
  void remove_crd(std::string_view group, std::string_view plural);

 private:
  using Key = std::tuple<std::string, std::string, std::string>;
  ResourcePtr snapshot(const schema::ResourceInfo* info);

  std::unique_ptr<schema::Registry> registry_;
  std::set<std::pair<std::string, std::string>> built_in_;  // group, plural
  std::map<Key, ResourcePtr> snapshots_;
};

}  // namespace margay::server
