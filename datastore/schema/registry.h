// Registry: the kinds there are, by every name users and URLs know them by. Built from the embedded CRDs (crds/), the
// Kubernetes kinds Margay reads (crds/kubernetes/), and further CRDs of a directory or a live server.
//
// Schemas are parsed on first use: a program that needs one kind pays for one. Use it from one thread. What it returns
// stays valid until the kind is added again or removed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/json/value.h"
#include "datastore/schema/structural.h"

namespace margay::schema {

struct PrinterColumn {
  std::string name;
  std::string type;  // string, integer, number, boolean, date
  std::string format;
  std::string json_path;  // ".spec.cidr"
  std::string description;
  int priority = 0;  // above 0: only in wide output
};

struct ResourceInfo {
  std::string group;
  std::string version;
  std::string kind;
  std::string list_kind;
  std::string plural;
  std::string singular;
  std::vector<std::string> short_names;
  std::vector<std::string> aliases;  // further names netctl accepts (annotation margay.dev/aliases)
  std::vector<std::string> categories;
  bool is_namespaced = false;
  bool has_status = false;  // the status subresource
  std::string deprecation;  // what its users should be told about this version; "": nothing
  std::vector<PrinterColumn> columns;

  [[nodiscard]] std::string api_version() const { return group.empty() ? version : group + "/" + version; }
};

class Registry {
 public:
  virtual ~Registry() = default;

  // In order of group, then kind.
  [[nodiscard]] virtual std::vector<const ResourceInfo*> all() const = 0;
  [[nodiscard]] virtual const ResourceInfo* by_kind(std::string_view api_version, std::string_view kind) const = 0;
  [[nodiscard]] virtual const ResourceInfo* by_plural(std::string_view group, std::string_view version,
                                                      std::string_view plural) const = 0;
  // Plural, singular, kind, short name or alias, without case; "networkpolicies.networking.k8s.io" picks a group.
  // projectcalico.org wins where a name means several kinds.
  [[nodiscard]] virtual const ResourceInfo* by_any_name(std::string_view name) const = 0;
  // Never null: a kind without a schema gets one that allows everything.
  [[nodiscard]] virtual const StructuralSchema& schema(const ResourceInfo& resource) const = 0;

  // Adds or replaces the kinds of a CustomResourceDefinition (every served version). The errors name path and reason.
  virtual Status add_crd(const json::Value& crd) = 0;
  virtual void remove_crd(std::string_view group, std::string_view plural) = 0;
};

// With everything that is built in.
std::unique_ptr<Registry> make_registry();
// With nothing.
std::unique_ptr<Registry> make_empty_registry();

}  // namespace margay::schema
