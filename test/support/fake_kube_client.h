// FakeKubeClient: a kube::Client with an API server inside, in memory, for tests on a SimLoop: objects with
// resourceVersions, lists in pages of one snapshot, watches with history and bookmarks, compaction, and faults on
// demand.
//
// Answers come on later turns of the loop, in order. Objects of any kind; no schemas, no defaults. Selectors: equality
// of labels only ("app=web,tier=a"). Patches: merge patches only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/json/value.h"
#include "base/loop/loop.h"
#include "datastore/kube/client.h"

namespace margay::test {

class FakeKubeClient final : public kube::Client {
 public:
  // Chances between 0 and 1, for tests with random faults.
  struct Faults {
    double call_fails = 0;           // any call, before anything happened: 500, 429 or no connection
    double list_is_cut = 0;          // after some of its items
    double watch_is_cut = 0;         // at each event
    double watch_is_gone = 0;        // at its start: 410, as an answer or as an event
    double event_is_doubled = 0;     // now, or an older event once more
    double first_list_is_stale = 0;  // a list from version "0" shows an earlier state
    bool pages_are_shuffled = false;
    Duration answer_delay_max = Duration::zero();
  };

  // `loop` and `random` outlive it.
  FakeKubeClient(loop::Loop& loop, Random& random);
  ~FakeKubeClient() override;

  Faults faults;
  // Called for each request before anything else, with its verb ("get", "list", "watch", "create", …); an error is its
  // answer.
  std::function<std::optional<kube::ApiError>(std::string_view verb, const kube::ResourceType& type)> on_request;

  // What others do to the cluster. put() creates or replaces and returns the object as it is now.
  json::Value put(const kube::ResourceType& type, const kube::ObjectName& name, json::Value object = json::Object{});
  bool erase(const kube::ResourceType& type, const kube::ObjectName& name);
  // Forgets the history: older watches and continue tokens end in 410.
  void compact() { compacted_ = revision_; }
  // Every watch under way ends: in order, or with this error.
  void end_watches(std::optional<kube::ApiError> error);
  void send_bookmarks();

  [[nodiscard]] std::int64_t revision() const { return revision_; }
  // The objects of a kind as they are now.
  [[nodiscard]] std::map<kube::ObjectName, json::Value> objects(const kube::ResourceType& type) const;
  [[nodiscard]] std::size_t watch_count() const { return watches_.size(); }
  // Calls begun, by verb.
  [[nodiscard]] int requests(const std::string& verb) const;

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
  kube::OperationPtr get_path(std::string_view path, Callback<void(kube::ApiResult<std::string>)> done) override;

 private:
  struct Change {
    std::int64_t revision = 0;
    kube::ResourceType type;
    kube::ObjectName name;
    json::Value object;    // null: deleted
    json::Value previous;  // null: created
  };
  struct Call;
  struct Watch;
  class Handle;
  using Objects = std::map<kube::ObjectName, json::Value>;
  using Answer = std::function<kube::ApiResult<json::Value>()>;

  std::shared_ptr<Call> begin(std::string_view verb, const kube::ResourceType& type);
  kube::OperationPtr answer_object(std::string_view verb, const kube::ResourceType& type, Answer answer,
                                   kube::ObjectDone done);
  std::optional<kube::ApiError> fault_of(std::string_view verb, const kube::ResourceType& type);
  [[nodiscard]] Objects snapshot(const kube::ResourceType& type, std::int64_t revision) const;
  [[nodiscard]] const json::Value* find(const kube::ResourceType& type, const kube::ObjectName& name) const;
  void record(const kube::ResourceType& type, const kube::ObjectName& name, json::Value object);
  kube::ApiResult<json::Value> store(const kube::ResourceType& type, const kube::ObjectName& name, json::Value object);
  kube::ApiResult<json::Value> replace(const kube::ResourceType& type, const kube::ObjectName& name,
                                       const json::Value& object, bool is_status, bool is_dry_run);
  kube::ApiResult<json::Value> delete_object(const kube::ResourceType& type, const kube::ObjectName& name,
                                             const kube::DeleteOptions& options);
  void run_list(Call& call, const kube::ResourceType& type, const std::string& name_space,
                const kube::ListOptions& options, kube::ListEvents& events);
  void begin_watch(const std::shared_ptr<Watch>& watch);
  void deliver_later(const std::shared_ptr<Watch>& watch);
  void deliver(Watch& watch);
  void end_watch(Watch& watch, kube::ApiResult<std::monostate> outcome);
  void later(const std::shared_ptr<Call>& call, Task task);

  loop::Loop& loop_;
  Random& random_;
  std::int64_t revision_ = 1;
  std::int64_t compacted_ = 0;
  std::int64_t next_uid_ = 1;
  std::map<kube::ResourceType, Objects> objects_;
  std::vector<Change> history_;
  std::map<std::string, int, std::less<>> requests_;
  std::set<std::shared_ptr<Watch>> watches_;
  std::map<std::uint64_t, std::unique_ptr<loop::Timer>> timers_;
  std::uint64_t next_timer_ = 0;
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace margay::test
