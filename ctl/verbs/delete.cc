#include "base/core/text.h"
#include "ctl/verbs/select.h"
#include "ctl/verbs/verbs.h"
#include "ctl/verbs/write.h"

namespace margay::verbs {
namespace {

using command::ExitCode;

// With --dry-run=client the object is only looked at.
kube::ApiResult<json::Value> remove(Session& session, Api& api, const Chosen& chosen) {
  if (is_client_dry_run(session.invocation())) return api.get(*chosen.resource, chosen.name);
  kube::DeleteOptions options;
  options.dry_run = session.invocation().text("dry-run") == "server";
  return api.remove(*chosen.resource, chosen.name, options);
}

void delete_one(Session& session, Api& api, const Chosen& chosen, Report& report) {
  const render::Item item = item_named(chosen);
  const auto removed = remove(session, api, chosen);
  if (removed.ok()) return report.done(item, "deleted");
  const bool is_absent = removed.error().code == ErrorCode::kNotFound;
  if (is_absent && session.invocation().is_on("ignore-not-found")) return;
  report.failed(item, removed.error());
}

ExitCode delete_files(Session& session) {
  const Load load = load_files(session, {.checks_content = false});
  if (!load.ok() || load.objects.empty()) return load.exit_code;
  const auto api = session.api();
  if (!api.ok()) return session.fail(api.error());
  Report report(session, "deleted");
  for (const Loaded& loaded : load.objects) {
    const render::Item& item = loaded.item;
    delete_one(session, **api, {item.resource, name_in(*item.resource, item.object)}, report);
  }
  return report.finish();
}

}  // namespace

ExitCode run_delete(Session& session) {
  const command::Invocation& invocation = session.invocation();
  if (invocation.is_given("filename")) {
    const bool chooses = invocation.is_given("selector") || invocation.is_on("all");
    if (!invocation.arguments.empty() || chooses)
      return session.usage("give KIND NAME, -l, --all or -f FILE, one of them");
    return delete_files(session);
  }
  if (invocation.arguments.empty()) return session.usage("give KIND NAME or -f FILE");
  const auto targets = session.targets(invocation.arguments);
  if (!targets.ok()) return session.usage(targets.error().message);
  if (const Status choice = check_choice(session, *targets); !choice.ok()) return session.usage(choice.error().message);
  const auto api = session.api();
  if (!api.ok()) return session.fail(api.error());
  Report report(session, "deleted");
  for (const Chosen& one : choose(session, **api, *targets, report)) delete_one(session, **api, one, report);
  return report.finish();
}

}  // namespace margay::verbs
