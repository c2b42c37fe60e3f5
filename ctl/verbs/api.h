// kube::Client for programs that do one thing after the other: each call runs the loop until its answer is there.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "datastore/kube/client.h"
#include "datastore/schema/registry.h"

namespace margay::verbs {

// Runs the loop until the condition holds; false when the user interrupted it before.
using Pump = std::function<bool(const std::function<bool()>& is_done)>;

struct Listed {
  std::vector<json::Value> items;
  std::string resource_version;
};

class Api {
 public:
  // `client` outlives this.
  Api(kube::Client& client, Pump pump) : client_(client), pump_(std::move(pump)) {}

  using ObjectResult = kube::ApiResult<json::Value>;
  ObjectResult get(const schema::ResourceInfo& resource, const kube::ObjectName& name);
  // All pages. A list that took so long that its version is gone (410) is begun again.
  kube::ApiResult<Listed> list(const schema::ResourceInfo& resource, std::string_view name_space,
                               const kube::ListOptions& options);
  // Until the server ends it, or `on_event` returns false.
  kube::ApiResult<std::monostate> watch(const schema::ResourceInfo& resource, std::string_view name_space,
                                        const kube::WatchOptions& options,
                                        const std::function<bool(const kube::WatchEvent& event)>& on_event);
  ObjectResult create(const schema::ResourceInfo& resource, std::string_view name_space, const json::Value& object,
                      const kube::WriteOptions& options);
  ObjectResult update(const schema::ResourceInfo& resource, const kube::ObjectName& name, const json::Value& object,
                      const kube::WriteOptions& options);
  ObjectResult patch(const schema::ResourceInfo& resource, const kube::ObjectName& name, kube::PatchType type,
                     const std::string& body, const kube::WriteOptions& options);
  ObjectResult patch_status(const schema::ResourceInfo& resource, const kube::ObjectName& name, kube::PatchType type,
                            const std::string& body, const kube::WriteOptions& options);
  ObjectResult remove(const schema::ResourceInfo& resource, const kube::ObjectName& name,
                      const kube::DeleteOptions& options);
  kube::ApiResult<std::string> get_path(std::string_view path);

 private:
  template <class T, class Start>
  kube::ApiResult<T> wait(const Start& start);
  kube::ApiResult<kube::ListMeta> list_page(const schema::ResourceInfo& resource, std::string_view name_space,
                                            const kube::ListOptions& options, std::vector<json::Value>& items);

  kube::Client& client_;
  Pump pump_;
};

kube::ResourceType type_of(const schema::ResourceInfo& resource);

// What the server said, with the fields it named; for people.
std::string describe(const kube::ApiError& error);

}  // namespace margay::verbs
