#include "datastore/schema/registry.h"

#include <algorithm>
#include <map>

#include "base/core/check.h"
#include "base/core/text.h"
#include "crds/embedded.h"

namespace margay::schema {
namespace {

using json::Value;

constexpr std::string_view kOurGroup = "projectcalico.org";
constexpr std::string_view kAliasesAnnotation = "margay.dev/aliases";

struct Resource {
  ResourceInfo info;
  std::string_view embedded_schema;        // not parsed yet
  std::optional<StructuralSchema> schema;  // once asked for
};

std::vector<std::string> to_strings(std::span<const std::string_view> texts) { return {texts.begin(), texts.end()}; }

ResourceInfo info_of(const crds::EmbeddedCrd& crd, const crds::EmbeddedVersion& version) {
  ResourceInfo info{.group = std::string(crd.group),
                    .version = std::string(version.name),
                    .kind = std::string(crd.kind),
                    .list_kind = std::string(crd.list_kind),
                    .plural = std::string(crd.plural),
                    .singular = std::string(crd.singular),
                    .short_names = to_strings(crd.short_names),
                    .aliases = to_strings(crd.aliases),
                    .categories = to_strings(crd.categories),
                    .is_namespaced = crd.is_namespaced,
                    .has_status = version.has_status,
                    .deprecation = {},
                    .columns = {}};
  for (const crds::EmbeddedColumn& column : version.columns) {
    info.columns.push_back({std::string(column.name), std::string(column.type), std::string(column.format),
                            std::string(column.json_path), std::string(column.description), column.priority});
  }
  return info;
}

// Reads a CustomResourceDefinition (apiextensions.k8s.io/v1) as a user or a server gives it.
class CrdReader {
 public:
  explicit CrdReader(const Value& crd) : crd_(crd) {}

  Result<std::vector<Resource>> read() {
    MARGAY_RETURN_IF_ERROR(read_names());
    const Value* versions = crd_.find({"spec", "versions"});
    if (versions == nullptr || versions->as_array() == nullptr || versions->as_array()->empty()) {
      return invalid("spec.versions: expected a list of versions (apiextensions.k8s.io/v1)");
    }
    std::vector<Resource> resources;
    for (std::size_t i = 0; i < versions->as_array()->size(); ++i) {
      MARGAY_RETURN_IF_ERROR(read_version((*versions->as_array())[i], concat("spec.versions[", i, "]"), resources));
    }
    return resources;
  }

 private:
  Result<std::string> need(std::initializer_list<std::string_view> path, std::string_view where) {
    const std::string_view text = crd_.string_at(path);
    if (text.empty()) return invalid(concat(where, ": expected a text"));
    return std::string(text);
  }

  static std::vector<std::string> strings_at(const Value* list) {
    std::vector<std::string> out;
    if (list == nullptr || list->as_array() == nullptr) return out;
    for (const Value& element : *list->as_array()) {
      if (element.as_string() != nullptr) out.push_back(*element.as_string());
    }
    return out;
  }

  Status read_names() {
    MARGAY_ASSIGN_OR_RETURN(common_.kind, need({"spec", "names", "kind"}, "spec.names.kind"));
    MARGAY_ASSIGN_OR_RETURN(common_.plural, need({"spec", "names", "plural"}, "spec.names.plural"));
    common_.group = crd_.string_at({"spec", "group"});
    common_.list_kind = crd_.string_at({"spec", "names", "listKind"});
    if (common_.list_kind.empty()) common_.list_kind = common_.kind + "List";
    common_.singular = crd_.string_at({"spec", "names", "singular"});
    if (common_.singular.empty()) common_.singular = to_lower(common_.kind);
    common_.short_names = strings_at(crd_.find({"spec", "names", "shortNames"}));
    common_.categories = strings_at(crd_.find({"spec", "names", "categories"}));
    for (const std::string_view alias : split(crd_.string_at({"metadata", "annotations", kAliasesAnnotation}), ',')) {
      if (!trim(alias).empty()) common_.aliases.emplace_back(trim(alias));
    }
    const std::string_view scope = crd_.string_at({"spec", "scope"});
    if (scope != "Namespaced" && scope != "Cluster") {
      return invalid(concat("spec.scope: ", quoted(scope), " is not one of Namespaced, Cluster"));
    }
    common_.is_namespaced = scope == "Namespaced";
    return ok_status();
  }

