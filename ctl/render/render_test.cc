// A golden file for each format and for the tables of all kinds.
#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "base/json/yaml.h"
#include "ctl/render/columns.h"
#include "ctl/render/renderer.h"
#include "ctl/render/sort.h"
#include "gtest/gtest.h"
#include "test/support/golden.h"

namespace margay::render {
namespace {

class Rendering : public ::testing::Test {
 protected:
  // Documents of YAML, each with apiVersion and kind.
  Items items(std::string_view yaml) const {
    Items out;
    auto documents = json::parse_yaml(yaml);
    for (json::YamlDocument& document : *documents) {
      const auto* resource =
          registry_->by_kind(document.value.string_at({"apiVersion"}), document.value.string_at({"kind"}));
      EXPECT_NE(resource, nullptr) << json::dump(document.value);
      if (resource != nullptr) out.push_back({resource, std::move(document.value)});
    }
    return out;
  }

  std::string all(std::string_view format, const Items& objects, Options options) const {
    options.now = *parse_timestamp("2026-08-22T10:00:00Z");
    const auto parsed = parse_format(format, [](const std::string&) { return Result<std::string>(std::string()); });
    if (!parsed.ok()) return parsed.error().message;
    const auto renderer = make_renderer(*parsed, options);
    if (!renderer.ok()) return renderer.error().message;
    const auto text = (*renderer)->all(objects);
    return text.ok() ? *text : text.error().message;
  }

  std::unique_ptr<schema::Registry> registry_ = schema::make_registry();
};

constexpr std::string_view kObjects = R"(
apiVersion: projectcalico.org/v3
kind: BGPConfiguration
metadata: {name: default}
spec: {logSeverityScreen: Info, nodeToNodeMeshEnabled: false, asNumber: 63400}
---
apiVersion: projectcalico.org/v3
kind: BGPConfiguration
metadata: {name: node.w1}
spec: {}
---
apiVersion: projectcalico.org/v3
kind: BGPFilter
metadata: {name: only-pools}
spec: {exportV4: [{action: Accept}, {action: Reject}], importV6: [{action: Reject}]}
---
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: by-node}
spec: {peerIP: 192.0.2.1, asNumber: 64512, node: w1}
---
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: by-selector}
spec: {peerIP: '[2001:db8::1]:1790', asNumber: 4200000000, nodeSelector: rack == 'r1'}
---
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: reflectors}
spec: {peerSelector: has(reflector)}
---
apiVersion: projectcalico.org/v3
kind: CalicoNodeStatus
metadata: {name: s}
spec: {node: w1, classes: [Agent, BGP]}
---
apiVersion: projectcalico.org/v3
kind: ClusterInformation
metadata: {name: default}
spec: {clusterGUID: abc, clusterType: 'k8s,bgp', calicoVersion: v3.32.0, datastoreReady: true}
---
apiVersion: projectcalico.org/v3
kind: FelixConfiguration
metadata: {name: default}
spec: {}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: deny-all}
spec: {tier: security, order: 1000.5, selector: all()}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkSet
metadata: {name: bogons}
spec: {nets: [0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.0.2.0/24]}
---
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: w1-eth0}
spec: {node: w1, interfaceName: eth0, expectedIPs: [10.1.1.1, 'fd00::1'], profiles: [a, b]}
---
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: bare}
spec: {node: w2}
---
apiVersion: projectcalico.org/v3
kind: IPAMConfiguration
metadata: {name: default}
spec: {strictAffinity: true, maxBlocksPerHost: 4}
---
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: main}
spec: {cidr: 10.0.0.0/16, ipipMode: CrossSubnet, natOutgoing: true, nodeSelector: zone == 'a'}
---
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: v6}
spec: {cidr: 'fd00::/48', vxlanMode: Always, disabled: true, disableBGPExport: true, assignmentMode: Manual}
---
apiVersion: projectcalico.org/v3
kind: IPReservation
metadata: {name: gateways}
spec: {reservedCIDRs: [10.0.0.1, 10.0.1.0/30]}
---
apiVersion: projectcalico.org/v3
kind: KubeControllersConfiguration
metadata: {name: default}
spec: {}
---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {selector: app == 'web'}
---
apiVersion: projectcalico.org/v3
kind: NetworkSet
metadata: {name: office, namespace: shop}
spec: {nets: []}
---
apiVersion: v1
kind: Node
metadata:
  name: w1
  annotations: {projectcalico.org/ASNumber: '65001', projectcalico.org/IPv4Address: 10.1.1.1/24, projectcalico.org/IPv6Address: 'fd00::1/64'}
