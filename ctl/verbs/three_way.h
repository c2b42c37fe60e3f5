// What `apply` sends: the live object with what the file says now, without what the file said last time and says no
// more.
//
// The last applied form is kept in an annotation of the object, byte for byte as kubectl writes it, so that kubectl and
// netctl can take turns on an object.
//
// Source: Kubernetes documentation, "Declarative Management of Kubernetes Objects Using Configuration Files".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json/value.h"

namespace margay::verbs {

constexpr std::string_view kLastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";

// The members of every object in order of their names, as some servers keep them.
json::Value in_order(const json::Value& value);

// The text for the annotation: members in order of names, "<", ">" and "&" escaped, a newline at the end.
std::string last_applied_text(const json::Value& object);

// `object` with the annotation that says so.
json::Value with_last_applied(json::Value object);

// What the live object's annotation says; nullopt when there is none, or none that can be read.
std::optional<json::Value> last_applied_of(const json::Value& live);

// Lists and scalars are replaced, objects merged; members that `last` has and `wanted` lacks are removed; a null in
// `wanted` removes too.
json::Value three_way_merge(const json::Value* last, const json::Value& wanted, const json::Value& live);

// The object to send in place of `live`; equal to `live` when there is nothing to do.
json::Value applied_to(const json::Value& live, const json::Value& wanted);

}  // namespace margay::verbs
