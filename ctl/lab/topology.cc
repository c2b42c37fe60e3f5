#include "ctl/lab/topology.h"

#include <algorithm>
#include <set>

#include "base/core/text.h"
#include "base/json/yaml.h"

namespace margay::lab {
namespace {

using json::Array;
using json::Object;
using json::Value;

constexpr int kLengthMaxV4 = 28;  // of a subnet: room for the router and a dozen nodes

// A name that is also one of a Node and part of a path.
bool is_name(std::string_view text) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), is_plain) && text.front() != '-' &&
         text.back() != '-';
}

class Reader {
 public:
  explicit Reader(const Value& document) : document_(document) {}

  Topology read() {
    known_fields(document_, "", {"subnets", "router", "objects", "files"});
    read_subnets();
    read_router();
    read_objects();
    if (topology_.nodes.empty()) complain("subnets", "no nodes: a lab has at least one");
    if (topology_.nodes.size() > kNodesMax) complain("subnets", concat("at most ", kNodesMax, " nodes"));
    return std::move(topology_);
  }

  [[nodiscard]] const FieldErrors& errors() const { return errors_; }

 private:
  void complain(std::string path, std::string message) {
    errors_.push_back({FieldError::Kind::kInvalid, std::move(path), std::move(message)});
  }

  void known_fields(const Value& value, const std::string& path, const std::set<std::string_view>& known) {
    const Object* object = value.as_object();
    if (object == nullptr) return complain(path, concat("an object is wanted, not ", to_string(value.type())));
    for (const json::Member& member : *object) {
      std::string at = path;
      append_member_path(at, member.name);
      if (!known.contains(member.name)) complain(at, "unknown field");
    }
  }

  // The elements, each with its path; none when there are none.
  template <class Visit>
  void each(const Value* list, const std::string& path, const Visit& visit) {
    if (list == nullptr) return;
    if (list->as_array() == nullptr) return complain(path, concat("a list is wanted, not ", to_string(list->type())));
    std::size_t index = 0;
    for (const Value& element : *list->as_array()) {
      std::string at = path;
      append_element_path(at, index++);
      visit(element, at);
    }
  }

  void read_subnets() {
    if (document_.find("subnets") == nullptr) return complain("subnets", "is needed");
    each(document_.find("subnets"), "subnets", [this](const Value& subnet, const std::string& at) {
      known_fields(subnet, at, {"name", "prefixes", "nodes"});
      Subnet made;
      made.name = std::string(subnet.string_at({"name"}));
      if (!is_name(made.name)) complain(at + ".name", "lower-case letters, digits and '-' are wanted");
      for (const Subnet& other : topology_.subnets) {
        if (other.name == made.name) complain(at + ".name", concat(quoted(made.name), " is there already"));
      }
      each(subnet.find("prefixes"), at + ".prefixes",
           [&](const Value& text, const std::string& where) { read_prefix(text, where, made); });
      const Value* prefixes = subnet.find("prefixes");
      if (prefixes == nullptr || prefixes->as_array() == nullptr || prefixes->as_array()->empty())
        complain(at + ".prefixes", "is needed: a prefix, or one of each family");
      topology_.subnets.push_back(std::move(made));
      each(subnet.find("nodes"), at + ".nodes",
           [this](const Value& node, const std::string& where) { read_node(node, where); });
    });
    if (topology_.subnets.size() > kSubnetsMax) complain("subnets", concat("at most ", kSubnetsMax));
  }

  void read_prefix(const Value& value, const std::string& at, Subnet& subnet) {
    const std::string* text = value.as_string();
    const auto prefix = text == nullptr ? Result<IpPrefix>(invalid("a prefix is wanted")) : IpPrefix::parse(*text);
    if (!prefix.ok()) return complain(at, prefix.error().message);
    if (prefix->length() > (prefix->is_v4() ? kLengthMaxV4 : 120))
      return complain(at, concat("too small: /", prefix->is_v4() ? kLengthMaxV4 : 120, " or larger is wanted"));
    if (prefix->is_v6() && prefix->first().is_link_local()) return complain(at, "link-local addresses are not routed");
    for (const IpPrefix& other : subnet.prefixes) {
      if (other.family() == prefix->family()) return complain(at, "one prefix of a family");
    }
    for (const Subnet& other : topology_.subnets) {
      for (const IpPrefix& taken : other.prefixes) {
        if (taken.overlaps(*prefix)) return complain(at, concat("overlaps ", taken.to_string(), " of ", other.name));
      }
    }
    subnet.prefixes.push_back(*prefix);
  }

