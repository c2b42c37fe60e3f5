// node checksystem: what this machine's kernel and tools can do.
#include <algorithm>

#include "base/core/text.h"
#include "ctl/verbs/show.h"
#include "ctl/verbs/verbs.h"

namespace margay::verbs {
namespace {

using command::ExitCode;
using node::CheckResult;
using node::Verdict;

json::Value checks_value(const std::vector<CheckResult>& results) {
  json::Array out;
  for (const CheckResult& result : results) {
    json::Object one{{"check", result.name},
                     {"needed", result.is_needed},
                     {"result", node::to_string(result.verdict)},
                     {"detail", result.detail}};
    if (result.verdict != Verdict::kWorks) one["meaning"] = result.meaning;
    out.emplace_back(std::move(one));
  }
  return out;
}

void show_checks(Session& session, const std::vector<CheckResult>& results) {
  std::vector<render::Table::Row> rows;
  for (const CheckResult& result : results) {
    const bool is_there = result.verdict == Verdict::kWorks;
    rows.push_back({result.name, result.is_needed ? "yes" : "no", std::string(node::to_string(result.verdict)),
                    is_there ? "-" : result.meaning, result.detail.empty() ? "-" : result.detail});
  }
  show_table(session, {"CHECK", "NEEDED", "RESULT", "WITHOUT IT", "DETAIL"}, rows);
}

}  // namespace

ExitCode run_node_checksystem(Session& session) {
  const std::vector<CheckResult> results = session.host().check_system();
  if (!show_value(session, checks_value(results))) show_checks(session, results);
  const auto lacks = [&results](bool is_needed) {
    return std::count_if(results.begin(), results.end(), [is_needed](const CheckResult& result) {
      return result.is_needed == is_needed && result.verdict != Verdict::kWorks;
    });
  };
  if (lacks(true) > 0) {
    session.io().error(concat("this machine cannot be a node: ", lacks(true), " of what a node needs is missing"));
    return ExitCode::kFailed;
  }
  if (lacks(false) == 0) return ExitCode::kDone;
  session.io().warning(
      concat("this machine can be a node, with ", lacks(false), " restriction", lacks(false) == 1 ? "" : "s"));
  return ExitCode::kDegraded;
}

}  // namespace margay::verbs
