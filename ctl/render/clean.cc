#include "ctl/render/clean.h"

#include <string_view>

namespace margay::render {
namespace {

constexpr std::string_view kServerMetadata[] = {"managedFields",     "uid",
                                                "resourceVersion",   "generation",
                                                "creationTimestamp", "selfLink",
                                                "ownerReferences",   "finalizers",
                                                "deletionTimestamp", "deletionGracePeriodSeconds"};
constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

void strip_annotation(json::Object& metadata) {
  json::Value* annotations = metadata.find("annotations");
  json::Object* members = annotations == nullptr ? nullptr : annotations->as_object();
  if (members == nullptr) return;
  members->erase(kLastApplied);
  if (members->empty()) metadata.erase("annotations");
}

}  // namespace

void strip_server_fields(json::Value& object) {
  json::Object* root = object.as_object();
  if (root == nullptr) return;
  root->erase("status");
  json::Value* metadata = root->find("metadata");
  json::Object* members = metadata == nullptr ? nullptr : metadata->as_object();
  if (members == nullptr) return;
  for (const std::string_view name : kServerMetadata) members->erase(name);
  strip_annotation(*members);
}

void strip_managed_fields(json::Value& object) {
  json::Value* metadata = object.find("metadata");
  if (metadata != nullptr && metadata->as_object() != nullptr) metadata->as_object()->erase("managedFields");
}

}  // namespace margay::render
