// policy lint: findings, from files or a cluster.
#include <algorithm>
#include <set>

#include "base/core/text.h"
#include "base/json/value.h"
#include "ctl/verbs/colour.h"
#include "ctl/verbs/policy_output.h"
#include "ctl/verbs/policy_world.h"
#include "ctl/verbs/verbs.h"
#include "policy/lint/lint.h"

namespace margay::verbs {
namespace {

using command::ExitCode;
using policy::Finding;
using policy::Severity;

std::string marked(Severity severity, bool has_colour) {
  return coloured(to_string(severity), severity == Severity::kError ? kRed : kYellow,
                  has_colour && severity != Severity::kRemark);
}

std::string counted(std::ptrdiff_t count, std::string_view word) {
  return concat(count, " ", word, count == 1 ? "" : "s");
}

std::ptrdiff_t count_of(const std::vector<Finding>& findings, Severity severity) {
  return std::count_if(findings.begin(), findings.end(),
                       [severity](const Finding& each) { return each.severity == severity; });
}

std::string summary(const std::vector<Finding>& findings) {
  if (findings.empty()) return "nothing found\n";
  return concat(counted(count_of(findings, Severity::kError), "error"), ", ",
                counted(count_of(findings, Severity::kWarning), "warning"), ", ",
                counted(count_of(findings, Severity::kRemark), "remark"), "\n");
}

// A paragraph for each: tables with sentences in them cannot be read.
std::string as_paragraphs(const std::vector<Finding>& findings, bool has_colour) {
  std::string out;
  for (const Finding& finding : findings) {
    out += concat(finding.object.to_string(), finding.field.empty() ? "" : " ", finding.field, "\n  ",
                  marked(finding.severity, has_colour), " (", finding.rule, "): ", finding.what, "\n  -> ",
                  finding.to_do, "\n\n");
  }
  return out + summary(findings);
}

json::Value finding_json(const Finding& finding) {
  const model::KindInfo& info = model::info(finding.object.kind);
  json::Object object;
  object["apiVersion"] = info.api_version;
  object["kind"] = info.name;
  if (!finding.object.name_space.empty()) object["namespace"] = finding.object.name_space;
  object["name"] = finding.object.name;
  json::Object out;
  out["object"] = std::move(object);
  out["field"] = finding.field;
  out["severity"] = to_string(finding.severity);
  out["rule"] = finding.rule;
  out["what"] = finding.what;
  out["toDo"] = finding.to_do;
  return out;
}

std::string findings_as_json(const std::vector<Finding>& findings) {
  json::Array out;
  for (const Finding& finding : findings) out.push_back(finding_json(finding));
  return json::dump_pretty(out);
}

// Errors fail; the rest passes, and stands there by name.
std::string findings_as_junit(const std::vector<Finding>& findings) {
  std::vector<JunitCase> cases;
  for (const Finding& finding : findings) {
    const bool is_error = finding.severity == Severity::kError;
    cases.push_back({.group = finding.object.to_string(),
                     .name = concat(finding.rule, " ", finding.field),
                     .failure = is_error ? concat(finding.what, "; ", finding.to_do) : ""});
  }
  if (cases.empty()) cases.push_back({.group = "policies", .name = "nothing found", .failure = ""});
  return as_junit("netctl policy lint", cases);
}

}  // namespace

ExitCode run_policy_lint(Session& session) {
  policy::World world;
  if (const auto code = load_world(session, world)) return *code;
  const policy::Cluster cluster(world);
  const std::vector<Finding> findings = policy::lint(cluster);
  const std::string output = session.invocation().text("output");
  if (output == "json") {
    session.io().out(findings_as_json(findings));
  } else if (output == "junit") {
    session.io().out(findings_as_junit(findings));
  } else {
    session.io().out(as_paragraphs(findings, session.io().out_has_colour()));
  }
  return count_of(findings, Severity::kError) > 0 ? ExitCode::kFailed : ExitCode::kDone;
}

}  // namespace margay::verbs
