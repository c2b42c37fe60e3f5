#include "base/core/text.h"
#include "ctl/verbs/select.h"
#include "ctl/verbs/verbs.h"
#include "ctl/verbs/write.h"

namespace margay::verbs {
namespace {

using command::ExitCode;

// As kubectl has them.
Result<kube::DeleteOptions> options_of(const command::Invocation& invocation) {
  kube::DeleteOptions out;
  out.dry_run = invocation.text("dry-run") == "server";
  const bool has_period = invocation.is_given("grace-period");
  if (invocation.is_on("now") && (has_period || invocation.is_on("force"))) {
    return invalid("give one of --grace-period, --now and --force");
  }
  if (has_period) {
    const auto seconds = parse_number<std::int64_t>(invocation.text("grace-period"));
    // kubectl's own default, which scripts give.
    const bool is_default = seconds && *seconds == -1;
    if (!seconds || *seconds < -1) return invalid("--grace-period: seconds are expected, 0 or more");
    if (invocation.is_on("force") && *seconds > 0) return invalid("--force allows no --grace-period above 0");
    if (!is_default) out.grace_period_seconds = *seconds;
  }
  if (invocation.is_on("force")) out.grace_period_seconds = 0;
  if (invocation.is_on("now")) out.grace_period_seconds = 1;
  if (invocation.is_on("wait")) return invalid("delete does not wait until an object is gone: leave out --wait");
  const std::string cascade = invocation.is_given("cascade") ? std::string(invocation.text("cascade")) : "";
  if (cascade == "background") out.propagation_policy = "Background";
  if (cascade == "foreground") out.propagation_policy = "Foreground";
  if (cascade == "orphan") out.propagation_policy = "Orphan";
  return out;
}

// With --dry-run=client the object is only looked at.
kube::ApiResult<json::Value> remove(Session& session, Api& api, const Chosen& chosen) {
  if (is_client_dry_run(session.invocation())) return api.get(*chosen.resource, chosen.name);
  // They were looked at before anything was asked for.
  return api.remove(*chosen.resource, chosen.name, options_of(session.invocation()).value());
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
  if (const auto options = options_of(invocation); !options.ok()) return session.usage(options.error().message);
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
