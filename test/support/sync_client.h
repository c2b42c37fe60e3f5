// A kube::Client for tests that read from top to bottom: each call runs the loop until its answer is there.
//
// Time limits are generous and only end a test that would hang; nothing is asserted about time.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json/value.h"
#include "datastore/kube/client.h"

namespace margay::test {

struct Listed {
  std::vector<json::Value> items;
  kube::ListMeta meta;
};

// A watch that keeps what it saw.
class RecordedWatch {
 public:
  struct Event {
    kube::WatchEvent::Kind kind;
    json::Value object;
    [[nodiscard]] std::string name() const { return std::string(object.string_at({"metadata", "name"})); }
  };
  // Runs the loop until `count` events other than bookmarks were seen or the watch ended; what was seen by then.
  std::vector<Event> wait_for(std::size_t count);
  // Runs the loop until the watch ended.
  kube::ApiResult<std::monostate> wait_for_end();

 private:
  friend class SyncClient;
  struct State;
  explicit RecordedWatch(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

class SyncClient {
 public:
  // Aborts when the kubeconfig cannot be used: that is a broken test bed.
  explicit SyncClient(const std::string& kubeconfig_path);
  ~SyncClient();

  kube::ApiResult<json::Value> get(const kube::ResourceType& type, const kube::ObjectName& name);
  kube::ApiResult<json::Value> create(const kube::ResourceType& type, const json::Value& object,
                                      const kube::WriteOptions& options = {});
  kube::ApiResult<json::Value> update(const kube::ResourceType& type, const json::Value& object,
                                      const kube::WriteOptions& options = {});
  kube::ApiResult<json::Value> update_status(const kube::ResourceType& type, const json::Value& object);
  kube::ApiResult<json::Value> patch(const kube::ResourceType& type, const kube::ObjectName& name,
                                     kube::PatchType patch_type, const std::string& body,
                                     const kube::WriteOptions& options = {}, const std::string& subresource = "");
  kube::ApiResult<json::Value> remove(const kube::ResourceType& type, const kube::ObjectName& name,
                                      const kube::DeleteOptions& options = {});
  kube::ApiResult<Listed> list(const kube::ResourceType& type, const std::string& name_space,
                               const kube::ListOptions& options = {});
  RecordedWatch watch(const kube::ResourceType& type, const std::string& name_space, const kube::WatchOptions& options);
  kube::ApiResult<std::string> get_path(const std::string& path);

  // For what a test drives itself (a reflector).
  kube::Client& client();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::test
