#include "datastore/apiserver/store_choice.h"

#include <utility>

#include "base/core/text.h"
#include "datastore/store/etcd_store.h"
#include "datastore/store/memory_store.h"

namespace margay::apiserver {
namespace {

class ChosenMemory final : public ChosenStore {
 public:
  ChosenMemory(std::unique_ptr<store::MemoryStore> store, telemetry::Registry& metrics)
      : store_(std::move(store)),
        entries_(metrics.callback_gauge({"margay_store_entries", "Objects in the memory store.", ""}, {},
                                        [this] { return static_cast<double>(store_->entry_count()); })) {}
  store::Store& store() override { return *store_; }
  [[nodiscard]] std::string name() const override { return "memory"; }
  Status close() override { return store_->flush(); }

 private:
  std::unique_ptr<store::MemoryStore> store_;
  telemetry::CallbackHandle entries_;
};

class ChosenEtcd final : public ChosenStore {
 public:
  ChosenEtcd(const StoreEnvironment& environment, store::EtcdStoreConfig config)
      : store_(environment.loop, environment.network, environment.random, environment.log, std::move(config)) {}
  store::Store& store() override { return store_; }
  [[nodiscard]] std::string name() const override { return "etcd"; }
  Status close() override { return ok_status(); }

 private:
  store::EtcdStore store_;
};

}  // namespace

Result<std::unique_ptr<ChosenStore>> choose_store(StoreEnvironment environment, const StoreSpec& spec) {
  if (spec.kind == StoreSpec::Kind::kEtcd) {
    store::EtcdStoreConfig config;
    config.client.endpoints = spec.etcd_endpoints;
    return std::unique_ptr<ChosenStore>(std::make_unique<ChosenEtcd>(environment, std::move(config)));
  }
  store::MemoryStoreConfig config;
  config.snapshot_path = spec.snapshot_path;
  config.on_snapshot_error = [log = environment.log](const Error& error) {
    log.error("the snapshot cannot be written", {{"error", error}});
  };
  MARGAY_ASSIGN_OR_RETURN(auto store, store::MemoryStore::open(environment.loop, std::move(config),
                                                               std::make_unique<loop::Worker>(environment.loop)));
  return std::unique_ptr<ChosenStore>(std::make_unique<ChosenMemory>(std::move(store), environment.metrics));
}

}  // namespace margay::apiserver
