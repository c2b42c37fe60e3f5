#include "test/support/fake_kube_client.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::test {

using kube::ApiError;
using kube::ApiResult;
using kube::ObjectName;
using kube::ResourceType;

namespace {

ApiError error_of(int status, ErrorCode code, std::string reason, std::string message) {
  ApiError error;
  error.code = code;
  error.http_status = status;
  error.reason = std::move(reason);
  error.message = std::move(message);
  return error;
}

ApiError not_found(const ResourceType& type, const ObjectName& name) {
  return error_of(404, ErrorCode::kNotFound, "NotFound",
                  concat(type.plural, " ", margay::quoted(name.name), " not found"));
}

ApiError gone() { return error_of(410, ErrorCode::kGone, "Expired", "too old resource version"); }

std::string_view version_of(const json::Value& object) { return object.string_at({"metadata", "resourceVersion"}); }

bool has_labels(const json::Value& object, std::string_view selector) {
  if (selector.empty()) return true;
  for (const std::string_view term : split(selector, ',')) {
    const auto pair = split_once(term, '=');
    MARGAY_CHECK(pair.has_value());
    if (object.string_at({"metadata", "labels", pair->first}) != pair->second) return false;
  }
  return true;
}

bool is_in(const ObjectName& name, std::string_view name_space) {
  return name_space.empty() || name.name_space == name_space;
}

// RFC 7396.
void merge(json::Value& target, const json::Value& patch) {
  if (patch.as_object() == nullptr) {
    target = patch;
    return;
  }
  if (target.as_object() == nullptr) target = json::Object{};
  for (const auto& [name, value] : *patch.as_object()) {
    if (value.is_null()) {
      target.as_object()->erase(name);
    } else {
      merge((*target.as_object())[name], value);
    }
  }
}

}  // namespace

// Lives as long as a task of it waits or its handle is there.
struct FakeKubeClient::Call {
  bool is_abandoned = false;
};

struct FakeKubeClient::Watch : Call {
  ResourceType type;
  std::string name_space;
  kube::WatchOptions options;
  kube::WatchEvents events;
  std::size_t position = 0;  // in history_
  std::int64_t from = 0;
  std::deque<std::pair<kube::WatchEvent::Kind, std::string>> extra;  // doubled events and bookmarks
  std::optional<ApiResult<std::monostate>> end;
  bool is_over = false;
};

class FakeKubeClient::Handle final : public kube::Operation {
 public:
  Handle(FakeKubeClient& client, std::shared_ptr<Call> call)
      : client_(client), is_client_alive_(client.is_alive_), call_(std::move(call)) {}
  ~Handle() override {
    call_->is_abandoned = true;
    if (!*is_client_alive_) return;
    std::erase_if(client_.watches_, [this](const auto& watch) { return watch == call_; });
  }

 private:
  FakeKubeClient& client_;
  std::shared_ptr<bool> is_client_alive_;
  std::shared_ptr<Call> call_;
};

FakeKubeClient::FakeKubeClient(loop::Loop& loop, Random& random) : loop_(loop), random_(random) {}

FakeKubeClient::~FakeKubeClient() { *is_alive_ = false; }

// Runs unless the call is abandoned by then.
void FakeKubeClient::later(const std::shared_ptr<Call>& call, Task task) {
  auto guarded = [call, alive = is_alive_, task = std::move(task)]() mutable {
    if (*alive && !call->is_abandoned) task();
  };
  const auto range = static_cast<std::uint64_t>(faults.answer_delay_max.count());
  if (range == 0) return loop_.post(std::move(guarded));
  const std::uint64_t id = next_timer_++;
  auto& timer = timers_[id];
  timer = loop_.make_timer([this, id, guarded = std::move(guarded)]() mutable {
    const auto self = timers_.extract(id);
    guarded();
  });
  timer->arm(Duration(static_cast<Duration::rep>(random_.below(range))));
}

