#include "datastore/store/etcd_store.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"

namespace margay::store {
namespace {

constexpr std::string_view kRange = "/v3/kv/range";
constexpr std::string_view kTxn = "/v3/kv/txn";
constexpr std::string_view kCompaction = "/v3/kv/compaction";
// In one piece lists could be of any size; nobody here asks for more at once.
constexpr std::size_t kPageMax = 1000;

Error no_key_error(std::string_view key) { return Error{ErrorCode::kNotFound, concat("no key ", key)}; }

std::string range_body(const ListQuery& query, std::size_t limit) {
  etcd::RangeRequest request;
  request.key = query.start_after < query.prefix ? query.prefix : query.start_after + '\0';
  request.end = etcd::range_end(query.prefix);
  request.limit = limit;
  request.revision = query.at_revision;
  return etcd::encode_range(request);
}

// Pages of one snapshot, until the limit or the end.
struct ListRun {
  ListQuery query;
  ListReply reply;
  Callback<void(Result<ListReply>)> done;
};

void next_page(etcd::Client& client, std::unique_ptr<ListRun> run) {
  const std::size_t wanted = run->query.limit == 0 ? kPageMax : run->query.limit - run->reply.entries.size();
  const std::size_t limit = std::min(wanted, kPageMax);
  std::string body = range_body(run->query, limit);
  client.call(std::string(kRange), std::move(body), etcd::Safety::kRead,
              [&client, run = std::move(run)](Result<std::string> answer) mutable {
                if (!answer) return run->done(answer.error());
                auto page = etcd::decode_range(answer.value());
                if (!page) return run->done(page.error());
                ListReply& reply = run->reply;
                if (reply.store_revision == 0) reply.store_revision = run->query.at_revision.value_or(page->revision);
                run->query.at_revision = reply.store_revision;
                reply.remaining = page->count - std::min(page->count, page->entries.size());
                reply.has_more = reply.remaining > 0;
                for (Entry& entry : page->entries) reply.entries.push_back(std::move(entry));
                const bool is_enough = run->query.limit > 0 && reply.entries.size() >= run->query.limit;
                if (!reply.has_more || is_enough || page->entries.empty()) return run->done(std::move(reply));
                run->query.start_after = reply.entries.back().key;
                next_page(client, std::move(run));
              });
}

}  // namespace

EtcdStore::EtcdStore(loop::Loop& loop, loop::Network& network, Random& random, telemetry::Logger log,
                     EtcdStoreConfig config)
    : loop_(loop),
      random_(random),
      log_(std::move(log)),
      config_(std::move(config)),
      deferred_(loop),
      client_(loop, network, config_.client),
      feed_(std::make_unique<ChangeFeed>(loop, config_.history, 0)),
      retry_timer_(loop.make_timer([this] { restart_feed(); })),
      compaction_timer_(loop.make_timer([this] { compact(); })) {
  if (config_.compaction_interval) compaction_timer_->arm(*config_.compaction_interval);
}

EtcdStore::~EtcdStore() = default;

void EtcdStore::get(std::string key, Callback<void(Result<GetReply>)> done) {
  etcd::RangeRequest request;
  request.key = std::move(key);
  client_.call(std::string(kRange), etcd::encode_range(request), etcd::Safety::kRead,
               [done = std::move(done)](Result<std::string> answer) mutable {
                 if (!answer) return done(answer.error());
                 auto reply = etcd::decode_range(answer.value());
                 if (!reply) return done(reply.error());
                 GetReply out{std::nullopt, reply->revision};
                 if (!reply->entries.empty()) out.entry = std::move(reply->entries.front());
                 done(std::move(out));
               });
}

void EtcdStore::list(ListQuery query, Callback<void(Result<ListReply>)> done) {
  auto run = std::make_unique<ListRun>();
  run->query = std::move(query);
  run->done = std::move(done);
  next_page(client_, std::move(run));
}

void EtcdStore::put(std::string key, std::string value, Precondition precondition,
                    Callback<void(Result<Revision>)> done) {
  std::string body = etcd::encode_put(key, value, precondition);
  change(std::move(body), precondition, std::move(key), std::move(done));
}

void EtcdStore::remove(std::string key, Revision expected, Callback<void(Result<Revision>)> done) {
  const Precondition precondition{Precondition::Kind::kRevision, expected};
  std::string body = etcd::encode_remove(key, expected);
  change(std::move(body), precondition, std::move(key), std::move(done));
}

void EtcdStore::change(std::string body, Precondition precondition, std::string key,
                       Callback<void(Result<Revision>)> done) {
  client_.call(std::string(kTxn), std::move(body), etcd::Safety::kChange,
               [precondition, key = std::move(key), done = std::move(done)](Result<std::string> answer) mutable {
                 if (!answer) return done(answer.error());
                 const auto reply = etcd::decode_txn(answer.value());
                 if (!reply) return done(reply.error());
                 if (reply->succeeded) return done(reply->revision);
                 if (precondition.kind == Precondition::Kind::kAbsent)
                   return done(Error{ErrorCode::kAlreadyExists, concat("key ", key, " exists")});
                 if (!reply->key_exists) return done(no_key_error(key));
                 done(Error{ErrorCode::kConflict, concat("key ", key, " is not at revision ", precondition.revision)});
               });
}

void EtcdStore::check(Callback<void(Status)> done) {
  etcd::RangeRequest request;
  request.key = config_.root;
  request.is_count_only = true;
  client_.call(std::string(kRange), etcd::encode_range(request), etcd::Safety::kRead,
               [done = std::move(done)](const Result<std::string>& answer) mutable {
                 done(answer ? ok_status() : Status(answer.error()));
               });
}

// Compacts to where the store stood one interval ago, so that nobody who keeps up is cut off.
void EtcdStore::compact() {
  compaction_timer_->arm(*config_.compaction_interval);
  etcd::RangeRequest request;
  request.key = config_.root;
  request.is_count_only = true;
  client_.call(
      std::string(kRange), etcd::encode_range(request), etcd::Safety::kRead, [this](const Result<std::string>& answer) {
        const auto reply = answer ? etcd::decode_range(answer.value()) : Result<etcd::RangeReply>(answer.error());
        if (!reply) return;
        const Revision old = std::exchange(compaction_revision_, reply->revision);
        if (old == 0) return;
        // Another server may have been first, which is as good.
        client_.call(std::string(kCompaction), etcd::encode_compaction(old), etcd::Safety::kRead,
                     [](const Result<std::string>&) {});
      });
}

}  // namespace margay::store