  void read_node(const Value& value, const std::string& at) {
    LabNode node;
    node.subnet = topology_.subnets.size() - 1;
    if (const std::string* name = value.as_string(); name != nullptr) {
      node.name = *name;
    } else {
      known_fields(value, at, {"name", "labels", "annotations"});
      node.name = std::string(value.string_at({"name"}));
      node.labels = texts(value.find("labels"), at + ".labels");
      node.annotations = texts(value.find("annotations"), at + ".annotations");
    }
    if (!is_name(node.name) || node.name == "router")
      complain(at, concat(quoted(node.name), ": lower-case letters, digits and '-' are wanted, and not \"router\""));
    std::uint64_t number = 2;  // the router is 1
    for (const LabNode& other : topology_.nodes) {
      if (other.name == node.name) complain(at, concat(quoted(node.name), " is there already"));
      if (other.subnet == node.subnet) ++number;
    }
    for (const IpPrefix& prefix : topology_.subnets.back().prefixes) {
      const auto address = prefix.first().plus(number);
      if (!address || !prefix.contains(*address) || *address == prefix.last())
        return complain(at, concat(prefix.to_string(), " has no address left for it"));
      node.addresses.push_back(*address);
    }
    topology_.nodes.push_back(std::move(node));
  }

  Object texts(const Value* value, const std::string& at) {
    Object out;
    if (value == nullptr) return out;
    if (value->as_object() == nullptr) return complain(at, "an object of texts is wanted"), out;
    for (const json::Member& member : *value->as_object()) {
      if (member.value.as_string() == nullptr) complain(concat(at, '.', member.name), "a text is wanted");
      out[member.name] = member.value;
    }
    return out;
  }

  void read_router() {
    const Value* router = document_.find("router");
    if (router == nullptr) return;
    known_fields(*router, "router", {"bgp", "asNumber"});
    if (const Value* speaks = router->find("bgp"); speaks != nullptr) {
      if (speaks->as_bool() == nullptr) complain("router.bgp", "true or false is wanted");
      topology_.router.speaks_bgp = speaks->as_bool() != nullptr && *speaks->as_bool();
    }
    if (const Value* number = router->find("asNumber"); number != nullptr) {
      const std::int64_t* value = number->as_integer();
      if (value == nullptr || *value < 1 || *value > 4294967294) return complain("router.asNumber", "1 to 4294967294");
      topology_.router.as_number = static_cast<std::uint32_t>(*value);
    }
  }

  void read_objects() {
    each(document_.find("objects"), "objects", [this](const Value& object, const std::string& at) {
      for (const char* field : {"apiVersion", "kind"}) {
        if (object.string_at({field}).empty()) complain(concat(at, '.', field), "is needed");
      }
      topology_.objects.push_back(object);
    });
    each(document_.find("files"), "files", [this](const Value& name, const std::string& at) {
      if (name.as_string() == nullptr) return complain(at, "the name of a file is wanted");
      topology_.files.push_back(*name.as_string());
    });
  }

  const Value& document_;
  Topology topology_;
  FieldErrors errors_;
};

Error problems(const FieldErrors& errors, const json::YamlDocument& document, const std::string& file) {
  std::vector<std::string> lines;
  for (const FieldError& error : errors) {
    // The nearest place that is known: of the field, or of what it should be in.
    std::string path = error.path;
    auto place = document.positions.find(path);
    while (place == document.positions.end() && !path.empty()) {
      const std::size_t cut = path.find_last_of(".[");
      path.resize(cut == std::string::npos ? 0 : cut);
      place = document.positions.find(path);
    }
    const json::Position at = place == document.positions.end() ? json::Position{1, 1} : place->second;
    lines.push_back(
        concat(file, ':', at.line, ':', at.column, ": ", error.path, error.path.empty() ? "" : ": ", error.message));
  }
  return Error{ErrorCode::kInvalid, join(lines, "\n")};
}

Value object_of(std::string_view api_version, std::string_view kind, std::string_view name, Object spec) {
  return Object{
      {"apiVersion", api_version}, {"kind", kind}, {"metadata", Object{{"name", name}}}, {"spec", std::move(spec)}};
}

bool has_kind(const Topology& topology, std::string_view kind) {
  return std::any_of(topology.objects.begin(), topology.objects.end(),
                     [kind](const Value& object) { return object.string_at({"kind"}) == kind; });
}

bool has_family(const Topology& topology, IpFamily family) {
  const auto in_subnet = [family](const Subnet& subnet) {
    return std::any_of(subnet.prefixes.begin(), subnet.prefixes.end(),
                       [family](const IpPrefix& prefix) { return prefix.family() == family; });
  };
  return std::any_of(topology.subnets.begin(), topology.subnets.end(), in_subnet);
}

void add_pools(const Topology& topology, Array& out) {
  if (has_kind(topology, "IPPool")) return;
  const auto pool = [](const char* name, const char* cidr) {
    return object_of("projectcalico.org/v3", "IPPool", name,
                     Object{{"cidr", cidr}, {"ipipMode", "Never"}, {"vxlanMode", "Never"}});
  };
  if (has_family(topology, IpFamily::kV4)) out.push_back(pool("pods-ipv4", "10.244.0.0/16"));
  if (has_family(topology, IpFamily::kV6)) out.push_back(pool("pods-ipv6", "fd00:10:244::/56"));
}