std::shared_ptr<FakeKubeClient::Call> FakeKubeClient::begin(std::string_view verb, const ResourceType&) {
  ++requests_[std::string(verb)];
  return std::make_shared<Call>();
}

int FakeKubeClient::requests(const std::string& verb) const {
  const auto found = requests_.find(verb);
  return found == requests_.end() ? 0 : found->second;
}

std::optional<ApiError> FakeKubeClient::fault_of(std::string_view verb, const ResourceType& type) {
  if (on_request) {
    if (auto error = on_request(verb, type)) return error;
  }
  if (random_.unit() >= faults.call_fails) return std::nullopt;
  switch (random_.below(3)) {
    case 0: return error_of(500, ErrorCode::kUnavailable, "InternalError", "etcd is away");
    case 1: {
      ApiError error = error_of(429, ErrorCode::kUnavailable, "TooManyRequests", "try later");
      error.retry_after = std::chrono::seconds(random_.below(3));
      return error;
    }
    default: return error_of(0, ErrorCode::kUnavailable, "", "connection refused");
  }
}

// The present, and what has changed since undone.
FakeKubeClient::Objects FakeKubeClient::snapshot(const ResourceType& type, std::int64_t revision) const {
  Objects objects = this->objects(type);
  for (auto change = history_.rbegin(); change != history_.rend() && change->revision > revision; ++change) {
    if (change->type != type) continue;
    if (change->previous.is_null()) {
      objects.erase(change->name);
    } else {
      objects[change->name] = change->previous;
    }
  }
  return objects;
}

FakeKubeClient::Objects FakeKubeClient::objects(const ResourceType& type) const {
  const auto found = objects_.find(type);
  return found == objects_.end() ? Objects() : found->second;
}

const json::Value* FakeKubeClient::find(const ResourceType& type, const ObjectName& name) const {
  const auto kind = objects_.find(type);
  if (kind == objects_.end()) return nullptr;
  const auto found = kind->second.find(name);
  return found == kind->second.end() ? nullptr : &found->second;
}

// `object` null: deleted.
void FakeKubeClient::record(const ResourceType& type, const ObjectName& name, json::Value object) {
  const json::Value* old = find(type, name);
  history_.push_back({revision_, type, name, object, old == nullptr ? json::Value() : *old});
  if (object.is_null()) {
    objects_[type].erase(name);
  } else {
    objects_[type][name] = std::move(object);
  }
  for (const auto& watch : watches_) deliver_later(watch);
}

ApiResult<json::Value> FakeKubeClient::store(const ResourceType& type, const ObjectName& name, json::Value object) {
  const json::Value* old = find(type, name);
  json::Value& metadata = object["metadata"];
  metadata["name"] = name.name;
  if (!name.name_space.empty()) metadata["namespace"] = name.name_space;
  metadata["uid"] = old == nullptr ? concat("uid-", next_uid_++) : std::string(old->string_at({"metadata", "uid"}));
  metadata["resourceVersion"] = concat(++revision_);
  record(type, name, object);
  return object;
}

json::Value FakeKubeClient::put(const ResourceType& type, const ObjectName& name, json::Value object) {
  return *store(type, name, std::move(object));
}

bool FakeKubeClient::erase(const ResourceType& type, const ObjectName& name) {
  return delete_object(type, name, {}).ok();
}

ApiResult<json::Value> FakeKubeClient::delete_object(const ResourceType& type, const ObjectName& name,
                                                     const kube::DeleteOptions& options) {
  const json::Value* found = find(type, name);
  if (found == nullptr) return not_found(type, name);
  const json::Value object = *found;
  const bool is_other = (!options.uid.empty() && object.string_at({"metadata", "uid"}) != options.uid) ||
                        (!options.resource_version.empty() && version_of(object) != options.resource_version);
  if (is_other) return error_of(409, ErrorCode::kConflict, "Conflict", "the precondition does not hold");
  if (options.dry_run) return object;
  ++revision_;
  record(type, name, json::Value());
  return object;
}

