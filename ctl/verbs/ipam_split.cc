// ipam split: a pool becomes several of equal size. Its CIDR cannot change, so new pools come first and the old one
// goes last: blocks and addresses stay as they are, and at no time is an address in no pool. Begun again, it goes on.
#include <bit>

#include "base/core/text.h"
#include "cni/ipam/candidates.h"
#include "ctl/verbs/ipam_world.h"
#include "ctl/verbs/verbs.h"
#include "datastore/codec/decoded.h"

namespace margay::verbs {
namespace {

using command::ExitCode;

constexpr std::uint64_t kPartsMax = 1024;

struct Part {
  std::string name;
  IpPrefix cidr;
};

Result<std::vector<Part>> parts_of(const model::IpPool& pool, std::uint64_t count) {
  const int length = pool.spec.cidr.length() + std::countr_zero(count);
  if (length > pool.spec.block_length()) {
    return invalid(concat("pool ", quoted(pool.metadata.name), ", ", pool.spec.cidr.to_string(), ", has not ", count,
                          " blocks of /", pool.spec.block_length()));
  }
  const ipam::BlockOrder order(pool.spec.cidr, length, "");
  std::vector<Part> out;
  for (std::uint64_t i = 0; i < order.size(); ++i) out.push_back({concat(pool.metadata.name, '-', i), order.at(i)});
  return out;
}

// The pool that --name or --cidr means, as the server has it.
Result<json::Value> find_pool(Session& session, Api& api) {
  const command::Invocation& invocation = session.invocation();
  const auto listed = api.list(resource_of(session, model::Kind::kIpPool), "", {});
  if (!listed.ok()) return listed.error().to_error();
  const std::string name = invocation.text("name");
  const auto cidr = IpPrefix::parse_containing(invocation.text("cidr"));
  for (const json::Value& item : listed->items) {
    const auto own = IpPrefix::parse_containing(item.string_at({"spec", "cidr"}));
    if (!name.empty() ? item.string_at({"metadata", "name"}) == name : own.ok() && cidr.ok() && *own == *cidr) {
      return item;
    }
  }
  return Error{ErrorCode::kNotFound,
               concat("there is no IP pool ", name.empty() ? invocation.text("cidr") : quoted(name))};
}

json::Value object_of(const json::Value& pool, const Part& part) {
  json::Value out;
  out["apiVersion"] = pool.string_at({"apiVersion"});
  out["kind"] = pool.string_at({"kind"});
  out["metadata"]["name"] = part.name;
  for (const char* key : {"labels", "annotations"}) {
    const json::Value* found = pool.find({"metadata", key});
    if (found != nullptr) out["metadata"][key] = *found;
  }
  out["spec"] = *pool.find("spec");
  out["spec"]["cidr"] = part.cidr.to_string();
  return out;
}

// One that is there from an attempt before is as good as new.
Status create_part(Session& session, Api& api, const json::Value& pool, const Part& part) {
  const auto& resource = resource_of(session, model::Kind::kIpPool);
  const auto created = api.create(resource, "", object_of(pool, part), {});
  if (created.ok()) return ok_status();
  if (created.error().code != ErrorCode::kAlreadyExists) return created.error().to_error();
  const auto there = api.get(resource, {"", part.name});
  if (!there.ok()) return there.error().to_error();
  if (there->string_at({"spec", "cidr"}) == part.cidr.to_string()) return ok_status();
  return Error{ErrorCode::kAlreadyExists, concat("ippool/", part.name, " exists, with another CIDR")};
}

Status replace(Session& session, Api& api, const json::Value& pool, const std::vector<Part>& parts) {
  for (const Part& part : parts) MARGAY_RETURN_IF_ERROR(create_part(session, api, pool, part));
  const auto removed =
      api.remove(resource_of(session, model::Kind::kIpPool), {"", std::string(pool.string_at({"metadata", "name"}))},
                 {.uid = std::string(pool.string_at({"metadata", "uid"}))});
  return removed.ok() ? ok_status() : Status(removed.error().to_error());
}

void show_parts(Session& session, const std::string& pool, const std::vector<Part>& parts, bool is_dry) {
  if (session.invocation().text("output") == "json") {
    json::Value out;
    out["pool"] = pool;
    out["isDone"] = !is_dry;
    json::Array list;
    for (const Part& part : parts) {
      json::Value each;
      each["name"] = part.name;
      each["cidr"] = part.cidr.to_string();
      list.push_back(std::move(each));
    }
    out["into"] = std::move(list);
    session.io().out(json::dump_pretty(out));
    return;
  }
  std::string text;
  for (const Part& part : parts) text += concat("ippool/", part.name, "  ", part.cidr.to_string(), '\n');
  session.io().out(concat(text, "ippool/", pool, is_dry ? " would be split (dry run)\n" : " split\n"));
}

}  // namespace

ExitCode run_ipam_split(Session& session) {
  const command::Invocation& invocation = session.invocation();
  const auto count = parse_number<std::uint64_t>(invocation.arguments.front());
  if (!count || *count < 2 || *count > kPartsMax || !std::has_single_bit(*count)) {
    return session.usage(concat("NUMBER: a power of two from 2 to ", kPartsMax, " is wanted"));
  }
  if (invocation.is_given("name") == invocation.is_given("cidr")) return session.usage("which pool: --name or --cidr");
  const auto api = session.api();
  if (!api.ok()) return session.fail(api.error());
  const auto object = find_pool(session, **api);
  if (!object.ok()) return session.fail(object.error());
  const auto pool = codec::decoded<model::IpPool>(object.value());
  if (!pool.ok()) return session.fail(pool.error());
  const auto parts = parts_of(*pool, *count);
  if (!parts.ok()) return session.fail(parts.error());
  const bool is_dry = invocation.is_on("dry-run");
  const Status done = is_dry ? ok_status() : replace(session, **api, *object, *parts);
  if (!done.ok()) return session.fail(done.error());
  show_parts(session, pool->metadata.name, *parts, is_dry);
  return ExitCode::kDone;
}

}  // namespace margay::verbs
