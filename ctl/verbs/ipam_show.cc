// ipam show: how full pools and blocks are, who has an address, what is borrowed, the settings.
#include <algorithm>

#include "base/core/text.h"
#include "cni/ipam/block.h"
#include "cni/ipam/names.h"
#include "cni/ipam/utilization.h"
#include "ctl/render/table.h"
#include "ctl/verbs/ipam_world.h"
#include "ctl/verbs/verbs.h"

namespace margay::verbs {
namespace {

using command::ExitCode;
using render::Table;

bool wants_json(const Session& session) { return session.invocation().text("output") == "json"; }

void print(Session& session, Table::Row header, const std::vector<Table::Row>& rows) {
  Table table(std::move(header), session.io().out_has_colour());
  // In this order: the header takes the rows into account.
  const std::string head = table.header(rows);
  session.io().out(head + table.lines(rows));
}

std::string share(std::uint64_t part, std::uint64_t whole) {
  return concat(
      part, " (",
      whole == 0 ? 0 : static_cast<std::uint64_t>(100.0 * static_cast<double>(part) / static_cast<double>(whole) + 0.5),
      "%)");
}

Table::Row usage_row(std::string_view grouping, const IpPrefix& cidr, const ipam::Usage& usage) {
  return {std::string(grouping),
          cidr.to_string(),
          concat(usage.capacity),
          share(usage.in_use, usage.capacity),
          share(usage.reserved, usage.capacity),
          share(usage.available, usage.capacity)};
}

json::Object usage_json(const IpPrefix& cidr, const ipam::Usage& usage) {
  const auto number = [](std::uint64_t value) { return json::Value(static_cast<std::int64_t>(value)); };
  json::Object out;
  out["cidr"] = cidr.to_string();
  out["total"] = number(usage.capacity);
  out["inUse"] = number(usage.in_use);
  out["reserved"] = number(usage.reserved);
  out["free"] = number(usage.available);
  return out;
}

ExitCode show_usage(Session& session, const IpamWorld& world) {
  const ipam::AddressSet reserved = world.reserved();
  const bool has_blocks = session.invocation().is_on("show-blocks");
  std::vector<const model::IpamBlockSpec*> blocks;
  for (const auto& block : world.blocks) blocks.push_back(&block.spec);
  std::sort(blocks.begin(), blocks.end(), [](const auto* a, const auto* b) { return a->cidr < b->cidr; });
  std::vector<Table::Row> rows;
  json::Array list;
  for (const model::IpPool& pool : world.pools) {
    const ipam::Usage usage = usage_of(pool.spec.cidr, reserved, blocks);
    rows.push_back(usage_row("IP Pool", pool.spec.cidr, usage));
    json::Object object = usage_json(pool.spec.cidr, usage);
    object["name"] = pool.metadata.name;
    json::Array parts;
    for (const model::IpamBlockSpec* block : blocks) {
      if (!has_blocks || !pool.spec.cidr.contains(block->cidr)) continue;
      rows.push_back(usage_row("Block", block->cidr, usage_of(*block, reserved)));
      json::Object part = usage_json(block->cidr, usage_of(*block, reserved));
      part["owner"] = block->affinity ? block->affinity->to_string() : std::string();
      parts.emplace_back(std::move(part));
    }
    if (has_blocks) object["blocks"] = std::move(parts);
    list.emplace_back(std::move(object));
  }
  if (wants_json(session)) {
    session.io().out(json::dump_pretty(json::Value(std::move(list))));
  } else {
    print(session, {"GROUPING", "CIDR", "IPS TOTAL", "IPS IN USE", "IPS RESERVED", "IPS FREE"}, rows);
  }
  return ExitCode::kDone;
}

json::Object attributes_json(const StringMap& attributes) {
  json::Object out;
  for (const auto& [key, value] : attributes) out[key] = value;
  return out;
}

ExitCode show_address(Session& session, const IpamWorld& world) {
  const auto address = IpAddress::parse(session.invocation().text("ip"));
  if (!address.ok()) return session.usage(concat("--ip: ", address.error().message));
  const model::AllocationAttribute* found = nullptr;
  const model::IpamBlockSpec* where = nullptr;
  for (const auto& block : world.blocks) {
    const auto ordinal = ipam::ordinal_of(block.spec, *address);
    if (!ordinal || !ipam::check_block(block.spec).ok()) continue;
    where = &block.spec;
    found = ipam::attribute_at(block.spec, *ordinal);
  }
  const std::string state = found == nullptr ? "is not in use" : found->released_at ? "cools down" : "is in use";
  if (wants_json(session)) {
    json::Object out;
    out["ip"] = address->to_string();
    out["inUse"] = found != nullptr && !found->released_at;
    out["state"] = state;
    if (where != nullptr) out["block"] = where->cidr.to_string();
    if (found != nullptr) out["handleId"] = found->handle_id;
    if (found != nullptr) out["attributes"] = attributes_json(found->active_owner);
    if (found != nullptr) out["alternateAttributes"] = attributes_json(found->alternate_owner);
    session.io().out(json::dump_pretty(json::Value(std::move(out))));
    return ExitCode::kDone;
  }
  std::string text = concat("IP ", address->to_string(), ' ', state, '\n');
  if (found != nullptr) {
    text += concat("Handle ID: ", found->handle_id, "\nActive Owner Attributes:\n");
    for (const auto& [key, value] : found->active_owner) text += concat("  ", key, ": ", value, '\n');
    if (!found->alternate_owner.empty()) text += "Alternate Owner Attributes:\n";
    for (const auto& [key, value] : found->alternate_owner) text += concat("  ", key, ": ", value, '\n');
  }
  session.io().out(text);
  return ExitCode::kDone;
}

void add_borrowed(const model::IpamBlockSpec& block, std::vector<Table::Row>& rows) {
  if (!ipam::check_block(block).ok()) return;
  for (std::size_t i = 0; i < block.allocations.size(); ++i) {
    const auto ordinal = static_cast<ipam::Ordinal>(i);
    if (ipam::holder_of(block, ordinal) == nullptr) continue;
    const model::AllocationAttribute& attribute = *ipam::attribute_at(block, ordinal);
    const std::string node(attribute.active_owner.get(ipam::kNodeAttribute));
    const std::string owner = block.affinity ? block.affinity->name : "";
    if (node.empty() || node == owner) continue;
    const std::string_view pod = attribute.active_owner.get(ipam::kPodAttribute);
    const std::string_view type = attribute.active_owner.get(ipam::kTypeAttribute);
    rows.push_back(
        {ipam::address_at(block, ordinal).to_string(), node, block.cidr.to_string(), owner,
         pod.empty() ? std::string(type) : "pod",
         pod.empty() ? attribute.handle_id : concat(attribute.active_owner.get(ipam::kNamespaceAttribute), '/', pod)});
  }
}

ExitCode show_borrowed(Session& session, const IpamWorld& world) {
  std::vector<Table::Row> rows;
  for (const auto& block : world.blocks) add_borrowed(block.spec, rows);
  if (!wants_json(session)) {
    print(session, {"IP", "BORROWING-NODE", "BLOCK", "BLOCK OWNER", "TYPE", "ALLOCATED-TO"}, rows);
    return ExitCode::kDone;
  }
  constexpr std::string_view kKeys[] = {"ip", "borrowingNode", "block", "blockOwner", "type", "allocatedTo"};
  json::Array list;
  for (const Table::Row& row : rows) {
    json::Object object;
    for (std::size_t i = 0; i < row.size(); ++i) object[kKeys[i]] = row[i];
    list.emplace_back(std::move(object));
  }
  session.io().out(json::dump_pretty(json::Value(std::move(list))));
  return ExitCode::kDone;
}

ExitCode show_configuration(Session& session) {
  const auto api = session.api();
  if (!api.ok()) return session.fail(api.error());
  const auto found = (*api)->get(resource_of(session, model::Kind::kIpamConfiguration), {"", "default"});
  if (!found.ok() && found.error().code != ErrorCode::kNotFound)
    return session.fail("ipamconfigurations", found.error());
  json::Object settings;
  settings["strictAffinity"] = false;
  settings["autoAllocateBlocks"] = true;
  settings["maxBlocksPerHost"] = 0;
  settings["ipCooldownSeconds"] = 0;
  const json::Value* spec = found.ok() ? found->find("spec") : nullptr;
  if (spec != nullptr && spec->as_object() != nullptr) {
    for (const json::Member& member : *spec->as_object()) settings[member.name] = member.value;
  }
  if (wants_json(session)) {
    session.io().out(json::dump_pretty(json::Value(std::move(settings))));
    return ExitCode::kDone;
  }
  std::vector<Table::Row> rows;
  for (const json::Member& member : settings) rows.push_back({member.name, json::dump(member.value)});
  print(session, {"PROPERTY", "VALUE"}, rows);
  return ExitCode::kDone;
}

}  // namespace

ExitCode run_ipam_show(Session& session) {
  if (session.invocation().is_on("show-configuration")) return show_configuration(session);
  IpamWorld world;
  if (const auto code = load_ipam(session, /*has_users=*/false, world)) return *code;
  if (session.invocation().is_given("ip")) return show_address(session, world);
  if (session.invocation().is_on("show-borrowed")) return show_borrowed(session, world);
  return show_usage(session, world);
}

}  // namespace margay::verbs
