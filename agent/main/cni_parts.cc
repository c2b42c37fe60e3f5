#include "agent/main/cni_parts.h"

#include <utility>

namespace margay::agent {

CniParts::CniParts(Parts parts)
    : parts_(std::move(parts)),
      facts_(parts_.node),
      attached_(facts_),
      addresses_({parts_.loop, parts_.client, parts_.log}, facts_.allocator_config()),
      pool_conditions_(
          {.loop = parts_.loop,
           .random = parts_.random,
           .client = parts_.client,
           .facts = facts_,
           .has_room = [this](const ipam::PoolRange& pool) { return addresses_.allocator().has_room(pool); },
           .log = parts_.log}),
      waiter_(parts_.loop, parts_.book, parts_.workloads),
      server_({.loop = parts_.loop,
               .client = parts_.client,
               .facts = facts_,
               .book = addresses_,
               .readiness = waiter_,
               .attached = attached_,
               .log = parts_.log,
               .metrics = parts_.metrics,
               .spool_folder = parts_.state_dir + "/cni/releases",
               .interfaces_folder = parts_.run_dir + "/cni/interfaces",
               .mtu = parts_.mtu,
               .on_pod_news = parts_.on_pod_news,
               .on_exhausted = [this](const std::vector<ipam::PoolRange>& pools, const std::string& who) {
                 pool_conditions_.note_exhausted(pools, who);
               }}) {
  facts_.on_config = [this] { addresses_.configure(facts_.allocator_config()); };
}

void CniParts::watch_all(watch::ClusterWatch& cluster) {
  cluster.add<model::IpReservation>(
      {}, {[this](const model::ObjectKey& key, const auto& value) { facts_.set(key, value); }});
  cluster.add<model::IpamConfiguration>(
      {}, {[this](const model::ObjectKey& key, const auto& value) { facts_.set(key, value); }});
}

void CniParts::open() {
  if (std::exchange(is_open_, true)) return;
  facts_.mark_in_sync();
  addresses_.start();
  server_.start();
}

Status CniParts::listen(const std::string& socket_path) { return server_.listen(parts_.network, socket_path); }

}  // namespace margay::agent
