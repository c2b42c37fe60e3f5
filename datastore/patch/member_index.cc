#include "datastore/patch/member_index.h"

namespace margay::patch {
namespace {

constexpr std::size_t kSmall = 16;

}  // namespace

MemberIndex::MemberIndex(const json::Object& object) : object_(object) {
  if (object.size() <= kSmall) return;
  positions_.reserve(object.size());
  for (const json::Member& member : object) positions_.emplace(member.name, positions_.size());
}

std::optional<std::size_t> MemberIndex::find(std::string_view name) const {
  if (!positions_.empty()) {
    const auto found = positions_.find(name);
    return found == positions_.end() ? std::nullopt : std::optional(found->second);
  }
  std::size_t position = 0;
  for (const json::Member& member : object_) {
    if (member.name == name) return position;
    ++position;
  }
  return std::nullopt;
}

const json::Value* MemberIndex::value(std::string_view name) const {
  const auto position = find(name);
  return position ? &(object_.begin() + static_cast<std::ptrdiff_t>(*position))->value : nullptr;
}

}  // namespace margay::patch
