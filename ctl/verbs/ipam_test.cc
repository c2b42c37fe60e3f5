// What netctl ipam shows, finds and changes.
#include <string>

#include "ctl/verbs/console.h"
#include "gtest/gtest.h"
#include "test/support/golden.h"

namespace margay::verbs {
namespace {

// A /30 of node a: .0 given to a pod that is there, .1 to one that is gone, .2 to a pod of node b.
void fill_addresses(Console& console) {
  console.client.put("ippools", R"({"metadata": {"name": "main"}, "spec": {"cidr": "10.0.0.0/28", "blockSize": 30}})");
  console.client.put("ipreservations", R"({"metadata": {"name": "r"}, "spec": {"reservedCIDRs": ["10.0.0.12/30"]}})");
  console.client.put("ipamblocks", R"({"metadata": {"name": "10-0-0-0-30"}, "spec": {"cidr": "10.0.0.0/30",
    "affinity": "host:a", "allocations": [0, 1, 2, null], "unallocated": [3], "sequenceNumber": 5,
    "sequenceNumberForAllocation": {"0": 1, "1": 2, "2": 3}, "attributes": [
      {"handle_id": "net.c0", "secondary": {"namespace": "shop", "pod": "web", "node": "a"}},
      {"handle_id": "net.c1", "secondary": {"namespace": "shop", "pod": "gone", "node": "a"}},
      {"handle_id": "net.c2", "secondary": {"namespace": "shop", "pod": "db", "node": "b"}}]}})");
  console.client.put("blockaffinities", R"({"metadata": {"name": "a-10-0-0-0-30"}, "spec": {"cidr": "10.0.0.0/30",
    "node": "a", "state": "confirmed", "type": "host"}})");
  for (const char* container : {"c0", "c1", "c2"}) {
    console.client.put("ipamhandles",
                       concat(R"({"metadata": {"name": "net.)", container, R"("}, "spec": {"handleID": "net.)",
                              container, R"(", "block": {"10.0.0.0/30": 1}}})"));
  }
  console.client.put("pods", R"({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"nodeName": "a"},
    "status": {"podIP": "10.0.0.0"}})");
  console.client.put("pods", R"({"metadata": {"name": "db", "namespace": "shop"}, "spec": {"nodeName": "b"},
    "status": {"podIP": "10.0.0.2"}})");
}

TEST(Ipam, ShowsPoolsBlocksAddressesAndSettings) {
  Console console;
  fill_addresses(console);
  console.run("netctl ipam show");
  console.run("netctl ipam show --show-blocks");
  console.run("netctl ipam show --show-blocks -o json");
  console.run("netctl ipam show --show-borrowed");
  console.run("netctl ipam show --show-borrowed -o json");
  console.run("netctl ipam show --ip 10.0.0.1");
  console.run("netctl ipam show --ip 10.0.0.3 -o json");
  console.run("netctl ipam show --ip ten");
  console.run("netctl ipam show --show-configuration");
  test::expect_golden("ctl/verbs/testdata/ipam-show.txt", console.screen);
}

TEST(Ipam, CheckFindsWhatReleaseRepairs) {
  Console console;
  fill_addresses(console);
  console.run("netctl ipam check");
  const std::string report = console.run("netctl ipam check -o json");
  console.write("report.json", report.substr(report.find('{'), report.rfind('}') - report.find('{') + 1));
  console.run("netctl ipam release --from-report @report.json");
  console.run("netctl ipam check");
  console.run("netctl ipam release --from-report @report.json");
  console.run("netctl ipam release --ip 192.0.2.1");
  console.run("netctl ipam release");
  test::expect_golden("ctl/verbs/testdata/ipam-check.txt", console.screen);
}

// As scripts written for calicoctl call it.
TEST(Ipam, CheckWritesItsReportToAFileAndListsWhatIsGiven) {
  Console console;
  fill_addresses(console);
  const std::string told = console.run("netctl ipam check --show-all-ips --show-problem-ips -o @report.json");
  EXPECT_NE(told.find("10.0.0.0: pod shop/web\n10.0.0.1: pod shop/gone\n10.0.0.2: pod shop/db\n"), std::string::npos)
      << told;
  EXPECT_NE(told.find("found 1 problems"), std::string::npos) << told;
  EXPECT_NE(console.run("netctl ipam release --from-report @report.json --force").find("released 1 address"),
            std::string::npos);
  EXPECT_NE(console.run("netctl ipam check -o yaml").find("table, json or a file NAME.json is wanted"),
            std::string::npos);
  EXPECT_NE(console.run("netctl ipam check -o /nowhere/report.json").find("/nowhere/report.json"), std::string::npos);
}

