// What the selectors of a policy or rule mean once namespaces and service accounts are written into them: one selector
// over the labels that endpoints and network sets have or inherit.
//
// Source: reference of NetworkPolicy and GlobalNetworkPolicy of projectcalico.org/v3, "EntityRule". The order of terms
// is Calico's, so that both products give one set one name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/core/field_error.h"
#include "datastore/model/policy.h"
#include "datastore/model/rule.h"
#include "datastore/selector/selector.h"

namespace margay::policy {

// Texts that canonical() made of several selectors are longer and deeper than what a user may write in one field.
inline constexpr selector::ParseLimits kJoinedLimits{.bytes_max = 1 << 20, .depth_max = 512};

selector::Selector all_of(const selector::Selector& first, const selector::Selector& second);
selector::Selector not_of(const selector::Selector& inner);

// The endpoints that one end of a rule picks, and those it must not be. In a policy of a namespace any of the selector
// fields limits the rule to that namespace, unless namespaceSelector says where to look; nets are not limited.
struct EndSelectors {
  std::optional<selector::Selector> wanted;    // nullopt: says nothing
  std::optional<selector::Selector> unwanted;  // only without `wanted`, which else includes its negation
};
// `name_space` is the policy's, "" for a global one or a profile. Errors name the field below `path`.
EndSelectors selectors_of(const model::EntityRule& end, std::string_view name_space, const std::string& path,
                          FieldErrors& errors);

// Whether a rule's selector is about nodes: projectcalico.org/kind == 'Node' is one of the terms that must all hold. Of
// endpoints it picks none then, whatever labels these carry.
bool is_about_nodes(const selector::Selector& selector);

// The endpoints a policy is for.
selector::Selector selector_of(const model::PolicySpec& spec, std::string_view name_space, FieldErrors& errors);

}  // namespace margay::policy
