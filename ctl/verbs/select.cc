#include "ctl/verbs/select.h"

#include "base/core/text.h"

namespace margay::verbs {
namespace {

void choose_listed(Session& session, Api& api, const Target& target, Report& report, std::vector<Chosen>& chosen) {
  kube::ListOptions options;
  options.label_selector = session.invocation().text("selector");
  const auto listed = api.list(*target.resource, target.resource->is_namespaced ? session.name_space() : "", options);
  if (!listed.ok()) return report.failed(target.resource->plural, listed.error().to_error());
  for (const json::Value& object : listed->items)
    chosen.push_back({target.resource, name_in(*target.resource, object)});
}

}  // namespace

render::Item item_named(const Chosen& chosen) {
  render::Item item{chosen.resource, {}};
  item.object["metadata"]["name"] = chosen.name.name;
  return item;
}

Status check_choice(const Session& session, const std::vector<Target>& targets) {
  const bool by_label = session.invocation().is_given("selector");
  const bool all = session.invocation().is_on("all");
  if (by_label && all) return invalid("give NAME, -l or --all, one of them");
  for (const Target& target : targets) {
    if ((by_label || all) && !target.names.empty()) return invalid("give NAME, -l or --all, one of them");
    if (!by_label && !all && target.names.empty())
      return invalid("NAME is missing; -l SELECTOR or --all choose several objects");
  }
  return ok_status();
}

std::vector<Chosen> choose(Session& session, Api& api, const std::vector<Target>& targets, Report& report) {
  std::vector<Chosen> chosen;
  for (const Target& target : targets) {
    if (target.names.empty()) choose_listed(session, api, target, report, chosen);
    for (const std::string& name : target.names)
      chosen.push_back({target.resource, {target.resource->is_namespaced ? session.name_space() : "", name}});
  }
  return chosen;
}

}  // namespace margay::verbs
