#include "ctl/verbs/write.h"

#include <utility>

#include "base/core/text.h"
#include "ctl/render/renderer.h"
#include "ctl/verbs/source.h"

namespace margay::verbs {

using command::ExitCode;

namespace {

// So many objects in a row; then the server is gone, and the others would only wait for it.
constexpr int kUnreachableMax = 2;

bool is_unreachable(const kube::ApiError& error) {
  return error.http_status == 0 && (error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kTimeout);
}

void write_all(Api& api, const std::vector<Loaded>& objects, const WriteOne& write, Report& report) {
  int unreachable = 0;
  for (auto at = objects.begin(); at != objects.end(); ++at) {
    auto done = write(api, at->item);
    if (done.ok()) {
      unreachable = 0;
      report.done({at->item.resource, std::move(done->object)}, done->how);
      continue;
    }
    report.failed(at->item, done.error());
    unreachable = is_unreachable(done.error()) ? unreachable + 1 : 0;
    const bool is_interrupted = done.error().code == ErrorCode::kCancelled;
    if (!is_interrupted && unreachable < kUnreachableMax) continue;
    render::Items rest;
    for (++at; at != objects.end(); ++at) rest.push_back(at->item);
    return report.not_tried(rest, is_interrupted ? "interrupted" : "the API server does not answer");
  }
}

}  // namespace

bool is_client_dry_run(const command::Invocation& invocation) { return invocation.text("dry-run") == "client"; }

kube::WriteOptions write_options(const command::Invocation& invocation) {
  return {
      .dry_run = invocation.text("dry-run") == "server", .field_manager = std::string(kFieldManager), .force = false};
}

std::optional<ExitCode> check_files_given(Session& session) {
  if (session.invocation().is_given("filename")) return std::nullopt;
  return session.usage("-f FILE is missing");
}

ExitCode write_files(Session& session, const LoadOptions& options, std::string_view past, const WriteOne& write) {
  if (const auto code = check_files_given(session)) return *code;
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
  if (!is_dry) {
    write_all(*api, load.objects, write, report);
  } else {
    for (const Loaded& loaded : load.objects) report.done(loaded.item, past);
  }
  return report.finish();
}

kube::ApiError refused(const Error& error) {
  kube::ApiError out;
  out.code = error.code;
  out.message = error.message;
  return out;
}

}  // namespace margay::verbs
