#include "datastore/server/watch_stream.h"

#include <utility>

#include "base/core/text.h"

namespace margay::server {
namespace {

constexpr std::size_t kSnapshotPageSize = 500;
// While listing, the next page waits for the queue to empty; while watching, more than this ends the watch.
constexpr std::size_t kListingBytesMax = 1024 * 1024;
constexpr std::size_t kWatchQueuedBytesMax = 16 * 1024 * 1024;
constexpr Duration kBookmarkInterval = std::chrono::seconds(30);
constexpr Duration kTimeoutMin = std::chrono::minutes(30);

std::string_view type_name(char kind) { return kind == 'A' ? "ADDED" : kind == 'M' ? "MODIFIED" : "DELETED"; }

}  // namespace

WatchStream::WatchStream(const Dependencies& dependencies, CallPtr call, ListOptions options, Selection selection,
                         std::function<void()> done)
    : on_(dependencies),
      call_(std::move(call)),
      options_(std::move(options)),
      selection_(std::move(selection)),
      done_(std::move(done)),
      renderer_(call_->resource, call_->form, call_->rows),
      prefix_(call_->prefix()),
      bookmark_timer_(on_.loop.make_timer([this] { on_bookmark_timer(); })),
      timeout_timer_(on_.loop.make_timer([this] { on_timeout(); })) {}

void WatchStream::tell_done() {
  if (!std::exchange(is_done_, true)) done_();
}

void WatchStream::start() {
  call_->responder->on_closed([this] { close(); });
  call_->responder->on_input_end([this] { on_input_end(); });
  // As kube-apiserver: somewhere between half an hour and an hour, so that not all clients come back at once.
  const Duration timeout =
      options_.timeout.value_or(kTimeoutMin + std::chrono::duration_cast<Duration>(
                                                  on_.random.unit() * std::chrono::duration<double>(kTimeoutMin)));
  timeout_timer_->arm(timeout);
  bookmark_timer_->arm(kBookmarkInterval);
  const bool from_present = !options_.resource_version || *options_.resource_version == 0;
  if (from_present || options_.send_initial_events) return read_page();
  begin_response();
  watch_from(*options_.resource_version);
}

void WatchStream::begin_response() {
  if (std::exchange(has_started_, true)) return;
  http::ResponseHead head{200, {}};
  head.headers.add("Cache-Control", "no-cache, private");
  head.headers.add("Content-Type", "application/json");
  call_->responder->start(std::move(head));
}

void WatchStream::close() {
  is_over_ = true;
  watch_.reset();
  if (!is_reading_) tell_done();
}

// As kube-apiserver: whoever does not keep the connection open gets what there is now, and no changes.
void WatchStream::on_input_end() {
  is_input_over_ = true;
  if (watch_ != nullptr) end();
}

void WatchStream::end() {
  if (std::exchange(is_over_, true)) return;
  watch_.reset();
  bookmark_timer_->disarm();
  timeout_timer_->disarm();
  begin_response();
  call_->responder->finish();
  if (!is_reading_) tell_done();
}

void WatchStream::finish() { end(); }

void WatchStream::drop() {
  if (is_over_) return;
  call_->responder->abort();
  close();
}

void WatchStream::read_page() {
  if (is_over_ || is_reading_) return;
  is_reading_ = true;
  on_.store.list({.prefix = prefix_, .limit = kSnapshotPageSize, .start_after = start_after_, .at_revision = snapshot_},
                 [this](Result<store::ListReply> reply) { on_page(std::move(reply)); });
}

void WatchStream::on_page(Result<store::ListReply> reply) {
  is_reading_ = false;
  if (is_over_) return tell_done();
  if (!reply) return on_error(reply.error());
  if (!snapshot_) {
    if (options_.resource_version && *options_.resource_version > reply->store_revision)
      return send_failure(version_too_large(*options_.resource_version, reply->store_revision));
    begin_response();
    call_->responder->on_drained([this] {
      if (watch_ == nullptr) read_page();
    });
  }
  snapshot_ = reply->store_revision;
  std::string text;
  for (const store::Entry& entry : reply->entries) {
    start_after_ = entry.key;
    if (selection_.matches(on_.sharing.parsed, entry.key, entry.value))
      text += event_text(Kind::kAdded, entry.value, entry.revision);
  }
  if (!text.empty()) call_->responder->write(std::move(text));
  if (reply->has_more) {
    if (call_->responder->queued_bytes() < kListingBytesMax) read_page();
    return;
  }
  if (options_.send_initial_events && options_.allow_bookmarks) send_bookmark(*snapshot_, true);
  if (is_over_) return;
  watch_from(*snapshot_);
}

void WatchStream::watch_from(store::Revision revision) {
  if (is_input_over_) return end();
  watch_ = on_.store.watch(
      prefix_, revision,
      {[this](const std::vector<store::Change>& changes) { on_changes(changes); },
       [this](store::Revision progress) { on_progress(progress); }, [this](const Error& error) { on_error(error); }});
}

void WatchStream::on_changes(const std::vector<store::Change>& changes) {
  for (const store::Change& change : changes) {
    if (is_over_) return;
    on_change(change);
  }
}

void WatchStream::on_change(const store::Change& change) {
  const auto matches = [&](const store::Bytes& bytes) {
    return bytes != nullptr && selection_.matches(on_.sharing.parsed, change.key, bytes);
  };
  const bool is_now = matches(change.value);
  const bool was_before = matches(change.previous);
  if (is_now) return emit(was_before ? Kind::kModified : Kind::kAdded, change.value, change);
  if (was_before) emit(Kind::kDeleted, change.previous, change);
}

void WatchStream::emit(Kind kind, const store::Bytes& bytes, const store::Change& change) {
  if (!renderer_.is_plain()) return send(event_text(kind, bytes, change.revision));
  auto& last = on_.sharing.last_event;
  const std::string& api_version = renderer_.resource()->api_version;
  const char letter = static_cast<char>(kind);
  const bool is_known = last.revision == change.revision && last.kind == letter && last.key == change.key &&
                        last.api_version == api_version;
  if (!is_known) last = {change.revision, change.key, api_version, letter, event_text(kind, bytes, change.revision)};
  send(last.text);
}

std::string WatchStream::event_text(Kind kind, const store::Bytes& bytes, store::Revision revision) {
  std::string text = concat("{\"type\":\"", type_name(static_cast<char>(kind)), "\",\"object\":");
  renderer_.append_event_object(text, *bytes, revision, on_.loop.wall_now());
  text += "}\n";
  return text;
}

void WatchStream::send(std::string text) {
  call_->responder->write(std::move(text));
  if (call_->responder->queued_bytes() > kWatchQueuedBytesMax) drop();
}

void WatchStream::send_bookmark(store::Revision revision, bool ends_initial_events) {
  send(concat("{\"type\":\"BOOKMARK\",\"object\":", renderer_.bookmark(revision, ends_initial_events), "}\n"));
}

void WatchStream::on_progress(store::Revision revision) {
  if (options_.allow_bookmarks) send_bookmark(revision, false);
  if (is_ending_ && !is_over_) end();
}

void WatchStream::on_bookmark_timer() {
  bookmark_timer_->arm(kBookmarkInterval);
  if (watch_ != nullptr && options_.allow_bookmarks) watch_->request_progress();
}

void WatchStream::on_timeout() {
  if (watch_ == nullptr || !options_.allow_bookmarks) return end();
  is_ending_ = true;
  watch_->request_progress();
}

void WatchStream::on_error(const Error& error) {
  if (error.code != ErrorCode::kGone) return send_failure(from_store(error, call_->subject()));
  send_failure(expired(concat("too old resource version: ", error.message)));
}

void WatchStream::send_failure(const Failure& failure) {
  if (!has_started_ && failure.code != 410) {
    is_over_ = true;
    call_->fail(failure);
    return tell_done();
  }
  begin_response();
  call_->responder->write(concat("{\"type\":\"ERROR\",\"object\":", json::dump(failure.to_value()), "}\n"));
  end();
}

}  // namespace margay::server
