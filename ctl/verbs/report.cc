#include "ctl/verbs/report.h"

#include <algorithm>

#include "base/core/text.h"
#include "ctl/render/renderer.h"
#include "ctl/verbs/source.h"

namespace margay::verbs {

using command::ExitCode;

Report::Report(Session& session, std::string_view past)
    : session_(session), past_(past), output_(session.invocation().text("output")) {}

void Report::done(const render::Item& item, std::string_view how) {
  done_.push_back(item);
  if (how == kSkipped) ++skipped_;
  if (!output_.empty()) return;
  session_.io().out(concat(render::object_name(item), ' ', how, dry_run_mark(session_.invocation()), '\n'));
}

void Report::failed(const render::Item& item, const kube::ApiError& error) {
  const std::string name = render::object_name(item);
  session_.fail(name, error);
  count_failure(name, error.code);
}

void Report::failed(std::string_view what, const Error& error) {
  session_.fail(error.within(what));
  count_failure(what, error.code);
}

void Report::not_tried(const render::Items& items, std::string_view why) {
  if (items.empty()) return;
  session_.io().error(concat(items.size(), " more not tried: ", why));
  for (const render::Item& item : items) count_failure(render::object_name(item), ErrorCode::kUnavailable);
}

void Report::count_failure(std::string_view what, ErrorCode code) {
  failed_.emplace_back(what);
  all_not_found_ = all_not_found_ && code == ErrorCode::kNotFound;
}

std::string Report::summary() const {
  const std::string& kind = done_.front().resource->kind;
  const auto is_same = [&](const render::Item& item) { return item.resource->kind == kind; };
  const bool is_one_kind = std::all_of(done_.begin(), done_.end(), is_same);
  return concat("Successfully ", past_, ' ', done_.size() - skipped_, is_one_kind ? concat(" '", kind, "'") : "",
                " resource(s)", skipped_ == 0 ? "" : concat(", skipped ", skipped_),
                dry_run_mark(session_.invocation()), '\n');
}

ExitCode Report::finish() {
  ExitCode shown = ExitCode::kDone;
  if (!output_.empty() && !done_.empty()) shown = show(session_, done_, output_, done_.size() > 1);
  if (failed_.empty()) {
    if (output_.empty() && !done_.empty()) session_.io().out(summary());
    return shown;
  }
  if (done_.empty()) return all_not_found_ ? ExitCode::kNotFound : ExitCode::kFailed;
  session_.io().error(concat("partly done: ", past_, ' ', done_.size(), " of ", done_.size() + failed_.size(),
                             " resources; failed: ", join(failed_, ", ")));
  return ExitCode::kPartly;
}

std::string_view dry_run_mark(const command::Invocation& invocation) {
  if (command::find_flag(invocation.path, "dry-run") == nullptr) return "";
  const std::string mode = invocation.text("dry-run");
  return mode == "client" ? " (dry run)" : mode == "server" ? " (server dry run)" : "";
}

ExitCode show(Session& session, const render::Items& items, std::string_view output, bool as_list) {
  const auto format = render::parse_format(output, read_whole_file);
  if (!format.ok()) return session.usage(format.error().message);
  render::Options options;
  options.as_list = as_list;
  options.now = session.io().wall_now();
  options.bold_headers = session.io().out_has_colour();
  const auto renderer = render::make_renderer(*format, options);
  if (!renderer.ok()) return session.usage(renderer.error().message);
  const auto text = (*renderer)->all(items);
  if (!text.ok()) return session.fail(text.error());
  session.io().out(*text);
  return ExitCode::kDone;
}

}  // namespace margay::verbs
