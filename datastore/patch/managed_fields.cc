#include "datastore/patch/managed_fields.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "datastore/patch/field_element.h"

namespace margay::patch {
namespace {

using json::Object;
using json::Value;

constexpr std::string_view kAncientChanges = "ancient-changes";
constexpr std::string_view kServersOwn[] = {"creationTimestamp", "deletionGracePeriodSeconds",
                                            "deletionTimestamp", "generation",
                                            "managedFields",     "name",
                                            "namespace",         "resourceVersion",
                                            "selfLink",          "uid"};

std::string_view word(Operation operation) { return operation == Operation::kApply ? "Apply" : "Update"; }

Result<Operation> parse_manager_operation(std::string_view text) {
  if (text == "Apply") return Operation::kApply;
  if (text == "Update") return Operation::kUpdate;
  return invalid(concat("operation ", quoted(text), " must be `Apply` or `Update`"));
}

Result<std::pair<ManagerId, ManagedEntry>> parse_managed_entry(const Value& value) {
  std::pair<ManagerId, ManagedEntry> out;
  auto& [id, entry] = out;
  id.manager = value.string_at({"manager"});
  id.subresource = value.string_at({"subresource"});
  entry.api_version = value.string_at({"apiVersion"});
  MARGAY_ASSIGN_OR_RETURN(id.operation, parse_manager_operation(value.string_at({"operation"})));
  if (id.operation == Operation::kUpdate) id.api_version = entry.api_version;
  if (value.string_at({"fieldsType"}) != "FieldsV1") return invalid("fieldsType must be \"FieldsV1\"");
  if (const std::string_view time = value.string_at({"time"}); !time.empty()) {
    MARGAY_ASSIGN_OR_RETURN(entry.time, parse_timestamp(time));
  }
  if (const Value* fields = value.find("fieldsV1")) {
    MARGAY_ASSIGN_OR_RETURN(entry.fields, FieldSet::parse(*fields));
  }
  return out;
}

Value entry_value(const ManagerId& id, const ManagedEntry& entry) {
  Object out{{"manager", id.manager}, {"operation", word(id.operation)}, {"apiVersion", entry.api_version}};
  if (entry.time) out.append_new("time", format_timestamp(*entry.time));
  out.append_new("fieldsType", "FieldsV1");
  out.append_new("fieldsV1", entry.fields.to_value());
  if (!id.subresource.empty()) out.append_new("subresource", id.subresource);
  return out;
}

// What is written has whole seconds.
std::int64_t seconds_of(const ManagedEntry& entry) {
  if (!entry.time) return 0;
  return std::chrono::floor<std::chrono::seconds>(entry.time->time_since_epoch()).count();
}

using Item = const ManagedFields::value_type*;

bool comes_before(Item a, Item b) {
  const auto rank = [](Item item) {
    const auto& [id, entry] = *item;
    return std::tuple(id.operation, seconds_of(entry), std::string_view(id.manager),
                      std::string_view(entry.api_version), std::string_view(id.subresource));
  };
  return rank(a) < rank(b);
}

std::vector<ManagerId> updaters_by_age(const ManagedFields& managed) {
  std::vector<Item> items;
  for (const auto& item : managed) {
    if (item.first.operation == Operation::kUpdate) items.push_back(&item);
  }
  std::sort(items.begin(), items.end(), comes_before);
  std::vector<ManagerId> ids;
  for (const Item item : items) ids.push_back(item->first);
  return ids;
}

}  // namespace

std::string to_string(const ManagerId& id) {
  std::string out = quoted(id.manager);
  if (!id.subresource.empty()) out.append(concat(" with subresource ", quoted(id.subresource)));
  if (id.operation == Operation::kUpdate) out.append(" using ").append(id.api_version);
  return out;
}

Result<ManagedFields> parse_managed_fields(const Value& list) {
  const json::Array* entries = list.as_array();
  if (entries == nullptr) return invalid(concat("managedFields must be a list, found ", to_string(list.type())));
  ManagedFields managed;
  for (const Value& value : *entries) {
    MARGAY_ASSIGN_OR_RETURN(auto entry, parse_managed_entry(value));
    managed.insert(std::move(entry));
  }
  return managed;
}

Value to_value(const ManagedFields& managed) {
  std::vector<Item> items;
  for (const auto& item : managed) {
    if (!item.second.fields.empty()) items.push_back(&item);
  }
  std::sort(items.begin(), items.end(), comes_before);
  json::Array out;
  for (const Item item : items) out.push_back(entry_value(item->first, item->second));
  return out;
}

void cap_update_managers(ManagedFields& managed) {
  const std::vector<ManagerId> oldest_first = updaters_by_age(managed);
  std::size_t count = oldest_first.size();
  std::map<std::string, ManagerId> first_of_version;  // stays what it is while it is alone
  for (const ManagerId& id : oldest_first) {
    if (count <= kUpdateManagersMax) return;
    const auto [first, is_first] = first_of_version.emplace(id.api_version, id);
    const ManagerId bucket{std::string(kAncientChanges), Operation::kUpdate, id.api_version, ""};
    if (is_first || id == bucket) continue;
    if (!managed.contains(bucket)) {
      auto node = managed.extract(first->second);
      node.key() = bucket;
      managed.insert(std::move(node));
    }
    const ManagedEntry younger = std::move(managed.extract(id).mapped());
    ManagedEntry& joined = managed.at(bucket);
    joined.fields = union_of(joined.fields, younger.fields);
    joined.time = younger.time;
    --count;
  }
}

void drop_untracked(FieldSet& fields) {
  const std::string metadata = member_element("metadata");
  fields.erase(std::vector{member_element("apiVersion")}, FieldSet::Below::kGoes);
  fields.erase(std::vector{member_element("kind")}, FieldSet::Below::kGoes);
  for (const std::string_view name : kServersOwn)
    fields.erase(std::vector{metadata, member_element(name)}, FieldSet::Below::kGoes);
  fields.erase(std::vector{metadata}, FieldSet::Below::kStays);
}

}  // namespace margay::patch
