// Objects of Kubernetes as Calico's own tests expect them in projectcalico.org/v3.
//
// Names are compared without the prefix that our policies have (knp.default., kcnp.kube-admin., …): the data is from a
// release that keeps the kind instead. Everything else is compared as it is, but for what is counted and said below.
#include <map>
#include <string>
#include <utility>

#include "base/core/text.h"
#include "datastore/codec/codec.h"
#include "gtest/gtest.h"
#include "policy/translate/names.h"
#include "policy/translate/rules.h"
#include "policy/translate/translate.h"
#include "test/conformance/conformance_data.h"

namespace margay::conformance {
namespace {

constexpr std::string_view kAnAddress = "192.0.2.99";

// Calls whose output here is not Calico's, by their number, and why.
const std::map<std::string, std::string>& known_differences() {
  static const std::string kNames =
      "a port's name without protocol: there a rule with ports and no protocol, which its own server refuses and which "
      "means TCP where it is not; here a rule for each protocol";
  static const std::map<std::string, std::string> kKnown = {
      {"call 9", kNames},
      {"call 21", "networks of both families: there one rule, which its own server refuses; here one for each family"},
      {"call 24", kNames},
  };
  return kKnown;
}

template <class T>
FieldErrors read(const json::Value& value, T& out) {
  json::Document parser;
  return codec::decode(*parser.parse(json::dump(value)), out);
}

template <class T>
std::string text_of(const T& object) {
  json::Value out;
  codec::encode(object, out);
  return json::dump_pretty(out);
}

// Erases the innermost list element on the path: "spec.containers[1].ports[6].protocol" names ports[6].
void erase_element(json::Value& object, std::string_view path) {
  const std::size_t open = path.rfind('[');
  ASSERT_NE(open, std::string_view::npos) << path;
  const std::size_t close = path.find(']', open);
  json::Value* at = &object;
  std::string name;
  const auto descend = [&] {
    if (!name.empty()) at = at->find(name);
    name.clear();
  };
  for (const char c : path.substr(0, open)) {
    if (c == '.' || c == '[') {
      descend();
    } else if (c == ']') {
      at = &(*at->as_array())[*parse_number<std::size_t>(name)];
      name.clear();
    } else {
      name.push_back(c);
    }
    ASSERT_NE(at, nullptr) << path;
  }
  descend();
  const auto index = parse_number<std::ptrdiff_t>(path.substr(open + 1, close - open - 1));
  at->as_array()->erase(at->as_array()->begin() + *index);
}

class Conversion : public testing::Test {
 protected:
  void SetUp() override {
    auto data = load("conversion/from_tests.json");
    if (!data) GTEST_SKIP() << "no conformance data: set MARGAY_CONFORMANCE_DIR";
    data_ = std::move(*data);
  }

  // Calls visit(call, name) for each call about this kind.
  template <class Visit>
  void for_each_call(std::string_view kind, Visit visit) {
    std::size_t index = 0;
    for (const json::Value& call : *get(data_, "calls").as_array()) {
      ++index;
      if (call.string_at({"kind"}) != kind) continue;
      visit(call, concat("call ", index, ": ", call.string_at({"test"})));
      ++counts_["calls"];
    }
  }

  void print(std::string_view what) {
    std::string out(what);
    for (const auto& [name, count] : counts_) out += concat(" | ", name, ": ", count);
    std::printf("%s\n", out.c_str());
  }

  // The objects that a server refuses never reach the translation: here they must be those that Calico reports.
  template <class Source, class Out>
  void check_policies(std::string_view kind, std::string_view prefix) {
    for_each_call(kind, [&](const json::Value& call, const std::string& name) {
      const json::Value* value = call.find({"output", "value"});
      const bool has_error = call.find("error") != nullptr;
      Source source;
      if (!read(get(call, "input"), source).empty()) {
        ++counts_["refused before translation"];
        EXPECT_TRUE(has_error || value == nullptr || value->is_null()) << name;
        return;
      }
      auto translated = policy::from_kubernetes(source);
      if (value == nullptr || value->is_null()) {
        ++counts_["nothing to translate"];
        EXPECT_FALSE(translated.errors.empty()) << name;
        EXPECT_TRUE(translated.object.spec.ingress.empty() && translated.object.spec.egress.empty()) << name;
        return;
      }
      EXPECT_EQ(has_error, !translated.errors.empty()) << name << "\n" << to_string(translated.errors);
      Out expected;
      EXPECT_EQ(to_string(read(*value, expected)), "") << name;
      std::string& own_name = translated.object.metadata.name;
      EXPECT_TRUE(own_name.starts_with(prefix_of(source, prefix))) << own_name;
      own_name.erase(0, prefix_of(source, prefix).size());
      if (known_differences().contains(name.substr(0, name.find(':')))) {
        EXPECT_NE(text_of(translated.object), text_of(expected)) << name << " is as expected now";
        ++counts_["known to differ"];
        return;
      }
      EXPECT_EQ(text_of(translated.object), text_of(expected)) << name;
      ++counts_["compared whole"];
    });
  }

