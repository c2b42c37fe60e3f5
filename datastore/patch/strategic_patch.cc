#include "datastore/patch/strategic_patch.h"

#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/core/field_error.h"
#include "base/core/text.h"
#include "datastore/patch/kubernetes_lists.h"
#include "datastore/patch/strategic_changes.h"
#include "datastore/patch/strategic_order.h"

namespace margay::patch {
namespace {

using json::Array;
using json::Member;
using json::Object;
using json::Value;

class Merger {
 public:
  Result<Object> merge(Object target, const Object& patch) {
    Result<Changes> read = read_changes(patch);
    if (!read.ok()) return located(read.error());
    const Changes& changes = *read;
    switch (changes.directive) {
      case Directive::kDelete: return Object{};
      case Directive::kReplace: target = {}; break;
      case Directive::kMerge: break;
    }
    MARGAY_RETURN_IF_ERROR(retain(target, changes));
    return merge_members(std::move(target), changes);
  }

 private:
  [[nodiscard]] Error error(std::string message) const {
    std::string place;
    for (const std::string_view name : path_) append_member_path(place, name);
    return invalid(place.empty() ? std::move(message) : concat(place, ": ", message));
  }

  [[nodiscard]] Error located(const Error& cause) const { return error(cause.message); }

  // A patch that sets what it does not retain contradicts itself.
  Status retain(Object& target, const Changes& changes) const {
    if (changes.retained == nullptr) return ok_status();
    std::unordered_set<std::string_view> names;
    for (const Value& name : *changes.retained) {
      if (name.as_string() == nullptr) return error("$retainKeys must be a list of strings");
      names.insert(*name.as_string());
    }
    for (const Change& change : changes.members) {
      if (change.value != nullptr && !change.value->is_null() && !names.contains(change.name))
        return error(concat("the patch sets ", quoted(change.name), ", which is not in $retainKeys"));
    }
    Object kept;
    for (Member& member : target) {
      if (names.contains(member.name)) kept.append_new(std::move(member.name), std::move(member.value));
    }
    target = std::move(kept);
    return ok_status();
  }

  Result<Object> merge_members(Object target, const Changes& changes) {
    std::vector<bool> is_done(changes.members.size(), false);
    Object merged;
    for (Member& member : target) {
      const auto place = changes.places.find(member.name);
      if (place == changes.places.end()) {
        merged.append_new(std::move(member.name), std::move(member.value));
        continue;
      }
      is_done[place->second] = true;
      MARGAY_RETURN_IF_ERROR(change_member(merged, std::move(member.value), changes.members[place->second]));
    }
    for (std::size_t i = 0; i < is_done.size(); ++i) {
      if (!is_done[i]) MARGAY_RETURN_IF_ERROR(change_member(merged, std::nullopt, changes.members[i]));
    }
    return merged;
  }

  // Appends to `merged` what becomes of one member, if anything does.
  Status change_member(Object& merged, std::optional<Value> current, const Change& change) {
    path_.push_back(change.name);
    Result<std::optional<Value>> outcome = changed(std::move(current), change);
    path_.pop_back();
    if (!outcome.ok()) return std::move(outcome).error();
    if (outcome->has_value()) merged.append_new(std::string(change.name), std::move(**outcome));
    return ok_status();
  }

  Result<std::optional<Value>> changed(std::optional<Value> current, const Change& change) {
    MARGAY_RETURN_IF_ERROR(check_list_directives(current, change));
    Array* list = current ? current->as_array() : nullptr;
    if (list != nullptr && change.deletions != nullptr) remove_scalars(*list, *change.deletions);
    if (change.value == nullptr) {
      if (list != nullptr && change.order != nullptr) reorder(*list, *change.order);
      return current;
    }
    if (change.value->is_null()) return std::optional<Value>();
    if (const Array* patch = change.value->as_array(); patch != nullptr && list != nullptr) {
      MARGAY_ASSIGN_OR_RETURN(Array merged, merge_lists(std::move(*list), *patch, change.order));
      return std::optional<Value>(std::move(merged));
    }
    Object* object = current ? current->as_object() : nullptr;
    if (const Object* patch = change.value->as_object(); patch != nullptr && object != nullptr) {
      MARGAY_ASSIGN_OR_RETURN(Object merged, merge(std::move(*object), *patch));
      return std::optional<Value>(std::move(merged));
    }
    return without_directives(*change.value);
  }

