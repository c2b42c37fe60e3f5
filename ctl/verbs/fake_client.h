// A kube::Client for tests that keeps its objects in memory. Answers come when pump() runs, one after the other, as
// from a loop; a call that nothing will answer looks like an interrupt.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/core/text.h"
#include "ctl/verbs/api.h"
#include "datastore/kube/client.h"
#include "datastore/selector/label_selector.h"

namespace margay::verbs {

class FakeClient final : public kube::Client {
 public:
  struct Failure {
    std::string verb;  // "get", "list", "update", …
    kube::ApiError error;
    int times = 1;
  };

  std::vector<std::string> calls;  // "get ippools main", "update networkpolicies shop/web (dry run)"
  std::vector<kube::DeleteOptions> deletions;
  std::vector<std::string> bodies;          // of writes, as they came
  std::vector<Failure> failures;            // the first that fits is used up
  std::vector<std::string> changes;         // what a watch sends: "ADDED {…}"; then it ends in order, unless …
  std::optional<kube::ApiError> watch_end;  // … with this
  bool watch_stays_open = true;             // … or not at all
  std::string version_body = R"({"gitVersion": "v1.33.0"})";
  std::function<void()> before_update;  // somebody else who is quicker

  Pump pump() {
    return [this](const std::function<bool()>& is_done) {
      while (!is_done() && !queue_.empty()) {
        Task task = std::move(queue_.front());
        queue_.pop_front();
        task();
      }
      return is_done();
    };
  }

  static kube::ApiError error(ErrorCode code, int http_status, std::string message) {
    kube::ApiError out;
    out.code = code;
    out.http_status = http_status;
    out.message = std::move(message);
    return out;
  }

  // Puts an object there, as if it had been created long ago.
  void put(const std::string& plural, std::string_view text) {
    json::Value object = *json::parse(text);
    store(plural, std::move(object));
  }
  const json::Value* stored(const std::string& plural, const std::string& name_space, const std::string& name) const {
    const auto found = objects_.find({plural, name_space, name});
    return found == objects_.end() ? nullptr : &found->second;
  }
  json::Value* stored(const std::string& plural, const std::string& name_space, const std::string& name) {
    const auto found = objects_.find({plural, name_space, name});
    return found == objects_.end() ? nullptr : &found->second;
  }
  // Gives the object a new version, as a write of somebody else would.
  void touch(json::Value& object) { object["metadata"]["resourceVersion"] = std::to_string(++version_); }

  kube::OperationPtr get(const kube::ResourceType& type, const kube::ObjectName& name, kube::ObjectDone done) override;
  kube::OperationPtr list(const kube::ResourceType& type, std::string_view name_space, const kube::ListOptions& options,
                          kube::ListEvents events) override;
  kube::OperationPtr watch(const kube::ResourceType& type, std::string_view name_space,
                           const kube::WatchOptions& options, kube::WatchEvents events) override;
  kube::OperationPtr create(const kube::ResourceType& type, std::string_view name_space, const json::Value& object,
                            const kube::WriteOptions& options, kube::ObjectDone done) override;
  kube::OperationPtr update(const kube::ResourceType& type, const kube::ObjectName& name, const json::Value& object,
                            const kube::WriteOptions& options, kube::ObjectDone done) override;
  kube::OperationPtr update_status(const kube::ResourceType& type, const kube::ObjectName& name,
                                   const json::Value& object, const kube::WriteOptions& options,
                                   kube::ObjectDone done) override;
  kube::OperationPtr patch(const kube::ResourceType& type, const kube::ObjectName& name, std::string_view subresource,
                           kube::PatchType patch_type, std::string body, const kube::WriteOptions& options,
                           kube::ObjectDone done) override;
  kube::OperationPtr remove(const kube::ResourceType& type, const kube::ObjectName& name,
                            const kube::DeleteOptions& options, kube::ObjectDone done) override;
  kube::OperationPtr get_path(std::string_view path, Callback<void(kube::ApiResult<std::string> body)> done) override;

 private:
  using Key = std::tuple<std::string, std::string, std::string>;  // plural, namespace, name

  void store(const std::string& plural, json::Value object);
  std::optional<kube::ApiError> failure(std::string_view verb);
  void note(std::string_view verb, const kube::ResourceType& type, const kube::ObjectName& name, bool is_dry);
  kube::OperationPtr answer(kube::ObjectDone done, kube::ApiResult<json::Value> result);

  std::map<Key, json::Value> objects_;
  std::deque<Task> queue_;
  std::int64_t version_ = 100;
};

}  // namespace margay::verbs
