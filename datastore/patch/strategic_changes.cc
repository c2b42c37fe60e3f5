#include "datastore/patch/strategic_changes.h"

#include "base/core/text.h"

namespace margay::patch {
namespace {

using json::Array;
using json::Member;
using json::Object;
using json::Value;

constexpr std::string_view kPatch = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kSetElementOrder = "$setElementOrder/";
constexpr std::string_view kDeleteFromList = "$deleteFromPrimitiveList/";

bool is_directive(std::string_view name) {
  return name == kPatch || name == kRetainKeys || name.starts_with(kSetElementOrder) ||
         name.starts_with(kDeleteFromList);
}

Result<Directive> parse_directive(const Value& value) {
  if (value == Value("merge")) return Directive::kMerge;
  if (value == Value("replace")) return Directive::kReplace;
  if (value == Value("delete")) return Directive::kDelete;
  return invalid(concat("unknown $patch ", json::dump(value), ": it must be replace, delete or merge"));
}

Result<const Array*> list_of(const Member& member) {
  const Array* list = member.value.as_array();
  if (list == nullptr) return invalid(concat(member.name, " must be a list, found ", to_string(member.value.type())));
  return list;
}

}  // namespace

Change& Changes::of(std::string_view name) {
  const auto [place, is_new] = places.emplace(name, members.size());
  if (is_new) members.push_back({name});
  return members[place->second];
}

Result<Changes> read_changes(const Object& patch) {
  Changes changes;
  for (const Member& member : patch) {
    const std::string_view name = member.name;
    if (name == kPatch) {
      MARGAY_ASSIGN_OR_RETURN(changes.directive, parse_directive(member.value));
    } else if (name == kRetainKeys) {
      MARGAY_ASSIGN_OR_RETURN(changes.retained, list_of(member));
    } else if (name.starts_with(kSetElementOrder)) {
      MARGAY_ASSIGN_OR_RETURN(changes.of(name.substr(kSetElementOrder.size())).order, list_of(member));
    } else if (name.starts_with(kDeleteFromList)) {
      MARGAY_ASSIGN_OR_RETURN(changes.of(name.substr(kDeleteFromList.size())).deletions, list_of(member));
    } else {
      changes.of(name).value = &member.value;
    }
  }
  return changes;
}

Result<Directive> element_directive(const Value& element) {
  const Value* directive = element.find(kPatch);
  return directive == nullptr ? Result<Directive>(Directive::kMerge) : parse_directive(*directive);
}

bool is_only_directive(const Value& element) {
  const Object* object = element.as_object();
  return object != nullptr && object->size() == 1 && object->find(kPatch) != nullptr;
}

Array without_directives(const Array& list) {
  Array out;
  for (const Value& element : list) {
    if (auto cleaned = without_directives(element)) out.push_back(std::move(*cleaned));
  }
  return out;
}

std::optional<Value> without_directives(const Value& value) {
  if (const Array* list = value.as_array()) return without_directives(*list);
  const Object* object = value.as_object();
  if (object == nullptr) return value;
  const Value* directive = object->find(kPatch);
  if (is_only_directive(value) || (directive != nullptr && *directive == Value("delete"))) return std::nullopt;
  Object out;
  for (const Member& member : *object) {
    if (is_directive(member.name) || member.value.is_null()) continue;
    if (auto cleaned = without_directives(member.value)) out.append_new(member.name, std::move(*cleaned));
  }
  return out;
}

}  // namespace margay::patch