---
apiVersion: v1
kind: Node
metadata: {name: w2}
---
apiVersion: projectcalico.org/v3
kind: Profile
metadata: {name: kns.shop}
spec: {labelsToApply: {pcns.b: '2', pcns.a: '1'}}
---
apiVersion: projectcalico.org/v3
kind: StagedGlobalNetworkPolicy
metadata: {name: trial}
spec: {tier: default, stagedAction: Set, selector: has(x)}
---
apiVersion: projectcalico.org/v3
kind: StagedKubernetesNetworkPolicy
metadata: {name: k, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}, matchExpressions: [{key: tier, operator: In, values: [a, b]}]}}
---
apiVersion: projectcalico.org/v3
kind: StagedNetworkPolicy
metadata: {name: s, namespace: shop}
spec: {order: 10}
---
apiVersion: projectcalico.org/v3
kind: Tier
metadata: {name: security}
spec: {order: 100}
---
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: w1-k8s-web-eth0, namespace: shop}
spec: {node: w1, pod: web, ipNetworks: [10.0.0.1/32, 'fd00::5/128'], interfaceName: cali0123456789a, profiles: [kns.shop],
  ipNATs: [{internalIP: 10.0.0.1, externalIP: 192.0.2.7}]}
---
apiVersion: projectcalico.org/v3
kind: BlockAffinity
metadata: {name: w1-10-0-0-0-26, creationTimestamp: '2026-08-22T09:58:00Z'}
spec: {node: w1, cidr: 10.0.0.0/26, state: confirmed}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, creationTimestamp: '2026-08-20T09:58:00Z'}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: backend, namespace: shop, creationTimestamp: '2026-08-22T09:59:30Z'}
spec: {podSelector: {matchLabels: {role: db}}}
)";

TEST_F(Rendering, TableOfEveryKind) {
  const Items objects = items(kObjects);
  test::expect_golden("ctl/render/testdata/table.txt", all("table", objects, {}));
  test::expect_golden("ctl/render/testdata/wide.txt", all("wide", objects, {.global_as_number = "63400"}));
  test::expect_golden("ctl/render/testdata/namespaces.txt",
                      all("ps", objects, {.with_namespace = true, .with_kind = true, .with_labels = true}));
}

TEST_F(Rendering, EveryBuiltInKindHasATableInBothWidths) {
  for (const schema::ResourceInfo* resource : registry_->all()) {
    const Items nothing{{resource, *json::parse(R"({"metadata":{"name":"x"}})")}};
    for (const char* format : {"table", "wide"}) {
      const std::string text = all(format, nothing, {});
      EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << resource->kind << "\n" << text;
      EXPECT_EQ(text.find(" \n"), std::string::npos) << text;
      EXPECT_EQ(text.find("invalid"), std::string::npos) << text;
    }
  }
}

constexpr std::string_view kTwo = R"(
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: main, labels: {b: '2', a: '1'}}
spec: {cidr: 10.0.0.0/16, disabled: false}
---
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: 日本, annotations: {note: "two\nlines"}}
spec: {cidr: 'fd00::/48', blockSize: 122}
)";

