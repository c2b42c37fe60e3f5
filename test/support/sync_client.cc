#include "test/support/sync_client.h"

#include <functional>
#include <optional>

#include "base/core/check.h"
#include "base/core/random.h"
#include "base/loop/asio_loop.h"
#include "base/loop/asio_network.h"
#include "datastore/kube/config.h"
#include "datastore/kube/make_client.h"

namespace margay::test {
namespace {

using json::Value;
using kube::ApiResult;

constexpr Duration kHangs = std::chrono::seconds(90);

kube::ConnectionConfig connection_of(const std::string& kubeconfig_path) {
  kube::ConnectionFlags flags;
  flags.kubeconfig = kubeconfig_path;
  auto config = kube::choose_connection(flags, kube::Environment{});
  MARGAY_CHECK(config.ok());
  return std::move(config).value();
}

kube::ClientOptions without_rate_limit() {
  kube::ClientOptions options;
  options.user_agent = "margay-test";
  options.requests_per_second = 0;
  return options;
}

Value must_parse(std::string_view text) {
  auto parsed = json::parse(text);
  MARGAY_CHECK(parsed.ok());
  return std::move(parsed).value();
}

std::string namespace_of(const Value& object) { return std::string(object.string_at({"metadata", "namespace"})); }

kube::ObjectName name_of(const Value& object) {
  return {namespace_of(object), std::string(object.string_at({"metadata", "name"}))};
}

}  // namespace

struct SyncClient::Impl {
  explicit Impl(const std::string& kubeconfig_path)
      : network(loop),
        random(system_seed()),
        client(kube::make_client(loop, network, random, connection_of(kubeconfig_path), without_rate_limit())) {}

  // Starts an operation and runs the loop until its outcome is there.
  template <class T>
  ApiResult<T> wait(const std::function<kube::OperationPtr(std::optional<ApiResult<T>>&)>& start) {
    std::optional<ApiResult<T>> outcome;
    const kube::OperationPtr operation = start(outcome);
    MARGAY_CHECK(loop.run_until([&] { return outcome.has_value(); }, kHangs));
    return std::move(*outcome);
  }

  ApiResult<Value> wait_for_object(const std::function<kube::OperationPtr(kube::ObjectDone)>& start) {
    return wait<Value>([&](std::optional<ApiResult<Value>>& outcome) {
      return start([&outcome](ApiResult<Value> result) { outcome.emplace(std::move(result)); });
    });
  }

  loop::AsioLoop loop;
  loop::AsioNetwork network;
  SeededRandom random;
  std::unique_ptr<kube::Client> client;
};

struct RecordedWatch::State {
  loop::AsioLoop* loop = nullptr;
  std::vector<Event> events;
  std::optional<ApiResult<std::monostate>> outcome;
  bool is_open = false;
  kube::OperationPtr operation;
};

std::vector<RecordedWatch::Event> RecordedWatch::wait_for(std::size_t count) {
  MARGAY_CHECK(
      state_->loop->run_until([&] { return state_->events.size() >= count || state_->outcome.has_value(); }, kHangs));
  return state_->events;
}

ApiResult<std::monostate> RecordedWatch::wait_for_end() {
  MARGAY_CHECK(state_->loop->run_until([&] { return state_->outcome.has_value(); }, kHangs));
  return *state_->outcome;
}

SyncClient::SyncClient(const std::string& kubeconfig_path) : impl_(std::make_unique<Impl>(kubeconfig_path)) {}
SyncClient::~SyncClient() = default;

kube::Client& SyncClient::client() { return *impl_->client; }

ApiResult<Value> SyncClient::get(const kube::ResourceType& type, const kube::ObjectName& name) {
  return impl_->wait_for_object([&](kube::ObjectDone done) { return impl_->client->get(type, name, std::move(done)); });
}

ApiResult<Value> SyncClient::create(const kube::ResourceType& type, const Value& object,
                                    const kube::WriteOptions& options) {
  return impl_->wait_for_object([&](kube::ObjectDone done) {
    return impl_->client->create(type, namespace_of(object), object, options, std::move(done));
  });
}

ApiResult<Value> SyncClient::update(const kube::ResourceType& type, const Value& object,
                                    const kube::WriteOptions& options) {
  return impl_->wait_for_object([&](kube::ObjectDone done) {
    return impl_->client->update(type, name_of(object), object, options, std::move(done));
  });
}

ApiResult<Value> SyncClient::update_status(const kube::ResourceType& type, const Value& object) {
  return impl_->wait_for_object([&](kube::ObjectDone done) {
    return impl_->client->update_status(type, name_of(object), object, {}, std::move(done));
  });
}

ApiResult<Value> SyncClient::patch(const kube::ResourceType& type, const kube::ObjectName& name,
                                   kube::PatchType patch_type, const std::string& body,
                                   const kube::WriteOptions& options, const std::string& subresource) {
  return impl_->wait_for_object([&](kube::ObjectDone done) {
    return impl_->client->patch(type, name, subresource, patch_type, body, options, std::move(done));
  });
}

ApiResult<Value> SyncClient::remove(const kube::ResourceType& type, const kube::ObjectName& name,
                                    const kube::DeleteOptions& options) {
  return impl_->wait_for_object(
      [&](kube::ObjectDone done) { return impl_->client->remove(type, name, options, std::move(done)); });
}

ApiResult<Listed> SyncClient::list(const kube::ResourceType& type, const std::string& name_space,
                                   const kube::ListOptions& options) {
  std::vector<Value> items;
  auto meta = impl_->wait<kube::ListMeta>([&](std::optional<ApiResult<kube::ListMeta>>& outcome) {
    return impl_->client->list(
        type, name_space, options,
        {.on_item = [&items](std::string_view item) { items.push_back(must_parse(item)); },
         .on_done = [&outcome](ApiResult<kube::ListMeta> result) { outcome.emplace(std::move(result)); }});
  });
  if (!meta.ok()) return std::move(meta).error();
  return Listed{std::move(items), std::move(meta).value()};
}

RecordedWatch SyncClient::watch(const kube::ResourceType& type, const std::string& name_space,
                                const kube::WatchOptions& options) {
  auto state = std::make_shared<RecordedWatch::State>();
  state->loop = &impl_->loop;
  RecordedWatch::State* raw = state.get();
  state->operation = impl_->client->watch(
      type, name_space, options,
      {.on_open = [raw] { raw->is_open = true; },
       .on_event =
           [raw](const kube::WatchEvent& event) {
             if (event.kind == kube::WatchEvent::Kind::kBookmark) return;
             raw->events.push_back({event.kind, must_parse(event.object_json)});
           },
       .on_done = [raw](ApiResult<std::monostate> outcome) { raw->outcome.emplace(std::move(outcome)); }});
  MARGAY_CHECK(impl_->loop.run_until([raw] { return raw->is_open || raw->outcome.has_value(); }, kHangs));
  return RecordedWatch(std::move(state));
}

ApiResult<std::string> SyncClient::get_path(const std::string& path) {
  return impl_->wait<std::string>([&](std::optional<ApiResult<std::string>>& outcome) {
    return impl_->client->get_path(path, [&outcome](ApiResult<std::string> body) { outcome.emplace(std::move(body)); });
  });
}

}  // namespace margay::test
