// Request targets of the Kubernetes API: where a resource lies and what is asked of it. Pure.
// Source: Kubernetes API concepts, "Resource URIs".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "datastore/kube/client.h"

namespace margay::kube {

// "/api/v1/namespaces/default/pods"; without a namespace, or for cluster-scoped kinds, "/apis/GROUP/VERSION/PLURAL".
std::string collection_path(const ResourceType& type, std::string_view name_space);

// "/apis/projectcalico.org/v3/ippools/pool-a", with "/status" behind it for that subresource. Fails for names that
// would reach something else: empty (the collection), ".", "..", with a slash or a percent sign; and for a namespaced
// kind without a namespace, or a cluster-scoped one with one.
Result<std::string> object_path(const ResourceType& type, const ObjectName& name, std::string_view subresource);

// Adds query parameters to a path. Empty text and zero are left out.
class Query {
 public:
  explicit Query(std::string path) : target_(std::move(path)) {}
  Query& add(std::string_view name, std::string_view value);
  Query& add(std::string_view name, std::int64_t value);
  [[nodiscard]] const std::string& target() const { return target_; }

 private:
  std::string target_;
  char separator_ = '?';
};

std::string list_target(const ResourceType& type, std::string_view name_space, const ListOptions& options);
std::string watch_target(const ResourceType& type, std::string_view name_space, const WatchOptions& options);
// Adds dryRun, fieldManager and, for server-side apply, force.
std::string write_target(std::string path, const WriteOptions& options);

// application/merge-patch+json and so on.
std::string_view content_type(PatchType type);
// The DeleteOptions object of a delete request; "" when nothing is asked for.
std::string delete_body(const DeleteOptions& options);

}  // namespace margay::kube
