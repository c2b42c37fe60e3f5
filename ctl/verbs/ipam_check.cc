// ipam check: what the audit found, for people and as a report that ipam release takes.
#include <algorithm>

#include "base/core/text.h"
#include "base/file/file.h"
#include "ctl/verbs/ipam_world.h"
#include "ctl/verbs/verbs.h"

namespace margay::verbs {
namespace {

using command::ExitCode;

constexpr std::size_t kNodesMax = 20;

json::Value audit_json(const ipam::AuditFinding& finding) {
  json::Object out;
  out["kind"] = to_string(finding.kind);
  out["what"] = finding.what;
  if (finding.address) out["ip"] = finding.address->to_string();
  if (!finding.handle.empty()) out["handleId"] = finding.handle;
  if (finding.sequence) out["sequenceNumber"] = *finding.sequence;
  if (finding.block) out["block"] = finding.block->to_string();
  return json::Value(std::move(out));
}

std::string report_json(const ipam::AuditReport& report) {
  json::Object out;
  out["version"] = 1;
  const auto number = [](std::size_t value) { return json::Value(static_cast<std::int64_t>(value)); };
  out["blocks"] = number(report.blocks);
  out["allocations"] = number(report.allocations);
  out["handles"] = number(report.handles);
  out["addressesInUse"] = number(report.users);
  json::Array findings;
  for (const ipam::AuditFinding& finding : report.findings) findings.push_back(audit_json(finding));
  out["findings"] = std::move(findings);
  return json::dump_pretty(json::Value(std::move(out)));
}

std::string report_text(const ipam::AuditReport& report) {
  std::string out = concat("Blocks: ", report.blocks, ", with ", report.allocations,
                           " addresses given\nHandles: ", report.handles, "\nAddresses in use: ", report.users, '\n');
  std::vector<std::pair<std::size_t, std::string>> nodes;
  for (const auto& [node, count] : report.by_node) nodes.emplace_back(count, node);
  std::sort(nodes.begin(), nodes.end(),
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  if (!nodes.empty()) {
    out += concat("Addresses by node (median ", nodes[nodes.size() / 2].first, "):\n");
    for (std::size_t i = 0; i < std::min(nodes.size(), kNodesMax); ++i) {
      out += concat("  ", nodes[i].second.empty() ? "(none)" : nodes[i].second, ": ", nodes[i].first, '\n');
    }
  }
  for (const ipam::AuditFinding& finding : report.findings) {
    out += concat(to_string(finding.kind), ": ", finding.what, '\n');
  }
  return out + concat("Check complete; found ", report.findings.size(), " problems.\n");
}

std::string given_text(const ipam::AuditReport& report) {
  std::string out;
  for (const auto& [address, holder] : report.given) out += concat(address.to_string(), ": ", holder, '\n');
  return out;
}

}  // namespace

ExitCode run_ipam_check(Session& session) {
  const std::string output = session.invocation().text("output");
  const bool is_file = output.ends_with(".json");
  if (!is_file && output != "table" && output != "json") {
    return session.usage(concat("--output: table, json or a file NAME.json is wanted, not ", quoted(output)));
  }
  IpamWorld world;
  if (const auto code = load_ipam(session, /*has_users=*/true, world)) return *code;
  const ipam::AuditReport report = ipam::audit(world.audit_input());
  if (output == "json") {
    session.io().out(report_json(report));
  } else {
    session.io().out((session.invocation().is_on("show-all-ips") ? given_text(report) : "") + report_text(report));
  }
  if (is_file) {
    const Status written = file::write_file_atomically(output, report_json(report));
    if (!written.ok()) return session.fail(written.error());
  }
  return report.findings.empty() ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace margay::verbs
