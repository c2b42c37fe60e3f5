#include "datastore/server/collection_removal.h"

#include <utility>

#include "base/core/text.h"
#include "datastore/server/object.h"

namespace margay::server {
namespace {

constexpr std::size_t kRemovalPageSize = 500;

}  // namespace

ApiResult<DeleteOptions> parse_deletion(const Call& call) {
  json::Value body;
  if (!call.request.body.empty()) {
    MARGAY_ASSIGN_OR_RETURN(body,
                            parse_body(call.request.headers.get("Content-Type"), call.request.body, "DeleteOptions"));
  }
  return parse_delete_options(call.target, body);
}

std::string deleted_status(const Subject& subject, std::string_view uid) {
  json::Object details;
  details.append_new("name", subject.name);
  if (!subject.group.empty()) details.append_new("group", subject.group);
  details.append_new("kind", subject.plural);
  details.append_new("uid", uid);
  json::Object out{{"kind", "Status"}, {"apiVersion", "v1"}};
  out.append_new("metadata", json::Object{});
  out.append_new("status", "Success");
  out.append_new("details", std::move(details));
  return json::dump(out);
}

CollectionRemoval::CollectionRemoval(store::Store& store, Mutator& mutator, CallPtr call, PlanContext context,
                                     DeleteOptions options, Selection selection, std::function<void()> done)
    : store_(store),
      mutator_(mutator),
      call_(std::move(call)),
      context_(std::move(context)),
      options_(std::move(options)),
      selection_(std::move(selection)),
      done_(std::move(done)),
      renderer_(call_->resource, call_->form, call_->rows),
      prefix_(call_->prefix()) {}

void CollectionRemoval::start() { read_page(); }

void CollectionRemoval::read_page() {
  store_.list({.prefix = prefix_, .limit = kRemovalPageSize, .start_after = start_after_, .at_revision = {}},
              [this](Result<store::ListReply> reply) { on_page(std::move(reply)); });
}

void CollectionRemoval::on_page(Result<store::ListReply> reply) {
  if (!reply) return fail(from_store(reply.error(), call_->subject()));
  has_more_ = reply->has_more;
  revision_ = reply->store_revision;
  for (store::Entry& entry : reply->entries) {
    start_after_ = entry.key;
    if (selection_.matches(parsed_, entry.key, entry.value)) pending_.push_back(std::move(entry));
  }
  remove_next();
}

void CollectionRemoval::remove_next() {
  if (pending_.empty()) return has_more_ ? read_page() : finish_list();
  const std::string& key = pending_.front().key;
  PlanContext context = context_;
  const std::string_view relative = std::string_view(key).substr(prefix_.size());
  const std::size_t slash = relative.find('/');
  if (slash != std::string_view::npos) context.name_space = relative.substr(0, slash);
  context.name = relative.substr(slash == std::string_view::npos ? 0 : slash + 1);
  Mutator::Request request{key, context.subject(), plan_delete(context, options_), options_.is_dry_run, true};
  mutator_.run(std::move(request), [this](const ApiResult<Outcome>& outcome) { on_removed(outcome); });
}

void CollectionRemoval::on_removed(const ApiResult<Outcome>& outcome) {
  // Somebody else may have deleted it meanwhile.
  if (!outcome.ok() && outcome.error().code != 404) return fail(outcome.error());
  const store::Entry& entry = pending_.front();
  renderer_.append_item(items_, *entry.value, entry.revision, call_->now);
  pending_.pop_front();
  remove_next();
}

void CollectionRemoval::finish_list() {
  std::string body;
  renderer_.begin_list(body, {revision_, "", std::nullopt});
  body += items_;
  renderer_.end_list(body);
  call_->send_json(200, std::move(body));
  done_();
}

void CollectionRemoval::fail(const Failure& failure) {
  call_->fail(failure);
  done_();
}

}  // namespace margay::server