  Status check_list_directives(const std::optional<Value>& current, const Change& change) const {
    if (change.order == nullptr && change.deletions == nullptr) return ok_status();
    if (current && !current->is_null() && current->as_array() == nullptr)
      return error(concat("a list directive for what is ", to_string(current->type())));
    if (change.value == nullptr || change.order == nullptr || change.value->is_null()) return ok_status();
    const Array* patch = change.value->as_array();
    if (patch == nullptr) return error(concat("$setElementOrder for what is ", to_string(change.value->type())));
    const auto key = strategic_merge_key(path_);
    if (!key || is_subsequence(named_elements(*patch, *key), element_identities(*change.order, *key)))
      return ok_status();
    return error("the order of the elements in the patch does not match $setElementOrder");
  }

  // The elements that stay: those to be deleted have no place in an order.
  static std::vector<std::string> named_elements(const Array& patch, std::string_view key) {
    std::vector<std::string> identities;
    for (const Value& element : patch) {
      if (element.find("$patch") == nullptr) identities.push_back(element_identity(element, key));
    }
    return identities;
  }

  static void remove_scalars(Array& list, const Array& deletions) {
    std::unordered_set<std::string> gone;
    for (const Value& value : deletions) gone.insert(json::dump(value));
    std::erase_if(list, [&](const Value& element) { return gone.contains(json::dump(element)); });
  }

  void reorder(Array& list, const Array& order) const {
    const auto key = strategic_merge_key(path_);
    if (!key) return;
    const std::vector<std::string> before = element_identities(list, *key);
    list = in_patched_order(std::move(list), *key, {element_identities(order, *key), before});
  }

  Result<Array> merge_lists(Array list, const Array& patch, const Array* order) {
    const auto key = strategic_merge_key(path_);
    if (!key) return without_directives(patch);
    const std::vector<std::string> before = element_identities(list, *key);
    MARGAY_ASSIGN_OR_RETURN(Array merged,
                            key->empty() ? merge_scalars(list, patch) : merge_objects(std::move(list), patch, *key));
    return in_patched_order(
        std::move(merged), *key,
        {order == nullptr ? named_elements(patch, *key) : element_identities(*order, *key), before});
  }

  Result<Array> merge_scalars(const Array& list, const Array& patch) const {
    std::unordered_set<std::string> seen;
    Array merged;
    for (const Array* source : {&list, &patch}) {
      for (const Value& element : *source) {
        if (element.as_object() != nullptr || element.as_array() != nullptr)
          return error(concat("a list of scalars has an element that is ", to_string(element.type())));
        if (seen.insert(json::dump(element)).second) merged.push_back(element);
      }
    }
    return merged;
  }

  Result<Array> merge_objects(Array list, const Array& patch, std::string_view key) {
    bool replaces = false;
    std::unordered_set<std::string> deleted;
    std::vector<const Object*> elements;
    for (const Value& element : patch) {
      if (element.as_object() == nullptr)
        return error(concat("a list of objects has an element that is ", to_string(element.type())));
      const Result<Directive> directive = element_directive(element);
      if (!directive.ok()) return located(directive.error());
      replaces = replaces || *directive == Directive::kReplace;
      if (*directive == Directive::kReplace || is_only_directive(element)) continue;
      if (element.find(key) == nullptr)
        return error(concat("an element does not contain the declared merge key ", quoted(key)));
      if (*directive == Directive::kDelete) {
        deleted.insert(element_identity(element, key));
      } else {
        elements.push_back(element.as_object());
      }
    }
    if (replaces) list.clear();
    std::erase_if(list, [&](const Value& e) { return deleted.contains(element_identity(e, key)); });
    return merge_elements(std::move(list), elements, key);
  }

  Result<Array> merge_elements(Array list, const std::vector<const Object*>& patch, std::string_view key) {
    std::unordered_map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < list.size(); ++i) places.emplace(element_identity(list[i], key), i);
    for (const Object* element : patch) {
      const auto [place, is_new] = places.emplace(json::dump(*element->find(key)), list.size());
      if (is_new) {
        list.push_back(Object{});
      } else if (list[place->second].as_object() == nullptr) {
        return error(concat("a list of objects has an element that is ", to_string(list[place->second].type())));
      }
      Object& target = *list[place->second].as_object();
      MARGAY_ASSIGN_OR_RETURN(target, merge(std::move(target), *element));
    }
    return list;
  }

  // Into the patch, whose names outlive this.
  std::vector<std::string_view> path_;
};

}  // namespace

Result<Value> strategic_merge_patch(Value document, const Value& patch) {
  Object* target = document.as_object();
  const Object* changes = patch.as_object();
  if (changes == nullptr)
    return invalid(concat("a strategic merge patch is an object, found ", to_string(patch.type())));
  if (target == nullptr) return invalid(concat("only objects can be patched, found ", to_string(document.type())));
  MARGAY_ASSIGN_OR_RETURN(Object merged, Merger().merge(std::move(*target), *changes));
  return Value(std::move(merged));
}

}  // namespace margay::patch
