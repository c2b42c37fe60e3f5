#include "datastore/model/programmed_policies.h"

#include "base/core/text.h"

namespace margay::model {
namespace {

constexpr std::size_t kNameMax = 253;
constexpr std::string_view kNetwork = "networkpolicies";
constexpr std::string_view kGlobal = "globalnetworkpolicies";

}  // namespace

std::string report_name(std::string_view node) { return concat("margay-node.", node).substr(0, kNameMax); }

std::uint64_t* ProgrammedPolicies::of(Kind kind) {
  if (kind == Kind::kNetworkPolicy) return &network;
  return kind == Kind::kGlobalNetworkPolicy ? &global : nullptr;
}

const std::uint64_t* ProgrammedPolicies::of(Kind kind) const {
  if (kind == Kind::kNetworkPolicy) return &network;
  return kind == Kind::kGlobalNetworkPolicy ? &global : nullptr;
}

std::string ProgrammedPolicies::to_string() const { return concat(kNetwork, '=', network, ' ', kGlobal, '=', global); }

std::optional<ProgrammedPolicies> ProgrammedPolicies::parse(std::string_view text) {
  ProgrammedPolicies out;
  for (const std::string_view word : split(text, ' ')) {
    if (word.empty()) continue;
    const auto pair = split_once(word, '=');
    const auto version = pair ? parse_number<std::uint64_t>(pair->second) : std::nullopt;
    if (!version) return std::nullopt;
    if (pair->first == kNetwork) out.network = *version;
    if (pair->first == kGlobal) out.global = *version;
  }
  return out;
}

}  // namespace margay::model