TEST_F(Rendering, EveryFormat) {
  const Items objects = items(kTwo);
  const Items one{objects.front()};
  std::string screen;
  for (const char* format :
       {"table", "wide", "yaml", "json", "jsonl", "name", "jsonpath={.items[*].metadata.name}",
        R"(jsonpath={range .items[*]}{.metadata.name}{"\t"}{.spec.cidr}{"\n"}{end})",
        "custom-columns=NAME:.metadata.name,SIZE:.spec.blockSize,ALL:.metadata.labels", "go-template={{len .items}}"}) {
    screen += concat("--- ", format, "\n", all(format, objects, {}), "\n");
  }
  for (const char* format : {"yaml", "json", "jsonpath={.metadata.name}", "go-template={{.spec.cidr}}"}) {
    screen += concat("--- one: ", format, "\n", all(format, one, {.as_list = false}), "\n");
  }
  screen += concat("--- none: yaml\n", all("yaml", {}, {}), "--- none: table\n", all("table", {}, {}));
  screen += concat("--- no headers\n", all("table", objects, {.with_labels = true, .no_headers = true}));
  test::expect_golden("ctl/render/testdata/formats.txt", screen);
}

TEST_F(Rendering, PodsAreReadyByTheirContainers) {
  const Items pods = items(R"({apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: a}]},
      status: {phase: Running, containerStatuses: [{name: a, ready: true, restartCount: 3}],
               conditions: [{type: Ready, status: 'True'}]}})");
  const std::string text = all("table", pods, {});
  EXPECT_NE(text.find("1/1"), std::string::npos) << text;
  EXPECT_EQ(text.find("True"), std::string::npos) << text;
}

TEST_F(Rendering, ErrorsOfTemplates) {
  EXPECT_EQ(all("go-template={{.a", {}, {}), "go-template: line 1, column 1: \"{{\" is not closed");
  EXPECT_EQ(all("jsonpath={.a[", {}, {}).substr(0, 10), "jsonpath: ");
  EXPECT_EQ(all("custom-columns=A", {}, {}), "custom-columns: \"A\" is not HEADER:.json.path");
  EXPECT_EQ(all("custom-columns=A:.x,B:", {}, {}), "custom-columns: \"B:\" is not HEADER:.json.path");
  EXPECT_EQ(all("custom-columns=A:.x[", {}, {}).substr(0, 19), "custom-columns: A: ");
}

TEST_F(Rendering, LaterObjectsFollowUnderTheSameHeader) {
  const Items objects = items(kTwo);
  const auto renderer = make_renderer({FormatKind::kTable, ""}, {});
  EXPECT_EQ(*(*renderer)->all({objects[0]}), "NAME   CIDR          SELECTOR\nmain   10.0.0.0/16   all()\n");
  EXPECT_EQ(*(*renderer)->next(objects[1]), "日本   fd00::/48     all()\n");
  const auto documents = make_renderer({FormatKind::kYaml, ""}, {});
  EXPECT_EQ((*(*documents)->next(objects[0])).substr(0, 4), "---\n");
}

std::string names(const Items& items) {
  std::string out;
  for (const Item& item : items) out += concat(item.object.string_at({"metadata", "name"}), " ");
  return out;
}

TEST_F(Rendering, SortsByValueAndKeepsTheOrderOfEquals) {
  Items objects = items(R"(
{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: b}, spec: {order: 20}}
---
{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: none}, spec: {}}
---
{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: a}, spec: {order: 3.5}}
---
{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: text}, spec: {order: x}}
---
{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: c}, spec: {order: 20}}
)");
  Items by_path = objects;
  ASSERT_TRUE(sort_by_path(by_path, ".spec.order").ok());
  EXPECT_EQ(names(by_path), "a b c text none ");
  ASSERT_TRUE(sort_by_path(by_path, "{.metadata.name}").ok());
  EXPECT_EQ(names(by_path), "a b c none text ");
  EXPECT_EQ(sort_by_path(by_path, ".a[").error().message.substr(0, 9), "column 4:") << "who reads the flag names it";
  sort_tiers(objects);
  EXPECT_EQ(names(objects), "a b c text none ");
  Items pools = items(kTwo);
  sort_tiers(pools);
  EXPECT_EQ(names(pools), "main 日本 ");
}

}  // namespace
}  // namespace margay::render
