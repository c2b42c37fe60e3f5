#include "agent/render/names.h"

#include <algorithm>

#include "base/core/base64.h"
#include "base/core/text.h"
#include "base/digest/digest.h"
#include "dataplane/ipset/ip_set.h"
#include "dataplane/iptables/rule.h"

namespace margay::render {
namespace {

constexpr std::size_t kInterfaceNameMax = 16;  // IFNAMSIZ: the final zero included

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-' || c == ':';
}

bool is_plain_text(std::string_view text) { return std::all_of(text.begin(), text.end(), is_plain); }

// 6 bits a character, of an alphabet that both tools take as it is.
std::string digest_text(std::string_view text, std::size_t size) {
  const auto bytes = digest::sha256(text);
  return base64_encode(std::string(bytes.begin(), bytes.end()), Base64Alphabet::kUrl).substr(0, size);
}

// No name that is taken as it is has "_" in the place of the mark: who makes such a one gets a digest as well.
std::string shortened(std::string head, std::string_view id, std::size_t size_max) {
  if (head.size() + id.size() <= size_max && is_plain_text(id) && !id.starts_with('_')) return head.append(id);
  head.push_back('_');
  const std::size_t rest = size_max - head.size();
  return head.append(digest_text(id, rest));
}

// Kubernetes has a kind of the same name as one of ours.
std::string identity(const model::ObjectKey& object) {
  return concat(model::info(object.kind).api_version, '/', object.to_string());
}

std::string_view letter(Direction direction) { return direction == Direction::kIngress ? "i" : "o"; }

}  // namespace

std::string chain_name(std::string_view prefix, std::string_view id) {
  return shortened(concat("margay-", prefix, '-'), id, iptables::kChainNameMax - 1);
}

std::string policy_chain(Direction direction, const model::ObjectKey& policy) {
  const std::string head = concat("margay-p", letter(direction), "-_");
  return head + digest_text(identity(policy), iptables::kChainNameMax - 1 - head.size());
}

std::string profile_chain(Direction direction, std::string_view profile) {
  return chain_name(concat("pr", letter(direction)), profile);
}

std::string group_chain(Direction direction, const std::vector<model::ObjectKey>& policies) {
  std::string all;
  for (const model::ObjectKey& policy : policies) all += concat(identity(policy), '\n');
  const std::string head = concat("margay-g", letter(direction), "-_");
  return head + digest_text(all, iptables::kChainNameMax - 1 - head.size());
}

std::string set_name(IpFamily family, std::string_view id) {
  return shortened(concat("margay", family == IpFamily::kV4 ? '4' : '6'), id, ipset::kSetNameMax - 1);
}

std::string readable(const model::ObjectKey& object) {
  const std::string_view kind = model::info(object.kind).name;
  if (object.name_space.empty()) return concat(kind, ' ', object.name);
  return concat(kind, ' ', object.name_space, '/', object.name);
}

bool is_interface_name(std::string_view name) {
  return !name.empty() && name.size() < kInterfaceNameMax && name != "." && name != ".." && !name.starts_with('-') &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_plain(c) || c == '@'; });
}

}  // namespace margay::render
