#include <algorithm>
#include <vector>

#include "base/core/text.h"
#include "base/json/yaml.h"
#include "ctl/render/clean.h"
#include "ctl/render/renderer.h"
#include "ctl/verbs/line_diff.h"
#include "ctl/verbs/three_way.h"
#include "ctl/verbs/verbs.h"
#include "ctl/verbs/write.h"

namespace margay::verbs {
namespace {

using command::ExitCode;

// What a person compares: without what only the server or apply keep.
std::string comparable(json::Value object) {
  render::strip_server_fields(object);
  return json::dump_yaml(in_order(object));
}

}  // namespace

ExitCode run_diff(Session& session) {
  if (const auto code = check_files_given(session)) return *code;
  const Load load = load_files(session, {});
  if (!load.ok()) return load.exit_code;
  const auto api = session.api();
  if (!api.ok()) return session.fail(api.error());
  bool differs = false;
  for (const Loaded& loaded : load.objects) {
    const schema::ResourceInfo& resource = *loaded.item.resource;
    const std::string name = render::object_name(loaded.item);
    const auto live = (*api)->get(resource, name_in(resource, loaded.item.object));
    const bool is_absent = !live.ok() && live.error().code == ErrorCode::kNotFound;
    if (!live.ok() && !is_absent) return session.fail(name, live.error());
    const std::string before = is_absent ? std::string() : comparable(*live);
    const std::string after = comparable(is_absent ? loaded.item.object : applied_to(*live, loaded.item.object));
    const std::string changes = line_diff(before, after);
    if (changes.empty()) continue;
    differs = true;
    session.io().out(concat("--- ", name, is_absent ? " (absent)" : " (server)", "\n+++ ", name, " (file)\n", changes));
  }
  return differs ? ExitCode::kFailed : ExitCode::kDone;
}

}  // namespace margay::verbs
