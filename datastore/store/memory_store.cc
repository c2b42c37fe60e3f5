#include "datastore/store/memory_store.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "datastore/store/snapshot.h"

namespace margay::store {
namespace {

constexpr int kSnapshotFailuresMax = 5;

Revision clock_revision(const loop::Loop& loop) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(loop.wall_now().time_since_epoch()).count();
  return micros > 0 ? static_cast<Revision>(micros) : 1;
}

Error no_such_key(std::string_view key) { return Error{ErrorCode::kNotFound, concat("no key ", key)}; }

}  // namespace

struct MemoryStore::Write {
  Snapshot snapshot;
  TimePoint begun;
  Revision revision = snapshot.revision;
  Status result = ok_status();

  // Perhaps on the worker's thread. Most of the memory is given back there, too.
  void run(const std::string& path) {
    result = write_snapshot_file(path, snapshot);
    snapshot = {};
  }
};

Result<std::unique_ptr<MemoryStore>> MemoryStore::open(loop::Loop& loop, MemoryStoreConfig config,
                                                       std::unique_ptr<loop::Worker> worker) {
  Snapshot snapshot;
  if (!config.snapshot_path.empty()) {
    MARGAY_ASSIGN_OR_RETURN(snapshot, read_snapshot_file(config.snapshot_path));
  }
  const Revision revision = std::max(snapshot.revision + 1, clock_revision(loop));
  std::unique_ptr<MemoryStore> store(new MemoryStore(loop, std::move(config), std::move(worker), revision));
  for (Entry& entry : snapshot.entries) {
    store->keys_.emplace(std::move(entry.key), Versions{Version{entry.revision, std::move(entry.value)}});
    ++store->entry_count_;
  }
  return store;
}

MemoryStore::MemoryStore(loop::Loop& loop, MemoryStoreConfig config, std::unique_ptr<loop::Worker> worker,
                         Revision revision)
    : loop_(loop),
      config_(std::move(config)),
      revision_(revision),
      deferred_(loop),
      feed_(loop, config_.history, revision),
      snapshot_timer_(loop.make_timer([this] { begin_write(); })),
      snapshot_revision_(revision),
      worker_(std::move(worker)) {}

MemoryStore::~MemoryStore() = default;

const MemoryStore::Version* MemoryStore::current(const std::string& key) const {
  const auto it = keys_.find(key);
  if (it == keys_.end() || !it->second.back().value) return nullptr;
  return &it->second.back();
}

void MemoryStore::get(std::string key, Callback<void(Result<GetReply>)> done) {
  GetReply reply{std::nullopt, revision_};
  if (const Version* version = current(key)) reply.entry = Entry{std::move(key), version->value, version->revision};
  deferred_.run([reply = std::move(reply), done = std::move(done)]() mutable { done(std::move(reply)); });
}

void MemoryStore::list(ListQuery query, Callback<void(Result<ListReply>)> done) {
  deferred_.run([reply = read(query), done = std::move(done)]() mutable { done(std::move(reply)); });
}

Result<ListReply> MemoryStore::read(const ListQuery& query) const {
  const Revision revision = query.at_revision.value_or(revision_);
  if (revision < feed_.floor() || revision > revision_)
    return Error{ErrorCode::kGone,
                 concat("revision ", revision, " is not kept; the store has ", feed_.floor(), " to ", revision_)};
  ListReply reply;
  reply.store_revision = revision;
  auto it = query.start_after < query.prefix ? keys_.lower_bound(query.prefix) : keys_.upper_bound(query.start_after);
  for (; it != keys_.end() && it->first.starts_with(query.prefix); ++it) {
    const auto newer = std::find_if(it->second.rbegin(), it->second.rend(),
                                    [&](const Version& version) { return version.revision <= revision; });
    if (newer == it->second.rend() || !newer->value) continue;
    if (query.limit > 0 && reply.entries.size() == query.limit) {
      reply.has_more = true;
      if (!query.wants_remaining) break;
      ++reply.remaining;
      continue;
    }
    reply.entries.push_back(Entry{it->first, newer->value, newer->revision});
  }
  return reply;
}

void MemoryStore::put(std::string key, std::string value, Precondition precondition,
                      Callback<void(Result<Revision>)> done) {
  auto bytes = std::make_shared<const std::string>(std::move(value));
  deferred_.run([result = change(std::move(key), std::move(bytes), precondition), done = std::move(done)]() mutable {
    done(std::move(result));
  });
}