  static std::string_view prefix_of(const model::ClusterNetworkPolicy& policy, std::string_view /*fixed*/) {
    return policy.spec.tier == model::ClusterPolicyTier::kAdmin ? policy::kClusterAdminPrefix
                                                                : policy::kClusterBaselinePrefix;
  }
  static std::string_view prefix_of(const model::KubernetesNetworkPolicy& /*policy*/, std::string_view fixed) {
    return fixed;
  }

  template <class Source>
  void check_profiles(std::string_view kind) {
    for_each_call(kind, [&](const json::Value& call, const std::string& name) {
      Source source;
      EXPECT_EQ(to_string(read(get(call, "input"), source)), "") << name;
      model::Profile expected;
      EXPECT_EQ(to_string(read(*call.find({"output", "value"}), expected)), "") << name;
      EXPECT_EQ(text_of(policy::profile_of(source)), text_of(expected)) << name;
    });
  }

  void check_pod(const json::Value& call, const std::string& name);
  void compare_endpoint(const model::Pod& pod, json::Value expected, const std::string& name);

  const json::Array& output_list(const json::Value& call) {
    static const json::Array kNone;
    const json::Array* list = get(call, "output").as_array();
    return list == nullptr ? kNone : *list;
  }

  json::Value data_;
  std::map<std::string, int> counts_;
};

TEST_F(Conversion, NetworkPolicies) {
  check_policies<model::KubernetesNetworkPolicy, model::NetworkPolicy>("NetworkPolicy",
                                                                       policy::kKubernetesPolicyPrefix);
  EXPECT_GE(counts_["compared whole"], 30);
  print("NetworkPolicy");
}

TEST_F(Conversion, ClusterNetworkPolicies) {
  check_policies<model::ClusterNetworkPolicy, model::GlobalNetworkPolicy>("ClusterNetworkPolicy", "");
  EXPECT_GE(counts_["compared whole"], 19);
  print("ClusterNetworkPolicy");
}

TEST_F(Conversion, Namespaces) {
  check_profiles<model::Namespace>("Namespace");
  EXPECT_EQ(counts_["calls"], 7);
  print("Namespace");
}

TEST_F(Conversion, ServiceAccounts) {
  check_profiles<model::ServiceAccount>("ServiceAccount");
  EXPECT_EQ(counts_["calls"], 5);
  print("ServiceAccount");
}

void Conversion::compare_endpoint(const model::Pod& pod, json::Value expected, const std::string& name) {
  // Pods are kept without it: nothing reads it.
  if (expected.find("metadata")->as_object()->erase("generateName")) ++counts_["without generateName"];
  model::WorkloadEndpoint wanted;
  EXPECT_EQ(to_string(read(expected, wanted)), "") << name;
  wanted.metadata.resource_version = pod.metadata.resource_version;  // a member beside the object there
  const auto endpoint = policy::endpoint_of(pod);
  ASSERT_TRUE(endpoint) << name;
  EXPECT_EQ(text_of(*endpoint), text_of(wanted)) << name;
  ++counts_["compared whole"];
}

void Conversion::check_pod(const json::Value& call, const std::string& name) {
  json::Value input = get(call, "input");
  model::Pod pod;
  FieldErrors errors = read(input, pod);
  if (!errors.empty() && errors.front().path == "status.phase") {
    ++counts_["phases that Kubernetes does not have"];
    EXPECT_EQ(output_list(call).at(0).find({"value", "spec", "ipNetworks"}), nullptr) << name;
    return;
  }
  while (!errors.empty()) {  // ports of a protocol that servers refuse, and Calico leaves out
    erase_element(input, errors.back().path);
    ++counts_["ports that servers refuse"];
    errors = read(input, pod);
  }
  if (call.find("error") != nullptr) {
    EXPECT_FALSE(policy::endpoint_of(pod)) << name;
    ++counts_["none, as Calico refuses it"];
    return;
  }
  ASSERT_EQ(output_list(call).size(), 1U) << name;
  json::Value expected = get(output_list(call)[0], "value");
  if (expected.find({"spec", "ipNetworks"}) != nullptr) return compare_endpoint(pod, expected, name);
  // Calico has an endpoint without addresses, which nothing can apply to; here there is none. The rest of it is
  // compared with an address, unless the pod is over.
  EXPECT_FALSE(policy::endpoint_of(pod)) << name;
  ++counts_["none, as it has no address"];
  if (pod.status.pod_ip) return;
  pod.status.pod_ip = IpAddress::parse(kAnAddress).value();
  expected["spec"]["ipNetworks"] = json::Array{json::Value(concat(kAnAddress, "/32"))};
  compare_endpoint(pod, expected, name);
}

TEST_F(Conversion, Pods) {
  for_each_call("Pod", [this](const json::Value& call, const std::string& name) { check_pod(call, name); });
  EXPECT_EQ(counts_["calls"], 39);
  print("Pod");
}

TEST_F(Conversion, EveryKindOfCallIsHeldAgainstSomething) {
  for (const json::Value& call : *get(data_, "calls").as_array()) {
    const std::string_view kind = call.string_at({"kind"});
    EXPECT_TRUE(kind == "NetworkPolicy" || kind == "ClusterNetworkPolicy" || kind == "Namespace" ||
                kind == "ServiceAccount" || kind == "Pod")
        << kind;
  }
}

// Rows of tables -----------------------------------------------------------------------------------------------------

void check_selector(const json::Array& params) {
  const bool is_pods = *params[1].as_integer() == 1;
  const std::string& expected = *params[2].as_string();
  if (params[0].is_null() && !is_pods) {  // said by the absence of the member
    model::KubernetesNetworkPolicy policy;
    policy.spec.ingress = {
        {.ports = {}, .peers = {{.pod_selector = model::LabelTerms{}, .namespace_selector = {}, .ip_block = {}}}}};
    EXPECT_EQ(policy::from_kubernetes(policy).object.spec.ingress.at(0).source.namespace_selector, expected);
    return;
  }
  json::Value object;
  object["spec"]["podSelector"] = params[0].is_null() ? json::Value(json::Object()) : params[0];
  model::KubernetesNetworkPolicy holder;
  EXPECT_EQ(to_string(read(object, holder)), "");
  const model::LabelTerms& terms = holder.spec.pod_selector;
  EXPECT_EQ(is_pods ? policy::pods_selector(terms) : policy::selector_of(terms), expected);
}

void check_phase(const json::Array& params) {
  json::Value object;
  object["metadata"]["name"] = "pod";
  object["metadata"]["namespace"] = "default";
  object["spec"]["nodeName"] = "node";
  object["status"]["phase"] = params[0];
  object["status"]["podIP"] = kAnAddress;
  model::Pod pod;
  const bool is_known = read(object, pod).empty();
  EXPECT_EQ(is_known && policy::endpoint_of(pod).has_value(), *params[1].as_bool()) << *params[0].as_string();
}

void check_ports(const json::Array& params) {
  std::vector<model::PortOrName> ports;
  for (const std::string_view piece : split(*params[0].as_string(), ',')) {
    if (piece.empty()) continue;
    const auto range = PortRange::parse(piece);
    ports.push_back(range.ok() ? model::PortOrName(*range) : model::PortOrName(std::string(piece)));
  }
  std::vector<std::string> texts;
  for (const model::PortOrName& port : policy::simplified(ports)) texts.push_back(port.to_string());
  EXPECT_EQ(join(texts, ","), *params[1].as_string());
}

TEST_F(Conversion, RowsOfTables) {
  for (const json::Value& row : *get(data_, "tables").as_array()) {
    const std::string_view table = row.string_at({"table"});
    const json::Array& params = *get(row, "params").as_array();
    SCOPED_TRACE(concat(table, ": ", row.string_at({"desc"})));
    ++counts_[std::string(table)];
    if (table == "selector conversion table") {
      check_selector(params);
    } else if (table == "PodToDefaultWorkloadEndpoint reject/accept phase tests") {
      check_phase(params);
    } else if (table == "Test port simplification") {
      check_ports(params);
    } else {
      ADD_FAILURE() << "a table that this test does not know";
    }
  }
  print("rows");
}

}  // namespace
}  // namespace margay::conformance
