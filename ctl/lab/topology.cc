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

constexpr std::pair<std::string_view, RouterKind> kKinds[] = {{"margay-bgpd", RouterKind::kMargay},
                                                              {"bird", RouterKind::kBird},
                                                              {"frr", RouterKind::kFrr},
                                                              {"gobgp", RouterKind::kGobgp}};

// Between the router in the middle and those of subnets; a /31 or /127 for each.
const IpPrefix& uplinks_v4() {
  static const IpPrefix kPrefix = IpPrefix::parse("172.30.255.0/24").value();
  return kPrefix;
}
const IpPrefix& uplinks_v6() {
  static const IpPrefix kPrefix = IpPrefix::parse("fd00:30:255::/120").value();
  return kPrefix;
}

// The next of each family; the router has the first.
Result<std::vector<IpAddress>> next_addresses(const Topology& topology, std::size_t subnet) {
  std::uint64_t number = 2;
  for (const LabNode& other : topology.nodes) {
    if (other.subnet == subnet) ++number;
  }
  std::vector<IpAddress> out;
  for (const IpPrefix& prefix : topology.subnets[subnet].prefixes) {
    const auto address = prefix.first().plus(number);
    if (!address || !prefix.contains(*address) || *address == prefix.last())
      return invalid(concat(prefix.to_string(), " has no address left for it"));
    out.push_back(*address);
  }
  return out;
}

class Reader {
 public:
  explicit Reader(const Value& document) : document_(document) {}

