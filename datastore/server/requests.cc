#include "datastore/server/requests.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "datastore/server/collection_removal.h"
#include "datastore/server/kind_rules.h"
#include "datastore/server/list_stream.h"
#include "datastore/server/object.h"
#include "datastore/server/patching.h"

namespace margay::server {
namespace {

constexpr std::size_t kManagerSizeMax = 128;

// Every failure of the parsing steps is answered at once.
#define MARGAY_ANSWER_IF_ERROR(call, result) \
  if (!(result).ok()) return (call)->fail((result).error())

Failure namespace_terminating(const Call& call, std::string_view name_space, std::string_view name) {
  Failure failure = forbidden_because(
      call.resource->subject(name),
      concat("unable to create new content in namespace ", name_space, " because it is being terminated"));
  failure.causes.push_back(
      {"NamespaceTerminating", concat("namespace ", name_space, " is being terminated"), "metadata.namespace"});
  return failure;
}

// As kube-apiserver: what the client says, or the first word of its User-Agent.
std::string manager_of(const Call& call, const WriteOptions& options) {
  if (!options.field_manager.empty()) return options.field_manager;
  const std::string_view agent = call.request.headers.get("User-Agent");
  return std::string(agent.substr(0, std::min(agent.find('/'), kManagerSizeMax)));
}

std::string_view options_kind(std::string_view verb) {
  if (verb == "create") return "CreateOptions";
  return verb == "patch" ? "PatchOptions" : "UpdateOptions";
}

}  // namespace

Requests::Requests(const Dependencies& dependencies)
    : on_(dependencies), mutator_(dependencies.store), long_answers_(dependencies.loop) {}

void Requests::serve(CallPtr call) {
  if (call->verb == "get") return get(std::move(call));
  if (call->verb == "list" || call->verb == "watch") return list_or_watch(std::move(call));
  if (call->verb == "create") return create(std::move(call));
  if (call->verb == "update") return update(std::move(call));
  if (call->verb == "patch") return patch(std::move(call));
  if (call->verb == "delete") return remove(std::move(call));
  remove_collection(std::move(call));
}

void Requests::finish_watches() { long_answers_.for_all(&LongAnswer::finish); }
void Requests::drop_watches() { long_answers_.for_all(&LongAnswer::drop); }

PlanContext Requests::plan_context(const Call& call) const {
  PlanContext context;
  context.resource = call.resource;
  context.name_space = call.path.name_space;
  context.name = call.path.name;
  context.now = call.now;
  context.random = &on_.random;
  context.is_status = call.is_status();
  return context;
}

void Requests::get(CallPtr call) {
  const auto revision = parse_resource_version(call->target.parameter("resourceVersion").value_or(""));
  MARGAY_ANSWER_IF_ERROR(call, revision);
  std::string key = call->key();
  on_.store.get(std::move(key), [call = std::move(call), asked = revision->value_or(0)](Result<store::GetReply> reply) {
    if (!reply) return call->fail(from_store(reply.error(), call->subject()));
    if (asked > reply->store_revision) return call->fail(version_too_large(asked, reply->store_revision));
    if (!reply->entry) return call->fail(not_found(call->subject()));
    call->send_object(200, *reply->entry->value, reply->entry->revision);
  });
}

void Requests::list_or_watch(CallPtr call) {
  auto options = parse_list_options(call->target);
  MARGAY_ANSWER_IF_ERROR(call, options);
  auto selection = Selection::make(call->resource->info, options.value());
  MARGAY_ANSWER_IF_ERROR(call, selection);
  long_answers_.add([&](std::function<void()> done) -> std::unique_ptr<LongAnswer> {
    if (!options->is_watch)
      return std::make_unique<ListStream>(on_.store, std::move(call), std::move(options).value(),
                                          std::move(selection).value(), std::move(done));
    const WatchStream::Dependencies dependencies{on_.loop, on_.random, on_.store, sharing_};
    return std::make_unique<WatchStream>(dependencies, std::move(call), std::move(options).value(),
                                         std::move(selection).value(), std::move(done));
  });
}

void Requests::in_namespace(CallPtr call, std::string name, std::function<void(CallPtr)> next) {
  const std::string name_space = call->path.name_space;
  if (name_space.empty()) return next(std::move(call));
  on_.store.get(store_key("", "namespaces", "", name_space),
                [call = std::move(call), name_space, name = std::move(name),
                 next = std::move(next)](Result<store::GetReply> reply) mutable {
                  const Subject subject{"", "namespaces", "Namespace", name_space};
                  if (!reply) return call->fail(from_store(reply.error(), subject));
                  if (!reply->entry) return call->fail(not_found(subject));
                  const auto object = decode_stored(*reply->entry->value, 0);
                  if (object.ok() && is_being_deleted(object.value()))
                    return call->fail(namespace_terminating(*call, name_space, name));
                  next(std::move(call));
                });
}

void Requests::create(CallPtr call) {
  const auto options = parse_write_options(call->target, options_kind(call->verb));
  MARGAY_ANSWER_IF_ERROR(call, options);
  auto object = parse_body(call->request.headers.get("Content-Type"), call->request.body, call->resource->info.kind);
  MARGAY_ANSWER_IF_ERROR(call, object);
  PlanContext context = plan_context(*call);
  context.field_validation = options->field_validation;
  context.field_manager = manager_of(*call, options.value());
  const ApiStatus settled = settle_identity(context, object.value());
  MARGAY_ANSWER_IF_ERROR(call, settled);
  if (!meta_string(object.value(), "resourceVersion").empty())
    return call->fail(bad_request("resourceVersion should not be set on objects to be created"));
  const std::string base(meta_string(object.value(), "generateName"));
  std::string name(meta_string(object.value(), "name"));
  if (name.empty() && !base.empty()) name = generate_name(base, on_.random);
  if (!name.empty()) metadata_of(object.value())["name"] = name;
  context.name = name;
  call->path.name = name;
  Mutator::Request request{call->key(), context.subject(), plan_create(context, std::move(object).value()),
                           options->is_dry_run, false};
  in_namespace(std::move(call), name,
               [this, request = std::move(request)](CallPtr allowed) { mutate(std::move(allowed), request); });
}

void Requests::update(CallPtr call) {
  const auto options = parse_write_options(call->target, options_kind(call->verb));
  MARGAY_ANSWER_IF_ERROR(call, options);
  auto object = parse_body(call->request.headers.get("Content-Type"), call->request.body, call->resource->info.kind);
  MARGAY_ANSWER_IF_ERROR(call, object);
  PlanContext context = plan_context(*call);
  context.field_validation = options->field_validation;
  context.field_manager = manager_of(*call, options.value());
  const ApiStatus settled = settle_identity(context, object.value());
  MARGAY_ANSWER_IF_ERROR(call, settled);
  Mutator::Request request{call->key(), context.subject(), plan_replace(context, std::move(object).value()),
                           options->is_dry_run, true};
  mutate(std::move(call), std::move(request));
}

void Requests::patch(CallPtr call) {
  const auto options = parse_write_options(call->target, options_kind(call->verb));
  MARGAY_ANSWER_IF_ERROR(call, options);
  PlanContext context = plan_context(*call);
  context.field_validation = options->field_validation;
  context.field_manager = manager_of(*call, options.value());
  auto patching = make_patcher(*call, options.value());
  MARGAY_ANSWER_IF_ERROR(call, patching);
  context.is_apply = patching->may_create;
  Mutator::Request request{call->key(), context.subject(), plan_patch(context, std::move(patching->patcher)),
                           options->is_dry_run, true};
  if (!patching->may_create) return mutate(std::move(call), std::move(request));
  const std::string name = context.name;
  in_namespace(std::move(call), name,
               [this, request = std::move(request)](CallPtr allowed) { mutate(std::move(allowed), request); });
}

void Requests::remove(CallPtr call) {
  auto options = parse_deletion(*call);
  MARGAY_ANSWER_IF_ERROR(call, options);
  const bool is_dry_run = options->is_dry_run;
  PlanContext context = plan_context(*call);
  Mutator::Request request{call->key(), context.subject(), plan_delete(context, std::move(options).value()), is_dry_run,
                           true};
  mutate(std::move(call), std::move(request));
}

void Requests::remove_collection(CallPtr call) {
  auto options = parse_deletion(*call);
  MARGAY_ANSWER_IF_ERROR(call, options);
  auto list_options = parse_list_options(call->target);
  MARGAY_ANSWER_IF_ERROR(call, list_options);
  auto selection = Selection::make(call->resource->info, list_options.value());
  MARGAY_ANSWER_IF_ERROR(call, selection);
  const PlanContext context = plan_context(*call);
  long_answers_.add([&](std::function<void()> done) -> std::unique_ptr<LongAnswer> {
    return std::make_unique<CollectionRemoval>(on_.store, mutator_, std::move(call), context,
                                               std::move(options).value(), std::move(selection).value(),
                                               std::move(done));
  });
}

void Requests::mutate(CallPtr call, Mutator::Request request) {
  mutator_.run(std::move(request), [this, call = std::move(call)](const ApiResult<Outcome>& outcome) mutable {
    answer(std::move(call), outcome);
  });
}

void Requests::answer(CallPtr call, const ApiResult<Outcome>& outcome) {
  MARGAY_ANSWER_IF_ERROR(call, outcome);
  if (is_crd(call->resource->info)) crd_changed(*call, outcome.value());
  if (call->verb == "delete" && outcome->kind == Plan::Kind::kRemove) {
    const auto object = decode_stored(outcome->stored, 0);
    return call->send_json(200, deleted_status(call->subject(), object.ok() ? meta_string(object.value(), "uid") : ""));
  }
  call->send_object(outcome->is_new ? 201 : 200, outcome->stored, outcome->revision, outcome->warnings);
}

// Whoever has made a kind may use it at once, on this server; others follow their watch (crd_follower.h).
void Requests::crd_changed(const Call&, const Outcome& outcome) {
  if (outcome.kind != Plan::Kind::kPut || outcome.revision == 0) return;
  if (const auto crd = decode_stored(outcome.stored, 0)) (void)on_.catalog.add_crd(crd.value());
}

}  // namespace margay::server