  Status read_version(const Value& version, const std::string& where, std::vector<Resource>& resources) {
    Resource resource{common_, {}, {}};
    resource.info.version = version.string_at({"name"});
    if (resource.info.version.empty()) return invalid(concat(where, ".name: expected a text"));
    const Value* served = version.find("served");
    if (served == nullptr || served->as_bool() == nullptr) return invalid(concat(where, ".served: expected a boolean"));
    resource.info.has_status = version.find({"subresources", "status"}) != nullptr;
    resource.info.deprecation = deprecation(version, resource.info);
    read_columns(version, resource.info.columns);
    if (const Value* schema = version.find({"schema", "openAPIV3Schema"})) {
      Result<StructuralSchema> parsed = StructuralSchema::parse(*schema);
      if (!parsed.ok()) return parsed.error().within(where + ".schema.openAPIV3Schema");
      resource.schema = std::move(parsed).value();
    }
    if (*served->as_bool()) resources.push_back(std::move(resource));
    return ok_status();
  }

  // The words are Kubernetes' own where the author of the definition has none.
  static std::string deprecation(const Value& version, const ResourceInfo& info) {
    const Value* deprecated = version.find("deprecated");
    if (deprecated == nullptr || deprecated->as_bool() == nullptr || !*deprecated->as_bool()) return {};
    const std::string_view text = version.string_at({"deprecationWarning"});
    return text.empty() ? concat(info.api_version(), ' ', info.kind, " is deprecated") : std::string(text);
  }

  static void read_columns(const Value& version, std::vector<PrinterColumn>& columns) {
    const Value* list = version.find("additionalPrinterColumns");
    if (list == nullptr || list->as_array() == nullptr) return;
    for (const Value& column : *list->as_array()) {
      const Value* priority = column.find("priority");
      const bool has_priority = priority != nullptr && priority->as_integer() != nullptr;
      columns.push_back({std::string(column.string_at({"name"})), std::string(column.string_at({"type"})),
                         std::string(column.string_at({"format"})), std::string(column.string_at({"jsonPath"})),
                         std::string(column.string_at({"description"})),
                         has_priority && *priority->as_integer() > 0 ? 1 : 0});
    }
  }

  const Value& crd_;
  ResourceInfo common_;
};

bool has_name(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& n) { return equals_ignoring_case(n, name); });
}

// How well a name fits: 0 best; nullopt not at all. The kind's own names go before short names, those before aliases.
std::optional<int> rank_of(const ResourceInfo& info, std::string_view name) {
  if (equals_ignoring_case(info.plural, name) || equals_ignoring_case(info.singular, name) ||
      equals_ignoring_case(info.kind, name)) {
    return 0;
  }
  if (has_name(info.short_names, name)) return 1;
  if (has_name(info.aliases, name)) return 2;
  return std::nullopt;
}

int rank_of_group(std::string_view group) { return group == kOurGroup ? 0 : group.empty() ? 1 : 2; }

class TableRegistry final : public Registry {
 public:
  void add_embedded() {
    for (const crds::EmbeddedCrd& crd : crds::embedded_crds()) {
      auto& versions = kinds_[{std::string(crd.group), std::string(crd.plural)}];
      for (const crds::EmbeddedVersion& version : crd.versions) {
        versions.push_back(std::make_unique<Resource>(Resource{info_of(crd, version), version.schema, {}}));
      }
    }
  }

  [[nodiscard]] std::vector<const ResourceInfo*> all() const override {
    std::vector<const ResourceInfo*> out;
    for (const auto& [key, versions] : kinds_) {
      for (const auto& resource : versions) out.push_back(&resource->info);
    }
    std::stable_sort(out.begin(), out.end(), [](const ResourceInfo* a, const ResourceInfo* b) {
      return std::tie(a->group, a->kind) < std::tie(b->group, b->kind);
    });
    return out;
  }

