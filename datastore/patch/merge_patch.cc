#include "datastore/patch/merge_patch.h"

#include <vector>

#include "datastore/patch/member_index.h"

namespace margay::patch {
namespace {

using json::Member;
using json::Object;
using json::Value;

// RFC 7396 §2, one level, without looking up each member in turn.
Object merge_members(Object target, const Object& changes) {
  const MemberIndex index(changes);
  std::vector<bool> is_done(changes.size(), false);
  Object merged;
  for (Member& member : target) {
    const auto position = index.find(member.name);
    if (!position) {
      merged.append_new(std::move(member.name), std::move(member.value));
      continue;
    }
    is_done[*position] = true;
    const Value& change = *index.value(member.name);
    if (!change.is_null()) merged.append_new(std::move(member.name), merge_patch(std::move(member.value), change));
  }
  std::size_t position = 0;
  for (const Member& change : changes) {
    if (!is_done[position++] && !change.value.is_null()) merged.append_new(change.name, merge_patch({}, change.value));
  }
  return merged;
}

// The patch for a member that both have; nothing when they are equal.
void append_change(Object& patch, const std::string& name, const Value& before, const Value& after) {
  if (before.as_object() == nullptr || after.as_object() == nullptr) {
    if (!(before == after)) patch.append_new(name, after);
    return;
  }
  Value change = make_merge_patch(before, after);
  if (!change.as_object()->empty()) patch.append_new(name, std::move(change));
}

// `changes` without the removals that are not in `removals` too. A member of `changes` that is null stays only if it is
// null there.
Object without_other_removals(const Object& changes, const Object* removals) {
  Object kept;
  for (const Member& member : changes) {
    const Value* removal = removals == nullptr ? nullptr : removals->find(member.name);
    if (const Object* deeper = member.value.as_object()) {
      Object inner = without_other_removals(*deeper, removal == nullptr ? nullptr : removal->as_object());
      if (!inner.empty() || deeper->empty()) kept.append_new(member.name, std::move(inner));
    } else if (!member.value.is_null() || (removal != nullptr && removal->is_null())) {
      kept.append_new(member.name, member.value);
    }
  }
  return kept;
}

}  // namespace

Value merge_patch(Value target, const Value& patch) {
  const Object* changes = patch.as_object();
  if (changes == nullptr) return patch;
  Object* members = target.as_object();
  return merge_members(members == nullptr ? Object{} : std::move(*members), *changes);
}

Value make_merge_patch(const Value& before, const Value& after) {
  const Object* old_members = before.as_object();
  const Object* new_members = after.as_object();
  if (old_members == nullptr || new_members == nullptr) return after;
  const MemberIndex old_index(*old_members);
  const MemberIndex new_index(*new_members);
  Object patch;
  for (const Member& member : *old_members) {
    const Value* now = new_index.value(member.name);
    if (now == nullptr) {
      patch.append_new(member.name, nullptr);
    } else {
      append_change(patch, member.name, member.value, *now);
    }
  }
  for (const Member& member : *new_members) {
    if (!old_index.contains(member.name)) patch.append_new(member.name, member.value);
  }
  return patch;
}

Value make_three_way_merge_patch(const Value& original, const Value& modified, const Value& current) {
  Value changes = make_merge_patch(current, modified);
  const Value removals = make_merge_patch(original, modified);
  if (changes.as_object() == nullptr) return changes;
  return without_other_removals(*changes.as_object(), removals.as_object());
}

}  // namespace margay::patch
