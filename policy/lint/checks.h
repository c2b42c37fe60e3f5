// The checks behind lint.h. Each adds its findings; they know nothing of each other.
#pragma once

#include <vector>

#include "policy/lint/lint.h"
#include "policy/lint/scene.h"
#include "policy/lint/view.h"

namespace margay::policy {

struct LintInput {
  const Scene& scene;
  const std::vector<PolicyView>& views;
};

using Findings = std::vector<Finding>;

// Subjects and peers that nothing answers to; namespaces by a name that is not there.
void check_selectors(const LintInput& input, Findings& out);
// Rules that others leave nothing to, in the same policy or an earlier one of the tier.
void check_order(const LintInput& input, Findings& out);
// Ports: names that no receiver has, ports of Services where those of pods count.
void check_ports(const LintInput& input, Findings& out);
// Ranges that hold pods or Services.
void check_nets(const LintInput& input, Findings& out);
// Pods whose egress is bound and that cannot ask for names.
void check_dns(const LintInput& input, Findings& out);
// Tiers, service accounts and Services that are not there.
void check_references(const LintInput& input, Findings& out);

}  // namespace margay::policy