  Topology read() {
    known_fields(document_, "", {"subnets", "router", "environment", "objects", "files"});
    read_objects();
    read_subnets();
    read_router();
    check_tors();
    for (const json::Member& member : texts(document_.find("environment"), "environment")) {
      topology_.environment[member.name] = std::string(document_.string_at({"environment", member.name}));
    }
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
      known_fields(subnet, at, {"name", "prefixes", "nodes", "tor"});
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
      if (const Value* tor = subnet.find("tor"); tor != nullptr) {
        known_fields(*tor, at + ".tor", {"kind", "asNumber"});
        made.tor = Router{.kind = kind_in(*tor, at + ".tor"), .speaks_bgp = true, .reflects = true};
        if (tor->find("asNumber") == nullptr) complain(at + ".tor.asNumber", "is needed: of the router and its nodes");
        read_as_number(*tor, at + ".tor", made.tor->as_number);
      }
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
    for (const LabNode& other : topology_.nodes) {
      if (other.name == node.name) complain(at, concat(quoted(node.name), " is there already"));
    }
    auto addresses = next_addresses(topology_, node.subnet);
    if (!addresses.ok()) return complain(at, addresses.error().message);
    node.addresses = *std::move(addresses);
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

  RouterKind kind_in(const Value& router, const std::string& at) {
    const Value* kind = router.find("kind");
    if (kind == nullptr) return RouterKind::kMargay;
    for (const auto& [name, value] : kKinds) {
      if (kind->as_string() != nullptr && *kind->as_string() == name) return value;
    }
    complain(at + ".kind", "margay-bgpd, bird, frr or gobgp is wanted");
    return RouterKind::kMargay;
  }

  bool flag_in(const Value& router, const char* name, bool fallback) {
    const Value* flag = router.find(name);
    if (flag == nullptr) return fallback;
    if (flag->as_bool() == nullptr) complain(concat("router.", name), "true or false is wanted");
    return flag->as_bool() != nullptr && *flag->as_bool();
  }

  void read_as_number(const Value& router, const std::string& at, std::uint32_t& out) {
    const Value* number = router.find("asNumber");
    if (number == nullptr) return;
    const std::int64_t* value = number->as_integer();
    if (value == nullptr || *value < 1 || *value > 4294967294) return complain(at + ".asNumber", "1 to 4294967294");
    out = static_cast<std::uint32_t>(*value);
  }

  void read_router() {
    topology_.router.as_number = as_number_of(topology_, topology_.subnets.size());
    const Value* router = document_.find("router");
    if (router == nullptr) return;
    known_fields(*router, "router", {"kind", "bgp", "asNumber", "reflects"});
    topology_.router.kind = kind_in(*router, "router");
    topology_.router.speaks_bgp = flag_in(*router, "bgp", true);
    topology_.router.reflects = flag_in(*router, "reflects", false);
    read_as_number(*router, "router", topology_.router.as_number);
  }

  // Each of another AS, as routes would not come through one AS twice.
  void check_tors() {
    std::set<std::uint32_t> numbers{topology_.router.as_number};
    std::set<std::string> names{"router"};
    for (std::size_t i = 0; i < topology_.subnets.size(); ++i) {
      const Subnet& subnet = topology_.subnets[i];
      const std::string at = concat("subnets[", i, "].tor");
      if (subnet.tor.has_value() != topology_.subnets.front().tor.has_value())
        return complain(at, "every subnet has a router of its own, or none has");
      if (!subnet.tor) continue;
      names.insert(router_of(topology_, i));
      if (!numbers.insert(subnet.tor->as_number).second)
        complain(at + ".asNumber", concat(subnet.tor->as_number, " is that of another router"));
      for (const IpPrefix& prefix : subnet.prefixes) {
        if (prefix.overlaps(prefix.is_v4() ? uplinks_v4() : uplinks_v6()))
          complain(concat("subnets[", i, "].prefixes"), "overlaps the cables between routers");
      }
    }
    if (names.size() > 1 && !topology_.router.speaks_bgp) complain("router.bgp", "routers of subnets need it");
    for (const LabNode& node : topology_.nodes) {
      if (names.contains(node.name) && node.name != "router")
        complain("subnets", concat(quoted(node.name), " is the name of a router"));
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

}  // namespace

std::string_view to_string(RouterKind kind) {
  for (const auto& [name, value] : kKinds) {
    if (value == kind) return name;
  }
  return "";
}

std::string router_of(const Topology& topology, std::size_t subnet) {
  return topology.subnets[subnet].tor ? concat("tor-", topology.subnets[subnet].name) : std::string("router");
}

std::vector<Uplink> uplinks_of(const Topology& topology, std::size_t subnet) {
  std::vector<Uplink> out;
  if (!topology.subnets[subnet].tor) return out;
  for (const IpPrefix& prefix : topology.subnets[subnet].prefixes) {
    const IpPrefix& all = prefix.is_v4() ? uplinks_v4() : uplinks_v6();
    const auto router = all.first().plus(2 * subnet);
    const auto tor = all.first().plus(2 * subnet + 1);
    if (router && tor) out.push_back({IpPrefix::containing(*router, prefix.is_v4() ? 31 : 127), *router, *tor});
  }
  return out;
}

std::uint32_t as_number_of(const Topology& topology, std::size_t subnet) {
  if (subnet < topology.subnets.size() && topology.subnets[subnet].tor) return topology.subnets[subnet].tor->as_number;
  for (const Value& object : topology.objects) {
    const Value* number = object.find({"spec", "asNumber"});
    if (object.string_at({"kind"}) != "BGPConfiguration" || object.string_at({"metadata", "name"}) != "default")
      continue;
    if (number != nullptr && number->as_integer() != nullptr) return static_cast<std::uint32_t>(*number->as_integer());
  }
  return kNodesAsNumber;
}

Status add_node(Topology& topology, const std::string& name, std::string_view subnet) {
  if (!is_name(name) || name == "router" || name.starts_with("tor-"))
    return invalid(concat(quoted(name), ": lower-case letters, digits and '-' are wanted, and no router's name"));
  LabNode node{.name = name, .subnet = 0, .addresses = {}, .labels = {}, .annotations = {}};
  for (const LabNode& other : topology.nodes) {
    if (other.name == name) return Error{ErrorCode::kAlreadyExists, concat("there is a node ", quoted(name))};
  }
  while (node.subnet < topology.subnets.size() && topology.subnets[node.subnet].name != subnet) ++node.subnet;
  if (node.subnet == topology.subnets.size())
    return Error{ErrorCode::kNotFound, concat("there is no subnet ", quoted(subnet))};
  MARGAY_ASSIGN_OR_RETURN(node.addresses, next_addresses(topology, node.subnet));
  topology.nodes.push_back(std::move(node));
  return ok_status();
}

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

}  // namespace margay::lab
