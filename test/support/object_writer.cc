#include "test/support/object_writer.h"

#include <deque>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "base/core/check.h"
#include "base/core/random.h"
#include "base/core/text.h"
#include "base/loop/asio_loop.h"
#include "base/loop/asio_network.h"
#include "datastore/kube/config.h"
#include "datastore/kube/make_client.h"
#include "datastore/watch/resource_of.h"

namespace margay::test {
namespace {

using json::Value;
using kube::ApiResult;
using model::Kind;
using model::ObjectKey;

constexpr std::size_t kInFlightMax = 24;
constexpr Duration kWriteHangs = std::chrono::seconds(90);

kube::ConnectionConfig writer_connection(const std::string& kubeconfig) {
  auto config = kube::choose_connection({.kubeconfig = kubeconfig}, {});
  MARGAY_CHECK(config.ok());
  return std::move(config).value();
}

std::string resource_name(Kind kind) {
  const kube::ResourceType type = watch::resource_of(kind);
  return type.group.empty() ? type.plural : concat(type.plural, ".", type.group);
}

// What others refer to comes first and goes last.
int rank_of(Kind kind) {
  if (kind == Kind::kNamespace) return 0;
  return kind == Kind::kTier ? 1 : 2;
}

bool has_status(Kind kind) { return kind == Kind::kPod || kind == Kind::kNode; }

}  // namespace

struct ObjectWriter::Impl {
  explicit Impl(const std::string& kubeconfig)
      : network(loop),
        client(kube::make_client(loop, network, random, writer_connection(kubeconfig),
                                 {.requests_per_second = 0, .metrics = nullptr})) {}

  using Start = std::function<kube::OperationPtr(kube::ObjectDone)>;
  void queue(const ObjectKey& key, Start start, std::function<void(const Value&)> done);
  void pump();
  void drain();
  void upsert(const ObjectKey& key, const Value& object);
  void write_status(const ObjectKey& key, const Value& object, const Value& answered);
  void remove(const ObjectKey& key);
  void note_version(const ObjectKey& key, const Value& answered);
  void count_removed(const std::set<Kind>& kinds);
  void find_those_of(Kind kind);