// A node that offered the router the blocks of others, as it does to an eBGP peer, would draw their traffic, and send
// what lies behind the router back to it.
Value own_routes_only() {
  const Array rules{Object{{"action", "Reject"}, {"source", "RemotePeers"}}};
  return object_of("projectcalico.org/v3", "BGPFilter", "own-routes-only",
                   Object{{"exportV4", rules}, {"exportV6", rules}});
}

void add_router_peers(const Topology& topology, Array& out) {
  if (!topology.router.speaks_bgp) return;
  const bool is_external = topology.router.as_number != kNodesAsNumber;
  if (is_external) out.push_back(own_routes_only());
  for (const Subnet& subnet : topology.subnets) {
    for (const IpPrefix& prefix : subnet.prefixes) {
      Object spec{{"nodeSelector", concat(kSubnetLabel, " == '", subnet.name, "'")},
                  {"peerIP", router_address(prefix).to_string()},
                  {"asNumber", std::int64_t{topology.router.as_number}}};
      if (is_external) spec["filters"] = Array{"own-routes-only"};
      out.push_back(object_of("projectcalico.org/v3", "BGPPeer",
                              concat("router-", subnet.name, prefix.is_v4() ? "" : "-ipv6"), std::move(spec)));
    }
  }
}

Value node_object(const Topology& topology, const LabNode& node) {
  Value out = Object{{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", Object{{"name", node.name}}}};
  Object labels = node.labels;
  labels["kubernetes.io/hostname"] = node.name;
  labels["kubernetes.io/os"] = "linux";
  labels[kSubnetLabel] = topology.subnets[node.subnet].name;
  out["metadata"]["labels"] = std::move(labels);
  if (!node.annotations.empty()) out["metadata"]["annotations"] = node.annotations;
  return out;
}

}  // namespace

IpAddress router_address(const IpPrefix& subnet) { return subnet.first().plus(1).value_or(subnet.first()); }

const std::string_view kDefaultTopology =
    "subnets:\n"
    "- {name: rack-a, prefixes: [172.31.1.0/24], nodes: [node-1, node-2]}\n"
    "- {name: rack-b, prefixes: [172.31.2.0/24], nodes: [node-3, node-4]}\n";

Result<Topology> parse_topology(std::string_view yaml, const std::string& file) {
  auto documents = json::parse_yaml(yaml);
  if (!documents.ok()) return documents.error().within(file);
  if (documents->size() != 1) return invalid(concat(file, ": one document is wanted, not ", documents->size()));
  Reader reader(documents->front().value);
  Topology topology = reader.read();
  if (!reader.errors().empty()) return problems(reader.errors(), documents->front(), file);
  return topology;
}

Array start_objects(const Topology& topology) {
  Array out;
  for (const LabNode& node : topology.nodes) out.push_back(node_object(topology, node));
  add_pools(topology, out);
  if (!has_kind(topology, "BGPConfiguration")) {
    out.push_back(object_of("projectcalico.org/v3", "BGPConfiguration", "default",
                            Object{{"asNumber", std::int64_t{kNodesAsNumber}}, {"nodeToNodeMeshEnabled", true}}));
  }
  add_router_peers(topology, out);
  out.insert(out.end(), topology.objects.begin(), topology.objects.end());
  return out;
}

Value node_status(const LabNode& node) {
  Array addresses;
  for (const IpAddress& address : node.addresses) {
    addresses.push_back(Object{{"type", "InternalIP"}, {"address", address.to_string()}});
  }
  addresses.push_back(Object{{"type", "Hostname"}, {"address", node.name}});
  return Object{{"addresses", std::move(addresses)}};
}

// Dynamic sessions from anywhere in the subnets, so that a node needs no line of its own.
std::string router_config(const Topology& topology) {
  const IpAddress id = [&] {
    for (const Subnet& subnet : topology.subnets) {
      for (const IpPrefix& prefix : subnet.prefixes) {
        if (prefix.is_v4()) return router_address(prefix);
      }
    }
    return IpAddress::v4(0x0A000001);
  }();
  std::string out =
      concat("apiVersion: margay.dev/v1\nkind: Speaker\nmetadata:\n  name: router\nspec:\n  asNumber: ",
             topology.router.as_number, "\n  routerID: ", id.to_string(), "\n  installRoutes: true\n  listenRanges:\n");
  for (const Subnet& subnet : topology.subnets) {
    for (const IpPrefix& prefix : subnet.prefixes) {
      out += concat("  - {name: ", subnet.name, prefix.is_v4() ? "" : "-ipv6", ", cidr: ", quoted(prefix.to_string()),
                    ", maxPeers: ", kNodesMax, "}\n");
    }
  }
  return out;
}

}  // namespace margay::lab