ApiResult<json::Value> FakeKubeClient::replace(const ResourceType& type, const ObjectName& name,
                                               const json::Value& object, bool is_status, bool is_dry_run) {
  const json::Value* found = find(type, name);
  if (found == nullptr) return not_found(type, name);
  const std::string_view expected = version_of(object);
  if (!expected.empty() && expected != version_of(*found)) {
    return error_of(409, ErrorCode::kConflict, "Conflict", "the object has been modified");
  }
  json::Value next = is_status ? *found : object;
  const json::Value* status = (is_status ? object : *found).find("status");
  if (status != nullptr) next["status"] = *status;
  if (is_dry_run) return next;
  return store(type, name, std::move(next));
}

kube::OperationPtr FakeKubeClient::answer_object(std::string_view verb, const ResourceType& type, Answer answer,
                                                 kube::ObjectDone done) {
  auto call = begin(verb, type);
  later(call, [this, verb = std::string(verb), type, answer = std::move(answer), done = std::move(done)]() mutable {
    auto fault = fault_of(verb, type);
    ApiResult<json::Value> result = fault ? ApiResult<json::Value>(std::move(*fault)) : answer();
    done(std::move(result));
  });
  return std::make_unique<Handle>(*this, call);
}

kube::OperationPtr FakeKubeClient::get(const ResourceType& type, const ObjectName& name, kube::ObjectDone done) {
  return answer_object(
      "get", type,
      [this, type, name]() -> ApiResult<json::Value> {
        const json::Value* found = find(type, name);
        if (found == nullptr) return not_found(type, name);
        return *found;
      },
      std::move(done));
}

kube::OperationPtr FakeKubeClient::create(const ResourceType& type, std::string_view name_space,
                                          const json::Value& object, const kube::WriteOptions& options,
                                          kube::ObjectDone done) {
  const ObjectName name{std::string(name_space), std::string(object.string_at({"metadata", "name"}))};
  return answer_object(
      "create", type,
      [this, type, name, object, options]() -> ApiResult<json::Value> {
        if (name.name.empty()) return error_of(422, ErrorCode::kInvalid, "Invalid", "metadata.name: is required");
        if (find(type, name) != nullptr) {
          return error_of(409, ErrorCode::kAlreadyExists, "AlreadyExists", concat(name.name, " already exists"));
        }
        if (options.dry_run) return object;
        return store(type, name, object);
      },
      std::move(done));
}

kube::OperationPtr FakeKubeClient::update(const ResourceType& type, const ObjectName& name, const json::Value& object,
                                          const kube::WriteOptions& options, kube::ObjectDone done) {
  return answer_object(
      "update", type,
      [this, type, name, object, options] { return replace(type, name, object, false, options.dry_run); },
      std::move(done));
}

kube::OperationPtr FakeKubeClient::update_status(const ResourceType& type, const ObjectName& name,
                                                 const json::Value& object, const kube::WriteOptions& options,
                                                 kube::ObjectDone done) {
  return answer_object(
      "update_status", type,
      [this, type, name, object, options] { return replace(type, name, object, true, options.dry_run); },
      std::move(done));
}

kube::OperationPtr FakeKubeClient::patch(const ResourceType& type, const ObjectName& name, std::string_view subresource,
                                         kube::PatchType patch_type, std::string body,
                                         const kube::WriteOptions& options, kube::ObjectDone done) {
  return answer_object(
      "patch", type,
      [this, type, name, is_status = subresource == "status", patch_type, body, options]() -> ApiResult<json::Value> {
        const json::Value* found = find(type, name);
        if (found == nullptr) return not_found(type, name);
        const auto patch = json::parse(body);
        if (patch_type != kube::PatchType::kMerge || !patch.ok()) {
          return error_of(415, ErrorCode::kInvalid, "UnsupportedMediaType", "the fake takes merge patches only");
        }
        json::Value next = *found;
        merge(next, *patch);
        return replace(type, name, next, is_status, options.dry_run);
      },
      std::move(done));
}