  loop::AsioLoop loop;
  loop::AsioNetwork network;
  SeededRandom random{1};
  std::unique_ptr<kube::Client> client;
  struct Job {
    ObjectKey key;
    Start start;
    std::function<void(const Value&)> done;
  };
  std::deque<Job> jobs;
  std::map<std::size_t, kube::OperationPtr> in_flight;
  std::vector<std::size_t> over;  // operations that may end now
  std::size_t next = 0, open = 0;
  ObjectMap written;
  std::map<ObjectKey, std::string> versions;
  ObjectMap found;  // the server's own
  std::map<std::string, Watched> watched;
  std::vector<std::string> refused;
};

void ObjectWriter::Impl::queue(const ObjectKey& key, Start start, std::function<void(const Value&)> done) {
  jobs.push_back({key, std::move(start), std::move(done)});
}

void ObjectWriter::Impl::pump() {
  for (const std::size_t id : std::exchange(over, {})) in_flight.erase(id);
  while (!jobs.empty() && open < kInFlightMax) {
    Job job = std::move(jobs.front());
    jobs.pop_front();
    const std::size_t id = next++;
    ++open;
    in_flight[id] = job.start([this, id, key = job.key, done = std::move(job.done)](const ApiResult<Value>& result) {
      --open;
      over.push_back(id);
      if (result.ok()) return done(*result);
      written.erase(key);
      refused.push_back(concat(key.to_string(), ": ", result.error().message));
    });
  }
}

void ObjectWriter::Impl::drain() {
  const bool is_done = loop.run_until(
      [this] {
        pump();
        return jobs.empty() && open == 0;
      },
      kWriteHangs);
  MARGAY_CHECK(is_done);
  pump();
}

void ObjectWriter::Impl::note_version(const ObjectKey& key, const Value& answered) {
  const std::string version(answered.string_at({"metadata", "resourceVersion"}));
  if (version.empty()) return;
  versions[key] = version;
  Watched& seen = watched[resource_name(key.kind)];
  const auto number = parse_number<std::int64_t>(version);
  if (number && *number > seen.version) {
    seen.version = *number;
    seen.is_counted = false;
  }
}

void ObjectWriter::Impl::upsert(const ObjectKey& key, const Value& object) {
  const kube::ResourceType type = watch::resource_of(key.kind);
  Value sent = object;
  const auto version = versions.find(key);
  const bool is_new = version == versions.end();
  if (!is_new) sent["metadata"]["resourceVersion"] = version->second;
  queue(
      key,
      [this, type, key, sent, is_new](kube::ObjectDone done) {
        if (is_new) return client->create(type, key.name_space, sent, {}, std::move(done));
        return client->update(type, {key.name_space, key.name}, sent, {}, std::move(done));
      },
      [this, key, object](const Value& answered) {
        note_version(key, answered);
        if (has_status(key.kind) && object.find("status") != nullptr) write_status(key, object, answered);
      });
}

void ObjectWriter::Impl::write_status(const ObjectKey& key, const Value& object, const Value& answered) {
  Value sent = answered;
  sent["status"] = *object.find("status");
  queue(
      key,
      [this, key, sent](kube::ObjectDone done) {
        return client->update_status(watch::resource_of(key.kind), {key.name_space, key.name}, sent, {},
                                     std::move(done));
      },
      [this, key](const Value& again) { note_version(key, again); });
}

void ObjectWriter::Impl::remove(const ObjectKey& key) {
  versions.erase(key);
  queue(
      key,
      [this, key](kube::ObjectDone done) {
        return client->remove(watch::resource_of(key.kind), {key.name_space, key.name}, {.grace_period_seconds = 0},
                              std::move(done));
      },
      [](const Value&) {});
}

// An answer to a removal need not say at which version it happened.
void ObjectWriter::Impl::count_removed(const std::set<Kind>& kinds) {
  for (const Kind kind : kinds) {
    std::size_t count = 0;
    bool is_over = false;
    const kube::OperationPtr operation =
        client->list(watch::resource_of(kind), "", {},
                     {.on_item = [&count](std::string_view) { ++count; },
                      .on_done = [&is_over](const ApiResult<kube::ListMeta>& result) { is_over = result.ok(); }});
    MARGAY_CHECK(loop.run_until([&] { return is_over; }, kWriteHangs));
    Watched& seen = watched[resource_name(kind)];
    seen.objects = count;
    seen.is_counted = true;
  }
}

// A server begins with a few: they can be changed, and are brought back.
void ObjectWriter::Impl::find_those_of(Kind kind) {
  bool is_over = false;
  const auto on_item = [this, kind](std::string_view item) {
    const Value object = json::parse(item).value();
    const ObjectKey key{kind, "", std::string(object.string_at({"metadata", "name"}))};
    versions[key] = object.string_at({"metadata", "resourceVersion"});
    found[key] = object;
  };
  const kube::OperationPtr operation = client->list(
      watch::resource_of(kind), "", {},
      {.on_item = on_item, .on_done = [&is_over](const ApiResult<kube::ListMeta>& result) { is_over = result.ok(); }});
  MARGAY_CHECK(loop.run_until([&] { return is_over; }, kWriteHangs));
}

ObjectWriter::ObjectWriter(const std::string& kubeconfig) : impl_(std::make_unique<Impl>(kubeconfig)) {
  for (const Kind kind : {Kind::kNamespace, Kind::kTier}) impl_->find_those_of(kind);
}
ObjectWriter::~ObjectWriter() = default;

const ObjectMap& ObjectWriter::written() const { return impl_->written; }
const std::map<std::string, Watched>& ObjectWriter::watched() const { return impl_->watched; }
void ObjectWriter::reconnect() { impl_->count_removed({Kind::kNamespace}); }

std::vector<std::string> ObjectWriter::bring_to(const ObjectMap& wanted) {
  std::vector<ObjectKey> gone;
  for (const auto& [key, object] : impl_->written) {
    if (!wanted.contains(key) && key.kind != Kind::kNamespace) gone.push_back(key);
  }
  std::set<Kind> kinds;
  for (const int rank : {2, 1}) {
    for (const ObjectKey& key : gone) {
      if (rank_of(key.kind) != rank) continue;
      impl_->written.erase(key);
      const auto found = impl_->found.find(key);
      if (found != impl_->found.end()) {
        impl_->upsert(key, found->second);
      } else if (impl_->versions.contains(key)) {
        impl_->remove(key);
        kinds.insert(key.kind);
      }
    }
    impl_->drain();
  }
  impl_->count_removed(kinds);
  for (const int rank : {0, 1, 2}) {
    for (const auto& [key, object] : wanted) {
      if (rank_of(key.kind) != rank) continue;
      const auto before = impl_->written.find(key);
      if (before != impl_->written.end() && before->second == object) continue;
      impl_->upsert(key, object);
      impl_->written[key] = object;
    }
    impl_->drain();
  }
  return std::exchange(impl_->refused, {});
}

std::vector<std::string> ObjectWriter::put(const ObjectKey& key, const Value* object) {
  if (object == nullptr) {
    impl_->remove(key);
    impl_->written.erase(key);
  } else {
    impl_->upsert(key, *object);
    impl_->written[key] = *object;
  }
  impl_->drain();
  if (object == nullptr) impl_->count_removed({key.kind});
  return std::exchange(impl_->refused, {});
}

}  // namespace margay::test
