#include "policy/lint/lint.h"

#include <algorithm>
#include <tuple>

#include "base/core/text.h"
#include "policy/lint/checks.h"

namespace margay::policy {
namespace {

void check_notes(const Cluster& cluster, std::vector<Finding>& out) {
  for (const Note& note : cluster.notes()) {
    out.push_back({.object = note.object,
                   .field = note.error.path,
                   .severity = Severity::kError,
                   .rule = "not-used",
                   .what = note.error.message,
                   .to_do = "put the field right; until then what it says does not count"});
  }
}

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::kError: return "error";
    case Severity::kWarning: return "warning";
    case Severity::kRemark: return "remark";
  }
  return "";
}

std::vector<Finding> lint(const Cluster& cluster) {
  const Scene scene(cluster);
  const std::vector<PolicyView> views = views_of(cluster.world());
  const LintInput input{scene, views};
  std::vector<Finding> out;
  check_notes(cluster, out);
  for (const auto check : {check_selectors, check_order, check_ports, check_nets, check_dns, check_references}) {
    check(input, out);
  }
  std::stable_sort(out.begin(), out.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.object, a.field, a.severity) < std::tie(b.object, b.field, b.severity);
  });
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace margay::policy
