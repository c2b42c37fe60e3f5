// EtcdStore: the store in an etcd v3 cluster, through its HTTP gateway. Stateless: any number of servers on one cluster
// see the same objects and the same revisions.
//
// All watches of this process share one etcd watch over the registry, and a ChangeFeed:
//
//   etcd ─watch▶ feed_ ─▶ watches       (began kHistoryRevisions before the present, or where etcd's history begins)
//     ✗ broken: again from the last revision; compacted meanwhile: every watch ends with kGone
//
// Consistency: reads and changes are linearizable; a page of a list is read at the revision of the first one. One loop;
// outlives its watches.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/core/random.h"
#include "base/telemetry/log.h"
#include "datastore/store/change_feed.h"
#include "datastore/store/deferred.h"
#include "datastore/store/etcd_client.h"
#include "datastore/store/etcd_codec.h"
#include "datastore/store/store.h"

namespace margay::store {

struct EtcdStoreConfig {
  etcd::ClientConfig client;
  std::string root = "/margay/registry/";  // what the shared watch covers; every key begins with it
  ChangeFeed::Limits history;
  // Drop etcd's history older than one to two intervals; nullopt: somebody else does (etcd
  // --auto-compaction-retention).
  std::optional<Duration> compaction_interval;
};

class EtcdStore final : public Store {
 public:
  EtcdStore(loop::Loop& loop, loop::Network& network, Random& random, telemetry::Logger log, EtcdStoreConfig config);
  ~EtcdStore() override;

  void get(std::string key, Callback<void(Result<GetReply>)> done) override;
  void list(ListQuery query, Callback<void(Result<ListReply>)> done) override;
  void put(std::string key, std::string value, Precondition precondition,
           Callback<void(Result<Revision>)> done) override;
  void remove(std::string key, Revision expected, Callback<void(Result<Revision>)> done) override;
  std::unique_ptr<Watch> watch(std::string prefix, Revision after, WatchEvents events) override;
  void check(Callback<void(Status)> done) override;

 private:
  class WaitingWatch;

  void change(std::string body, Precondition precondition, std::string key, Callback<void(Result<Revision>)> done);
  // The shared watch.
  void begin_feed();
  void open_feed(Revision after);
  void on_line(std::string_view line);
  void on_reply(etcd::WatchReply reply);
  void feed_changes(std::vector<Change> changes);
  void feed_lost(const Error& error);
  void restart_feed();
  // Watches begin when the feed is there and `after` is known to be a revision of this cluster.
  void admit_waiting();
  void check_future(WaitingWatch& watch);
  void compact();

  loop::Loop& loop_;
  Random& random_;
  telemetry::Logger log_;
  EtcdStoreConfig config_;
  Deferred deferred_;
  etcd::Client client_;
  std::unique_ptr<ChangeFeed> feed_;
  bool is_feed_wanted_ = false;
  bool has_feed_begun_ = false;  // feed_ knows where it stands
  bool is_cancel_expected_ = false;
  int feed_failures_ = 0;
  std::map<std::uint64_t, WaitingWatch*> watches_;
  std::uint64_t next_watch_id_ = 1;
  std::unique_ptr<loop::Timer> retry_timer_;
  std::unique_ptr<loop::Timer> compaction_timer_;
  Revision compaction_revision_ = 0;
  std::unique_ptr<etcd::Client::Stream> stream_;
};

}  // namespace margay::store
