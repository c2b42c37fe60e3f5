#include "base/core/text.h"
#include "ctl/verbs/label_edit.h"
#include "ctl/verbs/select.h"
#include "ctl/verbs/verbs.h"
#include "ctl/verbs/write.h"

namespace margay::verbs {
namespace {

using command::ExitCode;
using kube::ApiResult;

// Only the labels that change, and the version they were read at: a change in between is a conflict, not lost.
std::string label_patch(const json::Value& live, const LabelEdits& edits) {
  json::Value patch;
  patch["metadata"]["resourceVersion"] = live.string_at({"metadata", "resourceVersion"});
  json::Value& labels = patch["metadata"]["labels"];
  for (const auto& [key, value] : edits.set) labels[key] = value;
  for (const std::string& key : edits.remove) labels[key] = nullptr;
  return json::dump(patch);
}

ApiResult<Done> label_attempt(Session& session, Api& api, const Chosen& chosen, const LabelEdits& edits) {
  auto live = api.get(*chosen.resource, chosen.name);
  if (!live.ok()) return std::move(live).error();
  json::Value next = *live;
  const auto changed = edit_labels(next, edits, session.invocation().is_on("overwrite"));
  if (!changed.ok()) return refused(changed.error());
  if (!*changed) return Done{*std::move(live), "unchanged"};
  const std::string_view how = edits.set.empty() ? "unlabeled" : "labeled";
  if (is_client_dry_run(session.invocation())) return Done{std::move(next), how};
  auto patched = api.patch(*chosen.resource, chosen.name, kube::PatchType::kMerge, label_patch(*live, edits),
                           write_options(session.invocation()));
  if (!patched.ok()) return std::move(patched).error();
  return Done{*std::move(patched), how};
}

}  // namespace

ExitCode run_label(Session& session) {
  const command::Invocation& invocation = session.invocation();
  const auto words = parse_label_words(invocation.arguments, invocation.is_on("remove"));
  if (!words.ok()) return session.usage(words.error().message);
  const auto targets = session.targets(words->targets);
  if (!targets.ok()) return session.usage(targets.error().message);
  if (const Status choice = check_choice(session, *targets); !choice.ok()) return session.usage(choice.error().message);
  const auto api = session.api();
  if (!api.ok()) return session.fail(api.error());
  Report report(session, "labeled");
  for (const Chosen& one : choose(session, **api, *targets, report)) {
    auto done = until_no_conflict([&] { return label_attempt(session, **api, one, words->edits); });
    if (done.ok()) {
      report.done({one.resource, std::move(done->object)}, done->how);
    } else {
      report.failed(item_named(one), done.error());
    }
  }
  return report.finish();
}

}  // namespace margay::verbs
