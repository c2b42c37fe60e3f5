// The CustomResourceDefinitions of this folder and of crds/kubernetes/, compiled in. The tables are constants: a
// program that uses them parses nothing when it starts. Written by embed.cc at build time.
#pragma once

#include <span>
#include <string_view>

namespace margay::crds {

struct EmbeddedColumn {
  std::string_view name;
  std::string_view type;
  std::string_view format;
  std::string_view json_path;
  std::string_view description;
  int priority = 0;
};

struct EmbeddedVersion {
  std::string_view name;
  bool has_status = false;
  std::span<const EmbeddedColumn> columns;
  std::string_view schema;  // the openAPIV3Schema as compact JSON
};

struct EmbeddedCrd {
  std::string_view group;
  std::string_view kind;
  std::string_view list_kind;
  std::string_view plural;
  std::string_view singular;
  bool is_namespaced = false;
  bool is_kubernetes = false;  // out of crds/kubernetes/: Kubernetes has the kind itself, it is never installed
  std::span<const std::string_view> short_names;
  std::span<const std::string_view> aliases;
  std::span<const std::string_view> categories;
  std::span<const EmbeddedVersion> versions;  // the served ones, in the order of the file: the preferred comes first
  std::string_view json;                      // the whole CustomResourceDefinition, compact
};

// In order of group, then plural.
std::span<const EmbeddedCrd> embedded_crds();

}  // namespace margay::crds