kube::OperationPtr FakeKubeClient::remove(const ResourceType& type, const ObjectName& name,
                                          const kube::DeleteOptions& options, kube::ObjectDone done) {
  return answer_object(
      "remove", type, [this, type, name, options] { return delete_object(type, name, options); }, std::move(done));
}

kube::OperationPtr FakeKubeClient::get_path(std::string_view path, Callback<void(ApiResult<std::string>)> done) {
  auto call = begin("get_path", {});
  later(call, [this, path = std::string(path), done = std::move(done)]() mutable {
    if (auto fault = fault_of("get_path", {})) return done(std::move(*fault));
    if (path == "/readyz") return done(std::string("ok"));
    done(error_of(404, ErrorCode::kNotFound, "NotFound", concat(path, " not found")));
  });
  return std::make_unique<Handle>(*this, call);
}

kube::OperationPtr FakeKubeClient::list(const ResourceType& type, std::string_view name_space,
                                        const kube::ListOptions& options, kube::ListEvents events) {
  auto call = begin("list", type);
  later(call, [this, call, type, name_space = std::string(name_space), options, events = std::move(events)]() mutable {
    run_list(*call, type, name_space, options, events);
  });
  return std::make_unique<Handle>(*this, call);
}

// A continue token is "<revision>/<namespace>/<last name>".
void FakeKubeClient::run_list(Call& call, const ResourceType& type, const std::string& name_space,
                              const kube::ListOptions& options, kube::ListEvents& events) {
  if (auto fault = fault_of("list", type)) return events.on_done(std::move(*fault));
  std::int64_t revision = revision_;
  std::optional<ObjectName> after;
  if (!options.continue_token.empty()) {
    const auto parts = split(options.continue_token, '/');
    revision = *parse_number<std::int64_t>(parts[0]);
    after = ObjectName{std::string(parts[1]), std::string(parts[2])};
    if (revision < compacted_) return events.on_done(gone());
  } else if (options.resource_version == "0" && random_.unit() < faults.first_list_is_stale) {
    revision -= static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(revision - compacted_) + 1));
  }
  std::vector<std::string> page;
  kube::ListMeta meta{.resource_version = concat(revision)};
  ObjectName last;
  for (const auto& [name, object] : snapshot(type, revision)) {
    if (!is_in(name, name_space) || !has_labels(object, options.label_selector) || (after && name <= *after)) continue;
    if (options.limit > 0 && page.size() == static_cast<std::size_t>(options.limit)) {
      meta.continue_token = concat(revision, "/", last.name_space, "/", last.name);
      break;
    }
    last = name;
    page.push_back(json::dump(object));
  }
  if (faults.pages_are_shuffled) {
    for (std::size_t i = page.size(); i > 1; --i) std::swap(page[i - 1], page[random_.below(i)]);
  }
  const bool is_cut = random_.unit() < faults.list_is_cut;
  if (is_cut) page.resize(random_.below(page.size() + 1));
  for (const std::string& item : page) {
    events.on_item(item);
    if (call.is_abandoned) return;
  }
  if (is_cut) return events.on_done(error_of(0, ErrorCode::kUnavailable, "", "the response's body was cut short"));
  events.on_done(std::move(meta));
}

kube::OperationPtr FakeKubeClient::watch(const ResourceType& type, std::string_view name_space,
                                         const kube::WatchOptions& options, kube::WatchEvents events) {
  ++requests_["watch"];
  auto watch = std::make_shared<Watch>();
  watch->type = type;
  watch->name_space = name_space;
  watch->options = options;
  watch->events = std::move(events);
  later(watch, [this, watch] { begin_watch(watch); });
  return std::make_unique<Handle>(*this, watch);
}