TEST(Ipam, ReleaseLeavesAloneWhatWasGivenAgain) {
  Console console;
  fill_addresses(console);
  console.write("report.json", R"({"version":1,"findings":[{"kind":"leaked address","ip":"10.0.0.1","handleId":"net.c1",
    "sequenceNumber":1}]})");
  EXPECT_NE(console.run("netctl ipam release --from-report @report.json").find("was given again"), std::string::npos);
}

TEST(Ipam, CheckKnowsServicesAndWorkloadsThatAreNoPods) {
  Console console;
  fill_addresses(console);
  const std::string before = console.run("netctl ipam check");
  EXPECT_NE(before.find("10.0.0.1 is given to pod shop/gone and nobody uses it"), std::string::npos) << before;
  console.client.put("services", R"({"metadata": {"name": "front", "namespace": "shop"},
    "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}, {"ip": "192.0.2.77"}]}}})");
  console.client.put("workloadendpoints", R"({"metadata": {"name": "w", "namespace": "default"},
    "spec": {"node": "a", "ipNetworks": ["10.0.0.3/32"]}})");
  const std::string after = console.run("netctl ipam check");
  EXPECT_EQ(after.find("10.0.0.1 "), std::string::npos) << after;
  EXPECT_EQ(after.find("192.0.2.77"), std::string::npos) << after;
  EXPECT_NE(after.find("10.0.0.3 is used by workload endpoint default/w and not given"), std::string::npos) << after;
}

TEST(Ipam, CheckTellsOfAnAddressThatIsGivenToAnother) {
  Console console;
  fill_addresses(console);
  console.client.put("pods", R"({"metadata": {"name": "thief", "namespace": "shop"}, "spec": {"nodeName": "a"},
    "status": {"podIP": "10.0.0.1"}})");
  const std::string report = console.run("netctl ipam check");
  EXPECT_NE(report.find("10.0.0.1 is used by pod shop/thief and given to pod shop/gone"), std::string::npos) << report;
}

TEST(Ipam, SplitMakesPoolsFirstAndRemovesTheOldOneLast) {
  Console console;
  fill_addresses(console);
  console.run("netctl ipam split 4 --name main --dry-run");
  console.run("netctl ipam split 3 --name main");
  console.run("netctl ipam split 8 --name main");
  console.run("netctl ipam split 2");
  console.run("netctl ipam split 2 --cidr 10.9.0.0/16");
  console.client.calls.clear();
  // Of an attempt that did not come to its end.
  console.client.put("ippools",
                     R"({"metadata": {"name": "main-0"}, "spec": {"cidr": "10.0.0.0/29", "blockSize": 30}})");
  console.run("netctl ipam split 2 --cidr 10.0.0.0/28 -o json");
  EXPECT_EQ(console.client.calls.back(), "delete ippools main");
  console.run("netctl ipam show");
  test::expect_golden("ctl/verbs/testdata/ipam-split.txt", console.screen);
}

TEST(Ipam, ExplainSaysWhoseAnAddressIsAndWhereAPodGetsOne) {
  Console console;
  fill_addresses(console);
  for (const char* address : {"10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.5", "10.0.0.13", "192.0.2.1"}) {
    console.run(concat("netctl ipam explain ", address));
  }
  console.client.put("ippools", R"({"metadata": {"name": "edge"}, "spec": {"cidr": "10.1.0.0/28", "blockSize": 30,
    "nodeSelector": "zone == 'edge'"}})");
  console.client.put("ippools", R"({"metadata": {"name": "lb"}, "spec": {"cidr": "10.2.0.0/28", "blockSize": 30,
    "allowedUses": ["LoadBalancer"]}})");
  console.client.put("nodes", R"({"metadata": {"name": "a"}})");
  console.client.put("nodes", R"({"metadata": {"name": "b"}})");
  console.client.put("namespaces", R"({"metadata": {"name": "shop"}})");
  console.run("netctl ipam explain shop/web");
  console.run("netctl ipam explain db -n shop -o json");
  console.run("netctl ipam explain shop/nobody");
  test::expect_golden("ctl/verbs/testdata/ipam-explain.txt", console.screen);
}

TEST(Ipam, ConfigureChangesWhatIsNamed) {
  Console console;
  console.run("netctl ipam configure --strictaffinity=true");
  console.run("netctl ipam configure --max-blocks-per-host 7 --ip-cooldown-seconds 30");
  console.run("netctl ipam show --show-configuration");
  console.run("netctl ipam configure --max-blocks-per-host 8 -o json");
  console.run("netctl ipam configure");
  console.run("netctl ipam configure --strictaffinity=maybe");
  test::expect_golden("ctl/verbs/testdata/ipam-configure.txt", console.screen);
}

}  // namespace
}  // namespace margay::verbs
