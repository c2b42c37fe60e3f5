#include "base/core/text.h"
#include "base/json/yaml.h"
#include "ctl/verbs/rules.h"
#include "ctl/verbs/source.h"
#include "ctl/verbs/verbs.h"
#include "ctl/verbs/write.h"
#include "datastore/patch/json_patch.h"
#include "datastore/patch/merge_patch.h"
#include "datastore/patch/strategic_patch.h"

namespace margay::verbs {
namespace {

using command::ExitCode;
using kube::ApiResult;
using kube::PatchType;

// The text of -p or --patch-file; an error of usage when there is none or both.
Result<std::string> patch_text(Session& session) {
  const command::Invocation& invocation = session.invocation();
  if (invocation.is_given("patch") == invocation.is_given("patch-file"))
    return invalid("give -p PATCH or --patch-file FILE, one of them");
  if (invocation.is_given("patch")) return invocation.text("patch");
  const std::string file = invocation.text("patch-file");
  return file == "-" ? session.io().read_input(kSourceBytesMax) : read_whole_file(file);
}

// YAML or JSON, as one JSON document of the type's form.
Result<json::Value> parse_patch(std::string_view text, PatchType type) {
  auto documents = json::parse_yaml(text);
  if (!documents.ok()) return documents.error().within("patch");
  if (documents->size() != 1) return invalid("patch: one YAML or JSON document should be here");
  json::Value patch = std::move(documents->front().value);
  if (type == PatchType::kJson && patch.as_array() == nullptr) {
    return invalid(
        "patch: a JSON patch is a list of operations, as in [{\"op\": \"replace\", \"path\": …, \"value\": …}]");
  }
  if (type != PatchType::kJson && patch.as_object() == nullptr)
    return invalid("patch: an object with fields to change should be here");
  return patch;
}

PatchType patch_type(const std::string& word) {
  if (word == "json") return PatchType::kJson;
  return word == "merge" ? PatchType::kMerge : PatchType::kStrategicMerge;
}

// Only kinds compiled into Kubernetes have keys to merge lists by.
bool knows_strategic(const schema::ResourceInfo& resource) {
  return resource.group.find('.') == std::string::npos ||
         (resource.group.ends_with(".k8s.io") && !resource.group.starts_with("policy.networking."));
}

Result<json::Value> patched_here(json::Value live, PatchType type, const json::Value& patch) {
  if (type == PatchType::kStrategicMerge) return patch::strategic_merge_patch(std::move(live), patch);
  if (type != PatchType::kJson) return patch::merge_patch(std::move(live), patch);
  auto patched = patch::apply_json_patch(std::move(live), patch);
  if (!patched.ok()) return invalid(patched.error().message);
  return *std::move(patched);
}

// The server would drop such a field without a word.
void warn_of_unknown_fields(Session& session, const schema::ResourceInfo& resource, const json::Value& patch) {
  for (const FieldError& error : session.registry().schema(resource).unknown_fields(patch))
    session.io().warning(concat("patch: ", error.path, ": ", error.message));
}

class Patcher {
 public:
  Patcher(Session& session, Api& api, const schema::ResourceInfo& resource, std::string name)
      : session_(session), api_(api), resource_(resource), name_(std::move(name)) {}

  ApiResult<Done> run(PatchType type, const json::Value& patch) {
    const kube::ObjectName name{resource_.is_namespaced ? session_.name_space() : "", name_};
    if (type == PatchType::kStrategicMerge && !knows_strategic(resource_)) type = merge_instead();
    if (type == PatchType::kMerge) warn_of_unknown_fields(session_, resource_, patch);
    if (is_client_dry_run(session_.invocation())) return dry_run(name, type, patch);
    const kube::WriteOptions options = write_options(session_.invocation());
    auto patched = api_.patch(resource_, name, type, json::dump(patch), options);
    const bool is_refused = !patched.ok() && patched.error().http_status == 415 && type == PatchType::kStrategicMerge;
    if (is_refused) patched = api_.patch(resource_, name, merge_instead(), json::dump(patch), options);
    if (!patched.ok()) return std::move(patched).error();
    return Done{*std::move(patched), "patched"};
  }

 private:
  // Worth a word only to who asked for the other.
  PatchType merge_instead() {
    if (session_.invocation().is_given("type")) {
      session_.io().warning(concat("lists of ", resource_.kind, " have no keys to merge by: a merge patch is sent"));
    }
    return PatchType::kMerge;
  }

  // What the server would make of it; nothing but a read is sent.
  ApiResult<Done> dry_run(const kube::ObjectName& name, PatchType type, const json::Value& patch) {
    auto live = api_.get(resource_, name);
    if (!live.ok()) return std::move(live).error();
    auto next = patched_here(*live, type, patch);
    if (!next.ok()) return refused(next.error());
    if (next->string_at({"metadata", "name"}) != name_) return refused(invalid("metadata.name cannot be changed"));
    FieldErrors problems = check_change(session_.registry(), resource_, *live, *next);
    if (problems.empty()) problems = problems_of(session_.registry(), resource_, *next);
    if (!problems.empty()) return refused(invalid(to_string(problems)));
    const std::string_view how = *next == *live ? "unchanged" : "patched";
    return Done{*std::move(next), how};
  }

  Session& session_;
  Api& api_;
  const schema::ResourceInfo& resource_;
  std::string name_;
};

}  // namespace

ExitCode run_patch(Session& session) {
  const command::Invocation& invocation = session.invocation();
  const auto targets = session.targets(invocation.arguments);
  if (!targets.ok()) return session.usage(targets.error().message);
  if (targets->size() != 1 || targets->front().names.size() != 1) return session.usage("give one KIND and one NAME");
  const auto text = patch_text(session);
  if (!text.ok()) return session.usage(text.error().message);
  const PatchType type = patch_type(invocation.text("type"));
  const auto patch = parse_patch(*text, type);
  if (!patch.ok() && invocation.is_given("patch")) return session.usage(concat("flag --", patch.error().message));
  if (!patch.ok()) return session.fail(patch.error());
  const Target& target = targets->front();
  render::Item item{target.resource, {}};
  item.object["metadata"]["name"] = target.names.front();
  Report report(session, "patched");
  const auto api = session.api();
  if (!api.ok()) return session.fail(api.error());
  auto done = Patcher(session, **api, *target.resource, target.names.front()).run(type, *patch);
  if (done.ok()) {
    report.done({target.resource, std::move(done->object)}, done->how);
  } else {
    report.failed(item, done.error());
  }
  return report.finish();
}

}  // namespace margay::verbs
