#include <algorithm>

#include "base/core/text.h"
#include "ctl/render/table.h"
#include "ctl/verbs/verbs.h"

namespace margay::verbs {
namespace {

using command::ExitCode;
using schema::ResourceInfo;

std::string other_names(const ResourceInfo& resource) {
  std::vector<std::string> names = resource.short_names;
  names.insert(names.end(), resource.aliases.begin(), resource.aliases.end());
  return join(names, ",");
}

render::Table::Row row_of(const ResourceInfo& resource, bool wide) {
  render::Table::Row row{resource.plural, other_names(resource), resource.api_version(),
                         resource.is_namespaced ? "true" : "false", resource.kind};
  if (wide) row.push_back(join(resource.categories, ","));
  return row;
}

std::string as_table(const std::vector<const ResourceInfo*>& resources, bool wide, bool with_header, bool bold) {
  render::Table::Row header{"NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"};
  if (wide) header.push_back("CATEGORIES");
  render::Table table(header, bold);
  std::vector<render::Table::Row> rows;
  for (const ResourceInfo* resource : resources) rows.push_back(row_of(*resource, wide));
  const std::string head = with_header ? table.header(rows) : std::string();
  return head + table.lines(rows);
}

json::Value as_strings(const std::vector<std::string>& texts) {
  json::Array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

std::string as_json(const std::vector<const ResourceInfo*>& resources) {
  json::Array out;
  for (const ResourceInfo* resource : resources) {
    out.emplace_back(json::Object{{"name", resource->plural},
                                  {"singularName", resource->singular},
                                  {"shortNames", as_strings(resource->short_names)},
                                  {"aliases", as_strings(resource->aliases)},
                                  {"categories", as_strings(resource->categories)},
                                  {"apiVersion", resource->api_version()},
                                  {"kind", resource->kind},
                                  {"namespaced", resource->is_namespaced}});
  }
  return json::dump_pretty(out);
}

}  // namespace

ExitCode run_api_resources(Session& session) {
  std::vector<const ResourceInfo*> resources = session.registry().all();
  // Calico's kinds first, then Kubernetes', each by name.
  std::stable_sort(resources.begin(), resources.end(), [](const ResourceInfo* a, const ResourceInfo* b) {
    return (a->group == "projectcalico.org") > (b->group == "projectcalico.org");
  });
  const std::string output = session.invocation().text("output");
  if (output == "json") {
    session.io().out(as_json(resources));
  } else if (output == "name") {
    for (const ResourceInfo* resource : resources) {
      const std::string name = concat(resource->plural, resource->group.empty() ? "" : ".", resource->group);
      // Of several versions the one that the name means.
      if (session.registry().by_any_name(name) == resource) session.io().out(name + "\n");
    }
  } else {
    const bool with_header = !session.invocation().is_on("no-headers");
    session.io().out(as_table(resources, output == "wide", with_header, session.io().out_has_colour()));
  }
  return ExitCode::kDone;
}

}  // namespace margay::verbs
