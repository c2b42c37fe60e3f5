#include "ctl/verbs/policy_world.h"

#include "base/core/text.h"
#include "ctl/verbs/load.h"
#include "datastore/model/old_version.h"

namespace margay::verbs {
namespace {

using command::ExitCode;

std::optional<ExitCode> load_from_files(Session& session, policy::World& world) {
  const Load load = load_files(session, {.may_ask_server = false, .is_bound_to_namespace = false});
  if (!load.ok()) return load.exit_code;
  if (load.objects.empty()) return session.fail(invalid("the files hold no objects"));
  bool is_right = true;
  for (const Loaded& loaded : load.objects) {
    const schema::ResourceInfo& resource = *loaded.item.resource;
    const auto kind = model::find_kind(resource.api_version(), resource.kind);
    if (!kind) continue;  // says nothing about policy
    for (const FieldError& error : world.add(*kind, loaded.item.object)) {
      session.io().error(loaded.origin.describe(error));
      is_right = false;
    }
  }
  if (!is_right) return ExitCode::kFailed;
  return std::nullopt;
}

// One bad object of a server must not hide all others.
void add_listed(Session& session, model::Kind kind, const std::vector<json::Value>& items, policy::World& world) {
  for (const json::Value& item : items) {
    for (const FieldError& error : world.add(kind, item)) {
      session.io().warning(concat(model::info(kind).name, '/', item.string_at({"metadata", "name"}),
                                  " does not count: ", error.path, ": ", error.message));
    }
  }
}

// The objects of a kind, in the newest version that the server has; none where it does not have the kind.
kube::ApiResult<std::vector<json::Value>> list_kind(Session& session, Api& api, const model::KindInfo& info) {
  for (const std::string_view version : {info.api_version, model::old_api_version(info.kind)}) {
    const schema::ResourceInfo* resource = session.registry().by_kind(version, info.name);
    if (resource == nullptr) continue;
    auto listed = api.list(*resource, "", {});
    if (listed.ok()) return std::move(listed->items);
    if (listed.error().code != ErrorCode::kNotFound) return std::move(listed).error();
  }
  return std::vector<json::Value>{};
}

std::optional<ExitCode> load_from_server(Session& session, policy::World& world) {
  const auto api = session.api();
  if (!api.ok()) return session.fail(api.error());
  for (const model::Kind kind : policy::World::kinds()) {
    const model::KindInfo& info = model::info(kind);
    const auto items = list_kind(session, **api, info);
    if (!items.ok()) return session.fail(info.name, items.error());
    add_listed(session, kind, *items, world);
  }
  return std::nullopt;
}

}  // namespace

std::optional<ExitCode> load_world(Session& session, policy::World& world) {
  return session.invocation().is_given("filename") ? load_from_files(session, world) : load_from_server(session, world);
}

void tell_notes(Session& session, const policy::Cluster& cluster) {
  for (const policy::Note& note : cluster.notes()) {
    session.io().warning(concat(note.object.to_string(), ": ", note.error.path, note.error.path.empty() ? "" : ": ",
                                note.error.message));
  }
}

}  // namespace margay::verbs