void FakeKubeClient::begin_watch(const std::shared_ptr<Watch>& watch) {
  if (auto fault = fault_of("watch", watch->type)) return end_watch(*watch, std::move(*fault));
  const std::string& version = watch->options.resource_version;
  const bool is_from_now = version.empty() || version == "0";
  watch->from = is_from_now ? revision_ : parse_number<std::int64_t>(version).value_or(0);
  if (watch->from > revision_) {
    return end_watch(*watch, error_of(504, ErrorCode::kUnavailable, "Timeout", "Too large resource version"));
  }
  const bool is_gone = watch->from < compacted_ || random_.unit() < faults.watch_is_gone;
  if (is_gone && random_.below(2) == 0) return end_watch(*watch, gone());
  if (watch->events.on_open) watch->events.on_open();
  if (watch->is_abandoned) return;
  if (is_gone) return end_watch(*watch, gone());
  while (watch->position < history_.size() && history_[watch->position].revision <= watch->from) ++watch->position;
  watches_.insert(watch);
  deliver_later(watch);
}

void FakeKubeClient::deliver_later(const std::shared_ptr<Watch>& watch) {
  later(watch, [this, watch] { deliver(*watch); });
}

// One change, and whatever else waits.
void FakeKubeClient::deliver(Watch& watch) {
  using Kind = kube::WatchEvent::Kind;
  while (!watch.is_over && !watch.is_abandoned && !watch.extra.empty()) {
    const auto [kind, json] = std::move(watch.extra.front());
    watch.extra.pop_front();
    watch.events.on_event({.kind = kind, .object_json = json});
  }
  while (!watch.is_over && !watch.is_abandoned && watch.position < history_.size()) {
    if (random_.unit() < faults.watch_is_cut) {
      return end_watch(watch, error_of(0, ErrorCode::kUnavailable, "", "the response's body was cut short"));
    }
    const Change change = history_[watch.position];
    ++watch.position;
    if (change.type != watch.type || !is_in(change.name, watch.name_space)) continue;
    const bool was_seen = !change.previous.is_null() && has_labels(change.previous, watch.options.label_selector);
    const bool is_seen = !change.object.is_null() && has_labels(change.object, watch.options.label_selector);
    if (!was_seen && !is_seen) continue;
    json::Value object = is_seen ? change.object : change.previous;
    object["metadata"]["resourceVersion"] = concat(change.revision);
    const Kind kind = !is_seen ? Kind::kDeleted : was_seen ? Kind::kModified : Kind::kAdded;
    const std::string json = json::dump(object);
    if (random_.unit() < faults.event_is_doubled) watch.extra.emplace_back(kind, json);
    watch.events.on_event({.kind = kind, .object_json = json});
    const bool sends_again = !watch.extra.empty() && random_.below(2) == 0;
    if (sends_again && !watch.is_abandoned && !watch.is_over) {
      const auto [kind_again, json_again] = watch.extra.front();
      watch.extra.pop_front();
      watch.events.on_event({.kind = kind_again, .object_json = json_again});
    }
  }
  if (watch.end && !watch.is_over && !watch.is_abandoned) end_watch(watch, std::move(*watch.end));
}

void FakeKubeClient::end_watch(Watch& watch, ApiResult<std::monostate> outcome) {
  watch.is_over = true;
  std::erase_if(watches_, [&](const auto& other) { return other.get() == &watch; });
  watch.events.on_done(std::move(outcome));
}

void FakeKubeClient::end_watches(std::optional<ApiError> error) {
  for (const auto& watch : watches_) {
    watch->end = error ? ApiResult<std::monostate>(*error) : ApiResult<std::monostate>(std::monostate{});
    deliver_later(watch);
  }
}

void FakeKubeClient::send_bookmarks() {
  for (const auto& watch : watches_) {
    if (!watch->options.allow_bookmarks || watch->position != history_.size()) continue;
    const json::Value object = json::Object{{"metadata", json::Object{{"resourceVersion", concat(revision_)}}}};
    watch->extra.emplace_back(kube::WatchEvent::Kind::kBookmark, json::dump(object));
    deliver_later(watch);
  }
}

}  // namespace margay::test
