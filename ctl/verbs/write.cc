#include "ctl/verbs/write.h"

#include <utility>

#include "base/core/text.h"
#include "ctl/render/renderer.h"
#include "ctl/verbs/source.h"

namespace margay::verbs {

using command::ExitCode;

bool is_client_dry_run(const command::Invocation& invocation) { return invocation.text("dry-run") == "client"; }

kube::WriteOptions write_options(const command::Invocation& invocation) {
  return {
      .dry_run = invocation.text("dry-run") == "server", .field_manager = std::string(kFieldManager), .force = false};
}

std::optional<ExitCode> check_output(Session& session) {
  const std::string output = session.invocation().text("output");
  if (output.empty()) return std::nullopt;
  const auto format = render::parse_format(output, read_whole_file);
  if (!format.ok()) return session.usage(format.error().message);
  const auto renderer = render::make_renderer(*format, {});
  if (!renderer.ok()) return session.usage(renderer.error().message);
  return std::nullopt;
}

std::optional<ExitCode> check_files_given(Session& session) {
  if (session.invocation().is_given("filename")) return std::nullopt;
  return session.usage("-f FILE is missing");
}

ExitCode write_files(Session& session, const LoadOptions& options, std::string_view past, const WriteOne& write) {
  if (const auto code = check_files_given(session)) return *code;
  if (const auto code = check_output(session)) return *code;
  const bool is_dry = is_client_dry_run(session.invocation());
  LoadOptions load_options = options;
  load_options.may_ask_server = !is_dry;
  const Load load = load_files(session, load_options);
  if (!load.ok() || load.objects.empty()) return load.exit_code;
  Report report(session, past);
  Api* api = nullptr;
  if (!is_dry) {
    const auto connected = session.api();
    if (!connected.ok()) return session.fail(connected.error());
    api = *connected;
  }
  for (const Loaded& loaded : load.objects) {
    if (is_dry) {
      report.done(loaded.item, past);
      continue;
    }
    auto done = write(*api, loaded.item);
    if (!done.ok()) {
      report.failed(loaded.item, done.error());
      if (done.error().code == ErrorCode::kCancelled) break;
      continue;
    }
    report.done({loaded.item.resource, std::move(done->object)}, done->how);
  }
  return report.finish();
}

}  // namespace margay::verbs
