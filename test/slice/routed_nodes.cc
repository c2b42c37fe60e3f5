#include "test/slice/routed_nodes.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "cni/ipam/block.h"
#include "cni/ipam/names.h"
#include "datastore/codec/codec.h"
#include "datastore/watch/resource_of.h"
#include "policy/translate/translate.h"
#include "test/slice/two_nodes.h"
#include "test/support/unix_http.h"

namespace margay::test {

using json::Array;
using json::Object;
using json::Value;

namespace {

constexpr const char* kMac = "ee:ee:ee:ee:ee:ee";
constexpr const char* kLinkLocal = "fe80::ecee:eeff:feee:eeee";  // of that MAC

template <class T>
T done(kube::ApiResult<T> result) {
  if (!result.ok()) std::fprintf(stderr, "API: %s\n", result.error().message.c_str());
  MARGAY_CHECK(result.ok());
  return std::move(result).value();
}

void route_packets(const NetSpace& where) {
  for (const char* setting : {"ipv4/ip_forward", "ipv6/conf/all/forwarding"}) where.set(setting, "1");
}

}  // namespace

std::unique_ptr<RoutedNodes> RoutedNodes::start(const Options& options, std::string* why) {
  *why = missing_for_net_spaces();
  if (!why->empty()) return nullptr;
  if (access(program_path("margay-node").c_str(), X_OK) != 0) return *why = "margay-node is not built", nullptr;
  auto server = start_memory_server({.flags = {}, .unix_socket = true}, why);
  if (server == nullptr) return nullptr;
  return std::unique_ptr<RoutedNodes>(new RoutedNodes(std::move(server), options));
}

RoutedNodes::RoutedNodes(std::unique_ptr<ApiServer> server, const Options& options)
    : server_(std::move(server)),
      client_(server_->kubeconfig()),
      options_(options),
      nodes_{{{"node-a",
               "192.0.2.1",
               "2001:db8:1::1",
               "192.0.2.254",
               "2001:db8:1::fe",
               "10.65.0.0/26",
               "fd65::/122",
               "10.65.0.20",
               "fd65::20",
               {},
               {},
               {}},
              {"node-b",
               "192.0.2.2",
               "2001:db8:1::2",
               "192.0.2.254",
               "2001:db8:1::fe",
               "10.65.0.64/26",
               "fd65::40/122",
               "10.65.0.84",
               "fd65::60",
               {},
               {},
               {}},
              {"node-c",
               "198.51.100.1",
               "2001:db8:2::1",
               "198.51.100.254",
               "2001:db8:2::fe",
               "10.65.0.128/26",
               "fd65::80/122",
               "10.65.0.148",
               "fd65::a0",
               {},
               {},
               {}}}} {
  connect();
  create_pool("v4", "10.65.0.0/16", true);
  create_pool("v6", "fd65::/64", false);
  for (const Node& each : nodes_) describe(each);
  for (Node& each : nodes_) run_pod(each);
  for (Node& each : nodes_) start_agent(each);
}

void RoutedNodes::connect() {
  router_.ip({"link add br1 type bridge", "link set br1 up", "addr add 192.0.2.254/24 dev br1",
              "addr add 2001:db8:1::fe/64 dev br1 nodad"});
  for (const Node& each : nodes_) {
    each.space.ip({concat("link add eth0 type veth peer name ", each.name, " netns ", router_.path()),
                   concat("addr add ", each.address_v4, "/24 dev eth0"),
                   concat("addr add ", each.address_v6, "/64 dev eth0 nodad"), "link set eth0 up",
                   concat("route add default via ", each.gateway_v4), concat("route add ::/0 via ", each.gateway_v6)});
    router_.ip({concat("link set ", each.name, " up")});
  }
  router_.ip({"link set node-a master br1", "link set node-b master br1", "addr add 198.51.100.254/24 dev node-c",
              "addr add 2001:db8:2::fe/64 dev node-c nodad"});
  route_packets(router_);
}

void RoutedNodes::create_pool(const std::string& name, const std::string& cidr, bool has_ipip) {
  done(client_.create(kPools, Object{{"apiVersion", "projectcalico.org/v3"},
                                     {"kind", "IPPool"},
                                     {"metadata", Object{{"name", name}}},
                                     {"spec", Object{{"cidr", cidr},
                                                     {"vxlanMode", options_.vxlan_mode},
                                                     {"ipipMode", has_ipip ? options_.ipip_mode : "Never"}}}}));
}

void RoutedNodes::set_pools(const std::map<std::string, std::string>& fields) {
  for (const char* name : {"v4", "v6"}) {
    Value pool = done(client_.get(kPools, {"", name}));
    for (const auto& [field, value] : fields) {
      if (std::string_view(name) == "v4" || field != "ipipMode") pool["spec"][field] = value;
    }
    done(client_.update(kPools, pool));
  }
}

void RoutedNodes::describe(const Node& each) {
  Value created = done(client_.create(
      kNodes, Object{{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", Object{{"name", each.name}}}}));
  created["status"]["addresses"] = Array{Object{{"type", "InternalIP"}, {"address", each.address_v4}}};
  done(client_.update_status(kNodes, created));
  create_block(each.block_v4, each.name);
  create_block(each.block_v6, each.name);
}

// As this node's address management leaves them.
void RoutedNodes::create_block(const std::string& cidr, const std::string& node) {
  const model::BlockOwner owner{model::AffinityType::kHost, node};
  const IpPrefix prefix = IpPrefix::parse(cidr).value();
  model::IpamBlock block;
  block.metadata.name = ipam::block_name(prefix);
  block.spec = ipam::make_block(prefix, owner, std::nullopt);
  Value body;
  codec::encode(block, body);
  done(client_.create(watch::resource_of(model::Kind::kIpamBlock), body));
  done(client_.create(
      kAffinities, Object{{"apiVersion", "projectcalico.org/v3"},
                          {"kind", "BlockAffinity"},
                          {"metadata", Object{{"name", ipam::affinity_name(owner, prefix)}}},
                          {"spec", Object{{"cidr", cidr}, {"node", node}, {"state", "confirmed"}, {"type", "host"}}}}));
}

// As the CNI plugin does it.
void RoutedNodes::run_pod(Node& each) {
  each.pod = std::make_unique<NetSpace>();
  const std::string name = "pod-of-" + each.name;
  const std::string interface = policy::interface_name_of("default", name);
  each.pod->ip({concat("link add eth0 type veth peer name ", interface, " netns ", each.space.path()),
                concat("addr add ", each.pod_v4, "/32 dev eth0"),
                concat("addr add ", each.pod_v6, "/128 dev eth0 nodad"), "link set eth0 up",
                "route add 169.254.1.1 dev eth0 scope link", "route add default via 169.254.1.1",
                concat("route add ::/0 via ", kLinkLocal, " dev eth0"),
                concat("neigh add 169.254.1.1 lladdr ", kMac, " dev eth0 nud permanent"),
                concat("neigh add ", kLinkLocal, " lladdr ", kMac, " dev eth0 nud permanent")});
  each.space.ip({concat("link set ", interface, " address ", kMac), concat("link set ", interface, " up")});
  Value object = pod_object(name, each.name, each.pod_v4);
  object["status"]["podIPs"] = Array{Object{{"ip", each.pod_v4}}, Object{{"ip", each.pod_v6}}};
  Value created = done(client_.create(kPods, object));
  created["status"] = *object.find("status");
  done(client_.update_status(kPods, created));
}

void RoutedNodes::start_agent(Node& each) {
  const std::string folder = dir_.file(each.name);
  std::vector<std::string> argv{program_path("margay-node"),
                                "--node-name",
                                each.name,
                                "--kubeconfig",
                                server_->kubeconfig(),
                                "--run-dir",
                                folder,
                                "--state-dir",
                                folder};
  argv.insert(argv.end(), options_.arguments.begin(), options_.arguments.end());
  const auto own = options_.arguments_of.find(static_cast<Who>(&each - nodes_.data()));
  if (own != options_.arguments_of.end()) argv.insert(argv.end(), own->second.begin(), own->second.end());
  std::map<std::string, std::string> environment = environment_;
  environment.insert({{"NO_DEFAULT_POOLS", "true"},
                      {"IP6", "autodetect"},
                      {"FELIX_HEALTHENABLED", "false"},
                      {"FELIX_ENDPOINTSTATUSPATHPREFIX", folder}});
  each.agent = each.space.start(
      {.argv = argv, .environment = environment, .stdin_text = "", .output_path = dir_.file(each.name + ".log")});
}

void RoutedNodes::restart_agents(const std::map<std::string, std::string>& environment) {
  environment_ = environment;
  for (Node& each : nodes_) {
    each.agent->stop();
    each.agent.reset();
    start_agent(each);
  }
}

Value RoutedNodes::ask(Who who, const std::string& path) const { return ask_agent(dir_.file(nodes_[who].name), path); }

bool RoutedNodes::is_ready(Who who) const { return says_ready(ask(who, "/status")); }

std::string RoutedNodes::routes(Who who) const {
  return node(who).run({"ip", "route"}).out + node(who).run({"ip", "-6", "route"}).out;
}

std::string RoutedNodes::filter_rules(Who who) const {
  const Value status = ask(who, "/status");
  const std::string save = concat("iptables-", status.string_at({"dataplane", "backend"}), "-save");
  return node(who).run({save, "-c", "-t", "filter"}).out;
}

std::string RoutedNodes::state_file(Who who, const std::string& name) const {
  return read_text(dir_.file(concat(nodes_[who].name, "/", name)));
}

std::string RoutedNodes::annotation(Who who, const std::string& name) {
  const auto object = client_.get(kNodes, {"", nodes_[who].name});
  if (!object.ok()) return "";
  const Value* found = object->find({"metadata", "annotations", "projectcalico.org/" + name});
  return found == nullptr || found->as_string() == nullptr ? "" : *found->as_string();
}

std::string RoutedNodes::condition(Who who, const std::string& type) {
  const auto object = client_.get(kNodes, {"", nodes_[who].name});
  if (!object.ok()) return "";
  const Value* found = object->find({"status", "conditions"});
  if (found == nullptr || found->as_array() == nullptr) return "";
  for (const Value& each : *found->as_array()) {
    if (each.string_at({"type"}) == type) return std::string(each.string_at({"status"}));
  }
  return "";
}

std::string RoutedNodes::logs() const {
  std::string out;
  for (const Node& each : nodes_) out += concat("--- ", each.name, "\n", read_text(dir_.file(each.name + ".log")));
  return out;
}

}  // namespace margay::test
