// ipam explain: why an address is where it is, or from where a pod gets its addresses, and what keeps it from one.
#include <algorithm>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "cni/ipam/block.h"
#include "cni/ipam/names.h"
#include "cni/ipam/pools.h"
#include "ctl/verbs/ipam_world.h"
#include "ctl/verbs/verbs.h"
#include "datastore/codec/decoded.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/pod.h"

namespace margay::verbs {
namespace {

using command::ExitCode;

constexpr int kBlocksMaxDefault = 20;

struct Fact {
  std::string topic;
  std::string text;
};
using Facts = std::vector<Fact>;

ExitCode tell(Session& session, const std::string& about, const Facts& facts) {
  if (session.invocation().text("output") == "json") {
    json::Value out;
    out["about"] = about;
    json::Array list;
    for (const Fact& fact : facts) {
      json::Value each;
      each["topic"] = fact.topic;
      each["text"] = fact.text;
      list.push_back(std::move(each));
    }
    out["facts"] = std::move(list);
    session.io().out(json::dump_pretty(out));
    return ExitCode::kDone;
  }
  std::string text;
  for (const Fact& fact : facts) text += concat(fact.topic, ": ", fact.text, '\n');
  session.io().out(text);
  return ExitCode::kDone;
}

std::string owner_text(const std::optional<model::BlockOwner>& owner) {
  if (!owner) return "nobody's: every node may take it";
  if (owner->type == model::AffinityType::kHost) return concat("of node ", owner->name);
  return concat("of ", owner->name, ", for services");
}

// Who has it, by what the block says.
std::string holder_text(const model::IpamBlockSpec& block, ipam::Ordinal ordinal) {
  const model::AllocationAttribute* attribute = ipam::attribute_at(block, ordinal);
  if (attribute == nullptr) return "free";
  if (attribute->released_at) return concat("rests since ", format_timestamp(*attribute->released_at));
  const StringMap& owner = attribute->active_owner;
  std::string who = concat("handle ", attribute->handle_id);
  if (!owner.get(ipam::kPodAttribute).empty()) {
    who = concat("pod ", owner.get(ipam::kNamespaceAttribute), '/', owner.get(ipam::kPodAttribute), ", ", who);
  } else if (!owner.get(ipam::kTypeAttribute).empty()) {
    who = concat(owner.get(ipam::kTypeAttribute), ", ", who);
  }
  const std::string_view node = owner.get(ipam::kNodeAttribute);
  if (!node.empty()) who += concat(", node ", node);
  if (!owner.get(ipam::kTimestampAttribute).empty()) who += concat(", since ", owner.get(ipam::kTimestampAttribute));
  if (!node.empty() && block.affinity && block.affinity->name != node) who += "; borrowed from that node's block";
  return who;
}

const model::IpPool* pool_of(const IpamWorld& world, const IpAddress& address) {
  for (const model::IpPool& pool : world.pools) {
    if (pool.spec.cidr.contains(address)) return &pool;
  }
  return nullptr;
}

ExitCode explain_address(Session& session, const IpAddress& address) {
  IpamWorld world;
  if (const auto code = load_ipam(session, /*has_users=*/true, world)) return *code;
  Facts facts;
  const model::IpPool* pool = pool_of(world, address);
  facts.push_back({"pool", pool == nullptr ? "in no pool: nobody is given it"
                                           : concat(pool->metadata.name, ", ", pool->spec.cidr.to_string(),
                                                    pool->spec.disabled ? ", disabled" : "")});
  for (const model::IpReservation& each : world.reservations) {
    const auto& cidrs = each.spec.reserved_cidrs;
    const bool has_it =
        std::any_of(cidrs.begin(), cidrs.end(), [&](const IpPrefix& cidr) { return cidr.contains(address); });
    if (has_it) facts.push_back({"reserved", concat("by IPReservation ", each.metadata.name, ": given only by name")});
  }
  bool is_given = false;
  for (const model::IpamBlock& block : world.blocks) {
    const auto ordinal = ipam::ordinal_of(block.spec, address);
    if (!ordinal) continue;
    facts.push_back({"block", concat(block.spec.cidr.to_string(), ", ", owner_text(block.spec.affinity))});
    if (!ipam::check_block(block.spec).ok()) {
      facts.push_back({"block", ipam::check_block(block.spec).error().message});
      continue;
    }
    is_given = ipam::holder_of(block.spec, *ordinal) != nullptr;
    facts.push_back({"given to", holder_text(block.spec, *ordinal)});
  }
  if (facts.back().topic != "given to" && pool != nullptr)
    facts.push_back({"block", "none yet: no node has claimed it"});
  const auto user = world.users.find(address);
  const bool is_used = user != world.users.end();
  if (is_used) facts.push_back({"used by", user->second.name});
  if (is_given && !is_used) facts.push_back({"used by", "nobody: leaked, unless its pod is just starting or ending"});
  if (!is_given && is_used && pool != nullptr) facts.push_back({"problem", "used, and not given: another may get it"});
  return tell(session, address.to_string(), facts);
}

template <class T>
Result<T> read(Session& session, Api& api, const kube::ObjectName& name) {
  const auto got = api.get(resource_of(session, T::kKind), name);
  if (!got.ok()) return got.error().to_error().within(concat(model::info(T::kKind).name, ' ', name.name));
  return codec::decoded<T>(got.value());
}

struct PodCase {
  model::Pod pod;
  StringMap namespace_annotations, namespace_labels, node_labels;
  IpamWorld world;
  model::IpamConfigurationSpec settings;
  [[nodiscard]] std::string node() const { return std::string(pod.spec.node_name.view()); }
};

// The pod's, else its namespace's; and whose it was.
std::pair<std::vector<std::string>, std::string> asked(const PodCase& about, std::string_view name) {
  const std::string key = concat("cni.projectcalico.org/", name);
  const bool is_own = !about.pod.metadata.annotations.get(key).empty();
  const std::string_view text = is_own ? about.pod.metadata.annotations.get(key) : about.namespace_annotations.get(key);
  const auto parsed = json::parse(text.empty() ? "[]" : text);
  std::vector<std::string> out;
  if (parsed.ok() && parsed->as_array() != nullptr) {
    for (const json::Value& each : *parsed->as_array()) {
      if (each.as_string() != nullptr) out.push_back(*each.as_string());
    }
  }
  return {out, concat("annotation ", key, " of the ", is_own ? "pod" : "namespace")};
}

void add_pools(const PodCase& about, IpFamily family, Facts& facts, std::vector<const model::IpPool*>& usable) {
  const auto [requested, whose] = asked(about, family == IpFamily::kV4 ? "ipv4pools" : "ipv6pools");
  if (!requested.empty()) facts.push_back({"pools", concat(whose, " asks for ", join(requested, ", "))});
  const ipam::PoolQuery query{.family = family,
                              .node_labels = about.node_labels,
                              .namespace_labels = about.namespace_labels,
                              .requested = requested};
  for (const model::IpPool& pool : about.world.pools) {
    if (pool.spec.cidr.family() != family) continue;
    const std::string problem = ipam::why_not(pool, query);
    facts.push_back({concat("pool ", pool.metadata.name),
                     problem.empty() ? concat("fits, ", pool.spec.cidr.to_string()) : problem});
    if (problem.empty()) usable.push_back(&pool);
  }
}

// What there is for it on its node.
void add_blocks(const PodCase& about, IpFamily family, const std::vector<const model::IpPool*>& usable, Facts& facts) {
  const ipam::AddressSet reserved = about.world.reserved();
  int owned = 0;
  std::size_t own_free = 0, other_free = 0;
  bool has_room = false;
  for (const model::IpPool* pool : usable) {
    std::uint64_t blocks = 0;
    for (const model::IpamBlock& block : about.world.blocks) {
      if (!pool->spec.cidr.contains(block.spec.cidr) || !ipam::check_block(block.spec).ok()) continue;
      ++blocks;
      const std::size_t free = ipam::count_free(block.spec, reserved);
      const bool is_own = block.spec.affinity == model::BlockOwner{model::AffinityType::kHost, about.node()};
      (is_own ? own_free : other_free) += free;
      if (!is_own) continue;
      ++owned;
      facts.push_back({"own block", concat(block.spec.cidr.to_string(), ", ", free, " free")});
    }
    const int bits = pool->spec.block_length() - pool->spec.cidr.length();
    has_room = has_room || bits >= 63 || blocks < (std::uint64_t{1} << bits);
  }
  const int max = about.settings.max_blocks_per_host == 0 ? kBlocksMaxDefault : about.settings.max_blocks_per_host;
  const auto say = [&](std::string text) { facts.push_back({std::string(to_string(family)), std::move(text)}); };
  if (usable.empty()) return say("no address: no pool fits");
  if (own_free > 0) return say("an address comes from the node's own blocks");
  if (!about.settings.auto_allocate_blocks.value_or(true)) return say("no own block, and autoAllocateBlocks is off");
  if (owned >= max) return say(concat("no address: the node has its ", max, " blocks (maxBlocksPerHost), all full"));
  if (has_room) return say("the node claims another block");
  if (about.settings.strict_affinity) {
    return say("no address: no block is free, and strictAffinity forbids to borrow (unless a node has an empty block)");
  }
  say(other_free > 0 ? concat("borrowed from another node's block: ", other_free, " free there")
                     : std::string("no address: the pools are exhausted"));
}

Result<PodCase> read_pod(Session& session, Api& api, const kube::ObjectName& name) {
  PodCase out;
  MARGAY_ASSIGN_OR_RETURN(out.pod, read<model::Pod>(session, api, name));
  MARGAY_ASSIGN_OR_RETURN(const auto space, read<model::Namespace>(session, api, {"", name.name_space}));
  out.namespace_annotations = space.metadata.annotations;
  out.namespace_labels = space.metadata.labels;
  if (!out.node().empty()) {
    MARGAY_ASSIGN_OR_RETURN(const auto node, read<model::Node>(session, api, {"", out.node()}));
    out.node_labels = node.metadata.labels;
  }
  const auto settings = read<model::IpamConfiguration>(session, api, {"", "default"});
  if (settings.ok()) out.settings = settings->spec;
  return out;
}

ExitCode explain_pod(Session& session, const kube::ObjectName& name) {
  const auto api = session.api();
  if (!api.ok()) return session.fail(api.error());
  auto about = read_pod(session, **api, name);
  if (!about.ok()) return session.fail(about.error());
  if (const auto code = load_ipam(session, /*has_users=*/false, about->world)) return *code;
  Facts facts;
  if (about->pod.spec.host_network) {
    facts.push_back({"network", "the node's own (hostNetwork): it gets no address of a pool"});
    return tell(session, concat(name.name_space, '/', name.name), facts);
  }
  facts.push_back({"node", about->node().empty() ? "none yet: it is not scheduled" : about->node()});
  const std::string_view has = about->pod.metadata.annotations.get("cni.projectcalico.org/podIPs");
  if (!has.empty()) facts.push_back({"has", std::string(has)});
  const auto [fixed, whose] = asked(*about, "ipAddrs");
  if (!fixed.empty()) facts.push_back({"address", concat(whose, " asks for ", join(fixed, ", "))});
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    std::vector<const model::IpPool*> usable;
    const std::size_t before = facts.size();
    add_pools(*about, family, facts, usable);
    if (facts.size() > before) add_blocks(*about, family, usable, facts);
  }
  return tell(session, concat(name.name_space, '/', name.name), facts);
}

}  // namespace

ExitCode run_ipam_explain(Session& session) {
  const std::string& target = session.invocation().arguments.front();
  const auto address = IpAddress::parse(target);
  if (address.ok()) return explain_address(session, *address);
  const auto pair = split_once(target, '/');
  if (pair) return explain_pod(session, {std::string(pair->first), std::string(pair->second)});
  return explain_pod(session, {session.name_space(), target});
}

}  // namespace margay::verbs
