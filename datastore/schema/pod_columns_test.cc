#include "datastore/schema/pod_columns.h"

#include <string>

#include "base/json/yaml.h"
#include "gtest/gtest.h"

namespace margay::schema {
namespace {

ResourceInfo pods() {
  ResourceInfo out;
  out.version = "v1";
  out.kind = "Pod";
  return out;
}

std::string cell(const std::string& column, const std::string& yaml) {
  PrinterColumn asked;
  asked.name = column;
  const CellFunction function = computed_cell(pods(), asked);
  return function == nullptr ? "by its path" : json::dump(function(json::parse_yaml(yaml).value().at(0).value));
}

TEST(PodColumns, AreAsKubectlPrintsThem) {
  struct Row {
    const char* pod;
    const char* ready;
    const char* status;
    const char* restarts;
  };
  const Row rows[] = {
      {"{}", "\"0/0\"", "null", "0"},
      {"{spec: {containers: [{name: a}, {name: b}]}, status: {phase: Pending}}", "\"0/2\"", "\"Pending\"", "0"},
      {"{spec: {containers: [{name: a}, {name: b}]}, status: {phase: Running, containerStatuses: ["
       "{name: a, ready: true, restartCount: 2, state: {running: {}}},"
       "{name: b, ready: false, restartCount: 5, state: {waiting: {reason: CrashLoopBackOff}}}]}}",
       "\"1/2\"", "\"CrashLoopBackOff\"", "7"},
      {"{spec: {containers: [{name: a}]}, status: {phase: Succeeded, containerStatuses: ["
       "{name: a, ready: false, state: {terminated: {reason: Completed}}}]}}",
       "\"0/1\"", "\"Completed\"", "0"},
      {"{spec: {containers: [{name: a}, {name: b}]}, status: {phase: Running, containerStatuses: ["
       "{name: a, ready: false, state: {terminated: {reason: Completed}}}, {name: b, ready: true}]}}",
       "\"1/2\"", "\"Running\"", "0"},
      {"{spec: {containers: [{name: a}]}, status: {phase: Failed, reason: Evicted}}", "\"0/1\"", "\"Evicted\"", "0"},
      {"{metadata: {deletionTimestamp: '2026-01-01T00:00:00Z'}, spec: {containers: [{name: a}]},"
       " status: {phase: Running, containerStatuses: [{name: a, ready: true}]}}",
       "\"1/1\"", "\"Terminating\"", "0"},
      {"{metadata: {deletionTimestamp: '2026-01-01T00:00:00Z'}, status: {reason: NodeLost}}", "\"0/0\"", "\"Unknown\"",
       "0"},
      {"{spec: {containers: no}, status: {containerStatuses: {}, phase: 7}}", "\"0/0\"", "null", "0"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(cell("Ready", row.pod), row.ready) << row.pod;
    EXPECT_EQ(cell("Status", row.pod), row.status) << row.pod;
    EXPECT_EQ(cell("Restarts", row.pod), row.restarts) << row.pod;
  }
}

TEST(PodColumns, OthersAreFoundByTheirPaths) {
  EXPECT_EQ(cell("Node", "{}"), "by its path");
  ResourceInfo other = pods();
  other.kind = "Node";
  PrinterColumn ready;
  ready.name = "Ready";
  EXPECT_EQ(computed_cell(other, ready), nullptr);
  other = pods();
  other.group = "example.org";
  EXPECT_EQ(computed_cell(other, ready), nullptr);
}

}  // namespace
}  // namespace margay::schema