  [[nodiscard]] const ResourceInfo* by_kind(std::string_view api_version, std::string_view kind) const override {
    return find_if([&](const ResourceInfo& info) { return info.kind == kind && info.api_version() == api_version; });
  }

  [[nodiscard]] const ResourceInfo* by_plural(std::string_view group, std::string_view version,
                                              std::string_view plural) const override {
    return find_if([&](const ResourceInfo& info) {
      return info.plural == plural && info.version == version && info.group == group;
    });
  }

  [[nodiscard]] const ResourceInfo* by_any_name(std::string_view name) const override {
    if (const ResourceInfo* found = best_by_name(name, {}, {})) return found;
    const auto parts = split_once(name, '.');  // name.group, or name.version.group
    if (!parts) return nullptr;
    if (const ResourceInfo* found = best_by_name(parts->first, parts->second, {})) return found;
    const auto rest = split_once(parts->second, '.');
    return rest ? best_by_name(parts->first, rest->second, rest->first) : nullptr;
  }

  [[nodiscard]] const StructuralSchema& schema(const ResourceInfo& info) const override {
    const auto found = kinds_.find({info.group, info.plural});
    if (found == kinds_.end()) return permissive_;
    for (const auto& resource : found->second) {
      if (resource->info.version == info.version) return schema_of(*resource);
    }
    return permissive_;
  }

  Status add_crd(const Value& crd) override {
    MARGAY_ASSIGN_OR_RETURN(std::vector<Resource> resources, CrdReader(crd).read());
    std::vector<std::unique_ptr<Resource>> versions;
    for (Resource& resource : resources) versions.push_back(std::make_unique<Resource>(std::move(resource)));
    const std::pair key{std::string(crd.string_at({"spec", "group"})),
                        std::string(crd.string_at({"spec", "names", "plural"}))};
    kinds_[key] = std::move(versions);
    return ok_status();
  }

  void remove_crd(std::string_view group, std::string_view plural) override {
    kinds_.erase({std::string(group), std::string(plural)});
  }

 private:
  template <class Predicate>
  [[nodiscard]] const ResourceInfo* find_if(Predicate is_it) const {
    for (const auto& [key, versions] : kinds_) {
      for (const auto& resource : versions) {
        if (is_it(resource->info)) return &resource->info;
      }
    }
    return nullptr;
  }

  // The first version of the kind that the name fits best; empty group and version mean any.
  [[nodiscard]] const ResourceInfo* best_by_name(std::string_view name, std::string_view group,
                                                 std::string_view version) const {
    const ResourceInfo* best = nullptr;
    std::pair<int, int> best_rank;
    for (const auto& [key, versions] : kinds_) {
      if (!group.empty() && !equals_ignoring_case(key.first, group)) continue;
      for (const auto& resource : versions) {
        const std::optional<int> rank = rank_of(resource->info, name);
        if (!rank || (!version.empty() && resource->info.version != version)) continue;
        const std::pair found{*rank, rank_of_group(key.first)};
        if (best != nullptr && found >= best_rank) continue;
        best = &resource->info;
        best_rank = found;
      }
    }
    return best;
  }

  const StructuralSchema& schema_of(Resource& resource) const {
    if (resource.schema) return *resource.schema;
    if (resource.embedded_schema.empty()) return permissive_;
    // The text is ours: the tests parse every one.
    const Result<Value> value = json::parse(resource.embedded_schema);
    MARGAY_CHECK(value.ok());
    Result<StructuralSchema> parsed = StructuralSchema::parse(*value);
    MARGAY_CHECK(parsed.ok());
    resource.schema = std::move(parsed).value();
    return *resource.schema;
  }

  StructuralSchema permissive_ = StructuralSchema::permissive();
  std::map<std::pair<std::string, std::string>, std::vector<std::unique_ptr<Resource>>> kinds_;  // by group and plural
};

}  // namespace

std::unique_ptr<Registry> make_registry() {
  auto registry = std::make_unique<TableRegistry>();
  registry->add_embedded();
  return registry;
}

std::unique_ptr<Registry> make_empty_registry() { return std::make_unique<TableRegistry>(); }

}  // namespace margay::schema
