#include "base/core/text.h"
#include "base/json/yaml.h"
#include "ctl/verbs/source.h"
#include "ctl/verbs/verbs.h"
#include "ctl/verbs/write.h"

namespace margay::verbs {
namespace {

using command::ExitCode;
using kube::ApiResult;
using kube::PatchType;

// The text of -p or --patch-file; an error of usage when there is none or both.
Result<std::string> patch_text(Session& session) {
  const command::Invocation& invocation = session.invocation();
  if (invocation.is_given("patch") == invocation.is_given("patch-file"))
    return invalid("give -p PATCH or --patch-file FILE");
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

class Patcher {
 public:
  Patcher(Session& session, Api& api, const schema::ResourceInfo& resource, std::string name)
      : session_(session), api_(api), resource_(resource), name_(std::move(name)) {}

  ApiResult<Done> run(PatchType type, const json::Value& patch) {
    const kube::ObjectName name{resource_.is_namespaced ? session_.name_space() : "", name_};
    const kube::WriteOptions options = write_options(session_.invocation());
    if (type == PatchType::kStrategicMerge && !knows_strategic(resource_)) type = merge_instead();
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

  Session& session_;
  Api& api_;
  const schema::ResourceInfo& resource_;
  std::string name_;
};

}  // namespace

ExitCode run_patch(Session& session) {
  const command::Invocation& invocation = session.invocation();
  if (const auto code = check_output(session)) return *code;
  const auto targets = session.targets(invocation.arguments);
  if (!targets.ok()) return session.usage(targets.error().message);
  if (targets->size() != 1 || targets->front().names.size() != 1) return session.usage("give one KIND and one NAME");
  const auto text = patch_text(session);
  if (!text.ok()) return session.usage(text.error().message);
  const PatchType type = patch_type(invocation.text("type"));
  const auto patch = parse_patch(*text, type);
  if (!patch.ok()) return session.fail(patch.error());
  const Target& target = targets->front();
  render::Item item{target.resource, {}};
  item.object["metadata"]["name"] = target.names.front();
  Report report(session, "patched");
  if (is_client_dry_run(invocation)) {
    report.done(item, "patched");
    return report.finish();
  }
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
