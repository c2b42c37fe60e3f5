#include "datastore/patch/apply.h"

#include "base/core/text.h"
#include "datastore/patch/managed_fields.h"
#include "datastore/patch/object_fields.h"

namespace margay::patch {
namespace {

using json::Object;
using json::Value;

constexpr std::string_view kBeforeFirstApply = "before-first-apply";

const Value* managed_fields_of(const Value& object) { return object.find({"metadata", "managedFields"}); }

Value without_managed_fields(Value object) {
  if (Value* metadata = object.find("metadata"); metadata != nullptr && metadata->as_object() != nullptr)
    metadata->as_object()->erase("managedFields");
  return object;
}

Value with_managed_fields(Value object, const ManagedFields& managed) {
  object = without_managed_fields(std::move(object));
  Value list = to_value(managed);
  if (list.as_array()->empty()) return object;
  Value& metadata = object["metadata"];
  if (metadata.is_null() || metadata.as_object() != nullptr) metadata["managedFields"] = std::move(list);
  return object;
}

// What cannot be read counts as nothing.
ManagedFields managed_by(const Value& object) {
  const Value* list = managed_fields_of(object);
  return list == nullptr ? ManagedFields{} : parse_managed_fields(*list).value_or({});
}

// One empty entry says: forget who owned what.
bool is_reset(const Value* list) {
  const json::Array* entries = list == nullptr ? nullptr : list->as_array();
  return entries != nullptr && entries->size() == 1 && entries->front() == Value(Object{});
}

FieldSet tracked(FieldSet fields) {
  drop_untracked(fields);
  return fields;
}

// Of an object that nobody tracked, when it is applied for the first time: all there is was there before.
ManagedFields owned_before(const Value& live, const ApplyOptions& options, const ListTypes& types) {
  const std::string version(live.string_at({"apiVersion"}));
  const FieldSet all = tracked(compare_fields(Object{}, live, types).added);
  ManagedFields managed;
  if (!all.empty())
    managed[{std::string(kBeforeFirstApply), Operation::kUpdate, version, ""}] = {version, options.time, all};
  return managed;
}

// Removes what this manager owned, does not apply any more, and nobody else owns.
Value pruned(const Value& merged, const FieldSet& last, const ManagedFields& managed, const ListTypes& types) {
  if (last.empty()) return merged;
  const FieldSet mine = last.with_parents();
  FieldSet owned;
  for (const auto& [id, entry] : managed) owned = union_of(owned, entry.fields);
  const FieldSet all = fields_of(merged, types).with_parents();
  const FieldSet rest = fields_of(remove_fields(merged, mine, types), types).with_parents();
  // Removing an object takes everything in it: what others own in it is put back …
  const FieldSet wanted = union_of(rest, owned.with_parents());
  const Value without_unowned = remove_fields(merged, difference_of(all, wanted), types);
  // … and what nobody owns, if its parents are still there.
  const FieldSet left = fields_of(without_unowned, types).with_parents();
  return remove_fields(merged, intersection_of(difference_of(all, left), mine), types);
}

std::vector<ApplyConflict> conflicts_with(const FieldSet& touched, const ManagedFields& managed,
                                          const ManagerId& self) {
  std::vector<ApplyConflict> conflicts;
  for (const auto& [id, entry] : managed) {
    if (id == self) continue;
    for (std::string& field : intersection_of(entry.fields, touched).paths())
      conflicts.push_back({"conflict with " + to_string(id), std::move(field)});
  }
  return conflicts;
}

// A single conflict on one line, several grouped by manager; conflicts of one manager stand together.
std::string conflict_message(const std::vector<ApplyConflict>& conflicts) {
  if (conflicts.size() == 1)
    return concat("Apply failed with 1 conflict: ", conflicts.front().message, ": ", conflicts.front().field);
  std::string out = concat("Apply failed with ", conflicts.size(), " conflicts: ");
  const std::string* manager = nullptr;
  for (const ApplyConflict& conflict : conflicts) {
    if (manager == nullptr || *manager != conflict.message) {
      out.append(manager == nullptr ? "" : "\n").append("conflicts");
      out.append(conflict.message.substr(std::string_view("conflict").size())).append(":");
      manager = &conflict.message;
    }
    out.append("\n- ").append(conflict.field);
  }
  return out;
}

void take_from_all(ManagedFields& managed, const FieldSet& fields) {
  for (auto& [id, entry] : managed) entry.fields = difference_of(entry.fields, fields);
}

// Every object has metadata, ours for managedFields at least: null there says nothing.
Value without_null_metadata(const Value& config) {
  Value out = config;
  const Value* const metadata = out.as_object()->find("metadata");
  if (metadata != nullptr && metadata->is_null()) out.as_object()->erase("metadata");
  return out;
}

}  // namespace

Result<Value, ApplyFailure> apply_configuration(const Value& live, const Value& given, const ApplyOptions& options,
                                                const ListTypes& types) {
  if (given.as_object() == nullptr) return ApplyFailure{"the configuration must be an object", {}};
  const Value config = without_null_metadata(given);
  if (managed_fields_of(config) != nullptr) return ApplyFailure{"metadata.managedFields must be nil", {}};
  if (const Status lists = check_lists(config, types); !lists.ok()) return ApplyFailure{lists.error().message, {}};

  ManagedFields managed = managed_by(live);
  const Value before = live.is_null() ? Value(Object{}) : without_managed_fields(live);
  if (managed.empty()) managed = owned_before(before, options, types);
  const ManagerId self{options.manager, Operation::kApply, "", options.subresource};
  const std::optional<ManagedEntry> last = managed.contains(self) ? std::optional(managed.at(self)) : std::nullopt;
  managed[self] = {std::string(config.string_at({"apiVersion"})), options.time, fields_of(config, types)};

  const Value merged = merge_fields(before, config, types);
  Value after = last ? pruned(merged, last->fields, managed, types) : merged;
  const Comparison change = compare_fields(before, after, types);
  const FieldSet touched = union_of(change.added, change.modified);
  std::vector<ApplyConflict> conflicts = conflicts_with(touched, managed, self);
  if (!conflicts.empty() && options.on_conflict == OnConflict::kFail)
    return ApplyFailure{conflict_message(conflicts), std::move(conflicts)};

  ManagedEntry mine = std::move(managed.extract(self).mapped());
  drop_untracked(mine.fields);
  take_from_all(managed, union_of(touched, change.removed));
  const bool is_repeated =
      last && change.is_same() && last->fields == mine.fields && last->api_version == mine.api_version;
  if (is_repeated) mine.time = last->time;
  managed[self] = std::move(mine);
  return with_managed_fields(std::move(after), managed);
}

Value update_managed_fields(const Value& before, Value after, const UpdateOptions& options, const ListTypes& types) {
  if (after.as_object() == nullptr) return after;
  const bool is_new = before.is_null();
  ManagedFields managed = managed_by(after);
  if (managed.empty() && !is_reset(managed_fields_of(after))) managed = managed_by(before);
  after = without_managed_fields(std::move(after));
  if (managed.empty() && !is_new) return after;

  const Value old = is_new ? Value(Object{}) : without_managed_fields(before);
  const Comparison change = compare_fields(old, after, types);
  const FieldSet touched = tracked(union_of(change.added, change.modified));
  take_from_all(managed, union_of(touched, change.removed));
  if (!touched.empty()) {
    const std::string version(after.string_at({"apiVersion"}));
    ManagedEntry& mine = managed[{options.manager, Operation::kUpdate, version, options.subresource}];
    mine = {version, options.time, union_of(mine.fields, touched)};
  }
  std::erase_if(managed, [](const auto& item) { return item.second.fields.empty(); });
  cap_update_managers(managed);
  return with_managed_fields(std::move(after), managed);
}

}  // namespace margay::patch
