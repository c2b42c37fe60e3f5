#include "datastore/server/catalog.h"

#include <utility>

namespace margay::server {

Catalog::Catalog(std::unique_ptr<schema::Registry> registry) : registry_(std::move(registry)) {
  for (const schema::ResourceInfo* info : registry_->all()) built_in_.emplace(info->group, info->plural);
}

ResourcePtr Catalog::snapshot(const schema::ResourceInfo* info) {
  if (info == nullptr) return nullptr;
  ResourcePtr& kept = snapshots_[Key{info->group, info->version, info->plural}];
  if (kept == nullptr)
    kept = std::make_shared<const Resource>(Resource{*info, registry_->schema(*info), info->api_version()});
  return kept;
}

ResourcePtr Catalog::find(std::string_view group, std::string_view version, std::string_view plural) {
  return snapshot(registry_->by_plural(group, version, plural));
}

ResourcePtr Catalog::find_kind(std::string_view api_version, std::string_view kind) {
  return snapshot(registry_->by_kind(api_version, kind));
}

std::vector<ResourcePtr> Catalog::storage_kinds() {
  std::map<std::pair<std::string, std::string>, const schema::ResourceInfo*> kinds;
  for (const schema::ResourceInfo* info : registry_->all()) kinds.emplace(std::pair(info->group, info->plural), info);
  std::vector<ResourcePtr> out;
  for (const auto& [name, info] : kinds) out.push_back(snapshot(info));
  return out;
}

Status Catalog::check_crd(const json::Value& crd) { return schema::make_empty_registry()->add_crd(crd); }

Status Catalog::add_crd(const json::Value& crd) {
  MARGAY_RETURN_IF_ERROR(registry_->add_crd(crd));
  snapshots_.clear();
  return ok_status();
}

void Catalog::remove_crd(std::string_view group, std::string_view plural) {
  if (built_in_.contains({std::string(group), std::string(plural)})) return;
  registry_->remove_crd(group, plural);
  snapshots_.clear();
}

}  // namespace margay::server
