#include "agent/startup/environment.h"

#include <unistd.h>

#include <string>
#include <utility>

#include "base/core/text.h"
#include "base/core/time_text.h"

namespace margay::startup {
namespace {

using Variables = std::map<std::string, std::string>;

// One variable after the other, and what was wrong with them.
class Reader {
 public:
  Reader(const Variables& variables, std::vector<std::string>& problems) : variables_(variables), problems_(problems) {}

  [[nodiscard]] std::string text(const std::string& name) const {
    const auto found = variables_.find(name);
    return found == variables_.end() ? std::string() : std::string(trim(found->second));
  }
  void problem(const std::string& name, std::string_view message, std::string_view instead) {
    problems_.push_back(concat(name, ": ", message, "; ", instead));
  }
  [[nodiscard]] bool boolean(const std::string& name, bool fallback) {
    const std::string value = to_lower(text(name));
    if (value.empty()) return fallback;
    if (value == "true" || value == "1" || value == "yes") return true;
    if (value == "false" || value == "0" || value == "no") return false;
    problem(name, concat(quoted(value), " is not true or false"), concat("it is ", fallback ? "true" : "false"));
    return fallback;
  }

 private:
  const Variables& variables_;
  std::vector<std::string>& problems_;
};

Method read_method(Reader& reader, const std::string& name) {
  auto method = Method::parse(reader.text(name));
  if (method.ok()) return std::move(method).value();
  reader.problem(name, method.error().message, "the Node's own address is taken");
  return {};
}

AddressChoice read_address(Reader& reader, const std::string& name, const std::string& method, IpFamily family) {
  AddressChoice choice;
  choice.method = read_method(reader, method);
  const std::string text = reader.text(name);
  const std::string word = to_lower(text);
  if (text.empty() && family == IpFamily::kV6) choice.kind = AddressChoice::Kind::kKeep;
  if (text.empty() || word == "autodetect") return choice;
  if (word == "none") {
    choice.kind = AddressChoice::Kind::kNone;
    return choice;
  }
  const auto address = InterfaceAddress::parse(text);
  if (!address.ok() || address->address.family() != family) {
    reader.problem(name,
                   address.ok() ? concat(text, " is not ", to_string(family))
                                : concat(address.error().message, " (nor autodetect, nor none)"),
                   "it is autodetected");
    return choice;
  }
  choice.kind = AddressChoice::Kind::kGiven;
  choice.given = *address;
  choice.has_length = text.find('/') != std::string::npos;
  return choice;
}

model::EncapMode read_encapsulation(Reader& reader, const std::string& name, model::EncapMode fallback) {
  const std::string word = to_lower(reader.text(name));
  if (word.empty()) return fallback;
  if (word == "off" || word == "never") return model::EncapMode::kNever;
  if (word == "always") return model::EncapMode::kAlways;
  if (word == "crosssubnet" || word == "cross-subnet") return model::EncapMode::kCrossSubnet;
  reader.problem(name, concat(quoted(word), " is not one of Always, CrossSubnet, Never"),
                 concat("it is ", model::to_string(fallback)));
  return fallback;
}

void read_cidr(Reader& reader, const std::string& name, IpFamily family, PoolChoice& pool) {
  const std::string text = reader.text(name);
  if (text.empty()) return;
  if (to_lower(text) == "none") {
    pool.is_none = true;
    return;
  }
  const auto cidr = IpPrefix::parse_containing(text);
  if (cidr.ok() && cidr->family() == family) {
    pool.cidr = *cidr;
    return;
  }
  // Another range than the one asked for would be worse than none.
  pool.is_none = true;
  reader.problem(name, cidr.ok() ? concat(text, " is not ", to_string(family)) : cidr.error().message,
                 "no pool of the family is made");
}

PoolChoice read_pool(Reader& reader, IpFamily family) {
  const bool is_v4 = family == IpFamily::kV4;
  const std::string prefix = is_v4 ? "CALICO_IPV4POOL_" : "CALICO_IPV6POOL_";
  PoolChoice pool;
  read_cidr(reader, prefix + "CIDR", family, pool);
  pool.vxlan = read_encapsulation(reader, prefix + "VXLAN", model::EncapMode::kNever);
  if (is_v4) {
    const bool has_vxlan = pool.vxlan != model::EncapMode::kNever;
    pool.ipip =
        read_encapsulation(reader, prefix + "IPIP", has_vxlan ? model::EncapMode::kNever : model::EncapMode::kAlways);
    if (has_vxlan && pool.ipip != model::EncapMode::kNever) {
      reader.problem(prefix + "IPIP", "a pool has IP-in-IP or VXLAN, not both", "it has VXLAN");
      pool.ipip = model::EncapMode::kNever;
    }
  }
  const std::string size = reader.text(prefix + "BLOCK_SIZE");
  const int size_min = is_v4 ? 20 : 116, size_max = address_bits(family);
  if (const auto value = parse_number<int>(size); value && *value >= size_min && *value <= size_max) {
    pool.block_size = *value;
  } else if (!size.empty()) {
    reader.problem(prefix + "BLOCK_SIZE", concat(quoted(size), " is not between ", size_min, " and ", size_max),
                   "it is the default");
  }
  pool.nat_outgoing = reader.boolean(prefix + "NAT_OUTGOING", is_v4);
  const std::string selector = reader.text(prefix + "NODE_SELECTOR");
  if (!selector.empty()) pool.node_selector = selector;
  pool.disable_bgp_export = reader.boolean(prefix + "DISABLE_BGP_EXPORT", false);
  return pool;
}

std::string read_router_id(Reader& reader) {
  std::string text = reader.text("CALICO_ROUTER_ID");
  if (text.empty() || text == "hash") return text;
  const auto id = RouterId::parse(text);
  if (id.ok()) return text;
  reader.problem("CALICO_ROUTER_ID", id.error().message, "it is the node's IPv4 address");
  return "";
}

NetworkingBackend read_backend(Reader& reader) {
  const std::string word = to_lower(reader.text("CALICO_NETWORKING_BACKEND"));
  if (word.empty() || word == "bird" || word == "bgp") return NetworkingBackend::kBgp;
  if (word == "vxlan") return NetworkingBackend::kVxlan;
  if (word == "none") return NetworkingBackend::kNone;
  reader.problem("CALICO_NETWORKING_BACKEND", concat(quoted(word), " is not one of bird, vxlan, none"), "it is bird");
  return NetworkingBackend::kBgp;
}

Duration read_poll_interval(Reader& reader, Duration fallback) {
  const std::string text = reader.text("AUTODETECT_POLL_INTERVAL");
  if (text.empty()) return fallback;
  const auto interval = parse_duration(text);
  if (interval.ok() && *interval > Duration(0)) return *interval;
  reader.problem("AUTODETECT_POLL_INTERVAL", concat(quoted(text), " is not a duration such as 60s"),
                 concat("it is ", format_duration(fallback)));
  return fallback;
}

std::string read_node_name(Reader& reader) {
  const std::string name = reader.text("NODENAME");
  return to_lower(name.empty() ? reader.text("HOSTNAME") : name);
}

}  // namespace

Environment read_environment(const Variables& variables) {
  Environment out;
  Reader reader(variables, out.problems);
  out.node_name = read_node_name(reader);
  out.ipv4 = read_address(reader, "IP", "IP_AUTODETECTION_METHOD", IpFamily::kV4);
  out.ipv6 = read_address(reader, "IP6", "IP6_AUTODETECTION_METHOD", IpFamily::kV6);
  if (const std::string text = reader.text("AS"); !text.empty()) {
    const auto asn = Asn::parse(text);
    if (asn.ok()) out.as_number = *asn;
    if (!asn.ok()) reader.problem("AS", asn.error().message, "the Node's own, or the cluster's, is taken");
  }
  out.router_id = read_router_id(reader);
  out.k8s_node_ref = reader.text("CALICO_K8S_NODE_REF");
  out.backend = read_backend(reader);
  out.pool_v4 = read_pool(reader, IpFamily::kV4);
  out.pool_v6 = read_pool(reader, IpFamily::kV6);
  out.no_default_pools = reader.boolean("NO_DEFAULT_POOLS", false);
  out.checks_node_ip = !reader.boolean("DISABLE_NODE_IP_CHECK", false);
  out.poll_interval = read_poll_interval(reader, out.poll_interval);
  out.waits_for_datastore = reader.boolean("WAIT_FOR_DATASTORE", false);
  const std::string cluster_type = reader.text("CLUSTER_TYPE");
  for (const std::string_view part : split(cluster_type, ',')) {
    if (!trim(part).empty()) out.cluster_type.emplace_back(trim(part));
  }
  out.log_level = reader.text("CALICO_STARTUP_LOGLEVEL");
  out.manages_cni = reader.boolean("CALICO_MANAGE_CNI", true);
  return out;
}

Variables process_environment() {
  Variables variables;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    if (const auto pair = split_once(*each, '=')) variables.emplace(pair->first, pair->second);
  }
  return variables;
}

}  // namespace margay::startup
