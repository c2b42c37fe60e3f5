#include "datastore/server/list_stream.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"

namespace margay::server {
namespace {

constexpr std::size_t kListPageSize = 500;
// More than so many at once are given out in several answers, whatever limit was asked for.
constexpr std::size_t kLimitMax = 10'000;
constexpr std::size_t kListQueuedBytesMax = 1024 * 1024;

constexpr std::string_view kTooOld =
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list.";

}  // namespace

ListStream::ListStream(store::Store& store, CallPtr call, ListOptions options, Selection selection,
                       std::function<void()> done)
    : store_(store),
      call_(std::move(call)),
      options_(std::move(options)),
      selection_(std::move(selection)),
      done_(std::move(done)),
      renderer_(call_->resource, call_->form, call_->rows),
      prefix_(call_->prefix()) {
  options_.limit = std::min(options_.limit, kLimitMax);
}

void ListStream::tell_done() {
  if (!std::exchange(is_done_, true)) done_();
}

void ListStream::start() {
  call_->responder->on_closed([this] { close(); });
  if (const ApiStatus begun = begin(); !begun.ok()) return fail(begun.error());
  read_page();
}

ApiStatus ListStream::begin() {
  if (options_.match == VersionMatch::kExact) revision_ = options_.resource_version;
  // The older rule of Kubernetes: with a limit, a version alone means exactly that one.
  const bool is_given = options_.resource_version && *options_.resource_version != 0;
  if (options_.match == VersionMatch::kUnset && options_.limit > 0 && is_given) revision_ = options_.resource_version;
  if (options_.continue_token.empty()) return api_ok();
  MARGAY_ASSIGN_OR_RETURN(const ContinueToken token, decode_continue(options_.continue_token));
  revision_ = token.revision;
  start_after_ = prefix_ + token.start_after;
  return api_ok();
}

// The client has gone, or the server stops.
void ListStream::close() {
  is_closed_ = true;
  if (!is_reading_) tell_done();
}

void ListStream::fail(const Failure& failure) {
  if (is_streaming_)
    call_->responder->abort();
  else
    call_->fail(failure);
  tell_done();
}

void ListStream::read_page() {
  const bool is_selective = !selection_.selects_everything();
  const bool is_whole_page = options_.limit > 0 && !is_selective;
  is_reading_ = true;
  store_.list({.prefix = prefix_,
               .limit = is_whole_page ? options_.limit : kListPageSize,
               .start_after = start_after_,
               .at_revision = revision_,
               .wants_remaining = is_whole_page},
              [this](Result<store::ListReply> reply) { on_page(std::move(reply)); });
}

void ListStream::on_page(Result<store::ListReply> reply) {
  is_reading_ = false;
  if (is_closed_) return tell_done();
  if (!reply) {
    if (reply.error().code != ErrorCode::kGone) return fail(from_store(reply.error(), call_->subject()));
    Failure failure = expired(std::string(options_.continue_token.empty() ? reply.error().message : kTooOld));
    if (!options_.continue_token.empty())
      failure.continue_token = encode_continue({std::nullopt, start_after_.substr(prefix_.size())});
    return fail(failure);
  }
  if (options_.resource_version && *options_.resource_version > reply->store_revision)
    return fail(version_too_large(*options_.resource_version, reply->store_revision));
  revision_ = reply->store_revision;
  take(*reply);
  after_page(*reply);
}

void ListStream::take(const store::ListReply& page) {
  for (const store::Entry& entry : page.entries) {
    if (options_.limit > 0 && taken_ == options_.limit) return;
    start_after_ = entry.key;
    if (!selection_.matches(parsed_, entry.key, entry.value)) continue;
    renderer_.append_item(items_, *entry.value, entry.revision, call_->now);
    ++taken_;
  }
}

void ListStream::after_page(const store::ListReply& page) {
  if (options_.limit > 0) {
    if (taken_ < options_.limit && page.has_more) return read_page();
    return finish_limited(page);
  }
  if (page.has_more && !is_streaming_) {
    is_streaming_ = true;
    http::ResponseHead head{200, {}};
    head.headers.add("Content-Type", "application/json");
    call_->responder->start(std::move(head));
    call_->responder->on_drained([this] {
      if (!is_reading_ && !is_closed_) read_page();
    });
    std::string begin;
    renderer_.begin_list(begin, {*revision_, "", std::nullopt});
    call_->responder->write(std::move(begin));
  }
  send_rest(!page.has_more);
}

void ListStream::finish_limited(const store::ListReply& page) {
  const bool stopped_inside = !page.entries.empty() && page.entries.back().key != start_after_;
  ListMeta meta{*revision_, "", std::nullopt};
  if (taken_ == options_.limit && (page.has_more || stopped_inside)) {
    meta.continue_token = encode_continue({*revision_, start_after_.substr(prefix_.size())});
    if (selection_.selects_everything()) meta.remaining = page.remaining;
  }
  std::string body;
  renderer_.begin_list(body, meta);
  body += items_;
  renderer_.end_list(body);
  call_->send_json(200, std::move(body));
  tell_done();
}

void ListStream::send_rest(bool is_last) {
  if (!is_streaming_) {
    std::string body;
    renderer_.begin_list(body, {*revision_, "", std::nullopt});
    body += items_;
    renderer_.end_list(body);
    call_->send_json(200, std::move(body));
    return tell_done();
  }
  if (is_last) {
    renderer_.end_list(items_);
    items_ += '\n';
  }
  call_->responder->write(std::exchange(items_, {}));
  if (is_last) {
    call_->responder->finish();
    return tell_done();
  }
  // Else on_drained() goes on.
  if (call_->responder->queued_bytes() < kListQueuedBytesMax) read_page();
}

}  // namespace margay::server