void MemoryStore::remove(std::string key, Revision expected, Callback<void(Result<Revision>)> done) {
  auto result = change(std::move(key), nullptr, Precondition{Precondition::Kind::kRevision, expected});
  deferred_.run([result = std::move(result), done = std::move(done)]() mutable { done(std::move(result)); });
}

Result<Revision> MemoryStore::change(std::string key, Bytes value, const Precondition& precondition) {
  const Version* before = current(key);
  if (precondition.kind == Precondition::Kind::kAbsent) {
    if (before != nullptr) return Error{ErrorCode::kAlreadyExists, concat("key ", key, " exists")};
  } else {
    if (before == nullptr) return no_such_key(key);
    if (before->revision != precondition.revision)
      return Error{ErrorCode::kConflict,
                   concat("key ", key, " is at revision ", before->revision, ", not ", precondition.revision)};
  }
  Bytes previous = before == nullptr ? nullptr : before->value;
  if (!previous) ++entry_count_;
  if (!value) --entry_count_;
  ++revision_;
  keys_[key].push_back(Version{revision_, value});
  feed_.append({Change{std::move(key), std::move(value), std::move(previous), revision_}});
  forget_history();
  schedule_snapshot();
  return revision_;
}

void MemoryStore::forget_history() {
  while (const auto dropped = feed_.drop_excess())
    for (const Change& change : *dropped) forget_before(change);
}

// What could be seen only before this change is no longer asked for.
void MemoryStore::forget_before(const Change& change) {
  const auto it = keys_.find(change.key);
  if (it == keys_.end()) return;
  Versions& versions = it->second;
  auto keep = std::find_if(versions.begin(), versions.end(),
                           [&](const Version& version) { return version.revision >= change.revision; });
  // A deletion at the very beginning says no more than the key's absence.
  if (keep != versions.end() && !keep->value && keep->revision == change.revision) ++keep;
  versions.erase(versions.begin(), keep);
  if (versions.empty()) keys_.erase(it);
}

std::unique_ptr<Watch> MemoryStore::watch(std::string prefix, Revision after, WatchEvents events) {
  if (after <= revision_) return feed_.watch(std::move(prefix), after, std::move(events));
  return feed_.refuse(
      std::move(events),
      Error{ErrorCode::kGone, concat("revision ", after, " is not of this store, which is at ", revision_)});
}

void MemoryStore::check(Callback<void(Status)> done) {
  deferred_.run([done = std::move(done)]() mutable { done(ok_status()); });
}

void MemoryStore::schedule_snapshot() {
  if (config_.snapshot_path.empty() || snapshot_timer_->is_armed()) return;
  const Duration delay = config_.snapshot_delay * (1 << std::min(snapshot_failures_, kSnapshotFailuresMax));
  snapshot_timer_->arm(std::max(delay, snapshot_cost_ * config_.snapshot_cost_factor));
}

std::shared_ptr<MemoryStore::Write> MemoryStore::next_write() const {
  auto write = std::make_shared<Write>(Write{{revision_, {}}, loop_.now()});
  write->snapshot.entries.reserve(entry_count_);
  for (const auto& [key, versions] : keys_)
    if (versions.back().value)
      write->snapshot.entries.push_back(Entry{key, versions.back().value, versions.back().revision});
  return write;
}

void MemoryStore::begin_write() {
  if (worker_ != nullptr && worker_->is_busy()) return schedule_snapshot();
  if (snapshot_revision_ == revision_) return;
  const std::shared_ptr<Write> write = next_write();
  if (worker_ != nullptr)
    return worker_->run([write, path = config_.snapshot_path] { write->run(path); },
                        [this, write] { end_write(*write); });
  write->run(config_.snapshot_path);
  end_write(*write);
}

void MemoryStore::end_write(const Write& write) {
  snapshot_cost_ = loop_.now() - write.begun;
  if (write.result.ok()) {
    snapshot_revision_ = write.revision;
    snapshot_failures_ = 0;
    return;
  }
  ++snapshot_failures_;
  if (config_.on_snapshot_error) config_.on_snapshot_error(write.result.error());
  schedule_snapshot();
}

Status MemoryStore::flush() {
  if (worker_ != nullptr) worker_->wait();
  if (config_.snapshot_path.empty() || snapshot_revision_ == revision_) return ok_status();
  const std::shared_ptr<Write> write = next_write();
  write->run(config_.snapshot_path);
  if (write->result.ok()) snapshot_revision_ = write->revision;
  return write->result;
}

}  // namespace margay::store
