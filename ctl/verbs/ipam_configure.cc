// ipam configure: IPAMConfiguration default, field by field.
#include "base/core/text.h"
#include "ctl/verbs/ipam_world.h"
#include "ctl/verbs/verbs.h"

namespace margay::verbs {
namespace {

using command::ExitCode;

Status read_flags(const command::Invocation& invocation, json::Value& spec) {
  if (invocation.is_given("strictaffinity")) {
    const std::string text = invocation.text("strictaffinity");
    if (text != "true" && text != "false") return invalid("--strictaffinity: true or false");
    spec["strictAffinity"] = text == "true";
  }
  const std::pair<const char*, const char*> numbers[] = {{"max-blocks-per-host", "maxBlocksPerHost"},
                                                         {"ip-cooldown-seconds", "ipCooldownSeconds"}};
  for (const auto& [flag, field] : numbers) {
    if (!invocation.is_given(flag)) continue;
    const auto number = parse_number<std::int64_t>(invocation.text(flag));
    if (!number || *number < 0) return invalid(concat("--", flag, ": a number from 0 is wanted"));
    spec[field] = *number;
  }
  if (invocation.is_given("kubevirt-ip-persistence")) {
    const std::string text = invocation.text("kubevirt-ip-persistence");
    if (text != "Enabled" && text != "Disabled") return invalid("--kubevirt-ip-persistence: Enabled or Disabled");
    spec["kubeVirtVMAddressPersistence"] = text;
  }
  if (!spec.is_null()) return ok_status();
  return invalid(
      "nothing to change: --strictaffinity, --max-blocks-per-host, --ip-cooldown-seconds, --kubevirt-ip-persistence");
}

}  // namespace

ExitCode run_ipam_configure(Session& session) {
  json::Value object;
  json::Value spec;
  const Status read = read_flags(session.invocation(), spec);
  if (!read.ok()) return session.usage(read.error().message);
  object["spec"] = std::move(spec);
  const auto api = session.api();
  if (!api.ok()) return session.fail(api.error());
  const auto& resource = resource_of(session, model::Kind::kIpamConfiguration);
  auto written = (*api)->patch(resource, {"", "default"}, kube::PatchType::kMerge, json::dump(object), {});
  if (!written.ok() && written.error().code == ErrorCode::kNotFound) {
    object["apiVersion"] = resource.api_version();
    object["kind"] = resource.kind;
    object["metadata"]["name"] = "default";
    written = (*api)->create(resource, "", object, {});
  }
  if (!written.ok()) return session.fail("ipamconfiguration/default", written.error());
  const json::Value* now = written->find("spec");
  if (session.invocation().text("output") == "json") {
    session.io().out(json::dump_pretty(now == nullptr ? json::Value(json::Object{}) : *now));
  } else {
    session.io().out("ipamconfiguration/default configured\n");
  }
  return ExitCode::kDone;
}

}  // namespace margay::verbs
