#include "bgp/wire/attributes.h"
#include "bgp/wire/big_endian.h"
#include "bgp/wire/canonical.h"

namespace margay::bgp {
namespace {

using wire::front_of;
using wire::load32;
using wire::load64;

constexpr std::size_t kLargeSize = 12;

LargeCommunity large_at(const std::uint8_t* at) { return {load32(at), load32(at + 4), load32(at + 8)}; }

std::optional<std::uint32_t> number_in(const std::optional<bytes::View>& value) {
  if (!value || value->size() != 4) return std::nullopt;
  return load32(value->data());
}

// Whether one of the 4-byte elements is `wanted`.
bool contains(const std::optional<bytes::View>& value, std::uint32_t wanted) {
  for (std::size_t at = 0; value && at + 4 <= value->size(); at += 4) {
    if (load32(value->data() + at) == wanted) return true;
  }
  return false;
}

}  // namespace

std::optional<bytes::View> AttributeView::find(AttributeType type) const {
  const auto wanted = static_cast<std::uint8_t>(type);
  bytes::View rest = bytes_;
  for (auto front = front_of(rest); front && front->type <= wanted; front = front_of(rest)) {
    if (front->type == wanted) return front->value;
    rest = rest.subspan(front->whole.size());
  }
  return std::nullopt;
}

Origin AttributeView::origin() const {
  const auto value = find(AttributeType::kOrigin);
  return value && value->size() == 1 && value->front() <= 2 ? static_cast<Origin>(value->front()) : Origin::kIncomplete;
}

AsPathView AttributeView::as_path() const { return AsPathView(find(AttributeType::kAsPath).value_or(bytes::View{})); }

std::optional<std::uint32_t> AttributeView::med() const { return number_in(find(AttributeType::kMultiExitDisc)); }

std::optional<std::uint32_t> AttributeView::local_pref() const { return number_in(find(AttributeType::kLocalPref)); }

std::optional<RouterId> AttributeView::originator_id() const {
  const auto number = number_in(find(AttributeType::kOriginatorId));
  return number ? std::optional(RouterId(*number)) : std::nullopt;
}

std::size_t AttributeView::cluster_list_length() const {
  const auto value = find(AttributeType::kClusterList);
  return value ? value->size() / 4 : 0;
}

bool AttributeView::cluster_list_contains(RouterId cluster) const {
  return contains(find(AttributeType::kClusterList), cluster.value());
}

bool AttributeView::has_community(std::uint32_t community) const {
  return contains(find(AttributeType::kCommunities), community);
}

bool AttributeView::has_community(const LargeCommunity& community) const {
  const auto value = find(AttributeType::kLargeCommunities);
  for (std::size_t at = 0; value && at + kLargeSize <= value->size(); at += kLargeSize) {
    if (large_at(value->data() + at) == community) return true;
  }
  return false;
}

std::vector<std::uint32_t> AttributeView::communities() const {
  const auto value = find(AttributeType::kCommunities);
  std::vector<std::uint32_t> all;
  for (std::size_t at = 0; value && at + 4 <= value->size(); at += 4) all.push_back(load32(value->data() + at));
  return all;
}

std::vector<LargeCommunity> AttributeView::large_communities() const {
  const auto value = find(AttributeType::kLargeCommunities);
  std::vector<LargeCommunity> all;
  for (std::size_t at = 0; value && at + kLargeSize <= value->size(); at += kLargeSize) {
    all.push_back(large_at(value->data() + at));
  }
  return all;
}

std::vector<std::uint64_t> AttributeView::extended_communities() const {
  const auto value = find(AttributeType::kExtendedCommunities);
  std::vector<std::uint64_t> all;
  for (std::size_t at = 0; value && at + 8 <= value->size(); at += 8) all.push_back(load64(value->data() + at));
  return all;
}

}  // namespace margay::bgp
