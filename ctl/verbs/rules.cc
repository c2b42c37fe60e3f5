#include "ctl/verbs/rules.h"

#include "base/core/text.h"
#include "base/ip/prefix.h"
#include "datastore/codec/legacy.h"
#include "datastore/codec/validate.h"
#include "datastore/model/key.h"

namespace margay::verbs {
namespace {

// "10.11.0.0/16" for "10.11.12.0/16"; nullopt for what has no host bits, and what is no CIDR at all.
std::optional<std::string> masked(std::string_view text) {
  const auto prefix = IpPrefix::parse_containing(text);
  if (!prefix.ok() || IpPrefix::parse(text).ok()) return std::nullopt;
  return prefix->to_string();
}

}  // namespace

std::optional<FieldErrors> advice_on_old_form(const json::Value& object) { return codec::explain_legacy(object); }

FieldErrors normalise(const schema::ResourceInfo& resource, json::Value& object) {
  if (resource.kind != "IPPool" || resource.group != "projectcalico.org") return {};
  json::Value* cidr = object.find({"spec", "cidr"});
  std::string* text = cidr == nullptr ? nullptr : cidr->as_string();
  const auto prefix = text == nullptr ? std::nullopt : masked(*text);
  if (!prefix) return {};
  FieldErrors changes{
      {FieldError::Kind::kInvalid, "spec.cidr", concat(quoted(*text), " has host bits: it is taken as ", *prefix)}};
  *text = *prefix;
  return changes;
}

FieldErrors check_rules(const schema::ResourceInfo& resource, const json::Value& object) {
  const auto kind = model::find_kind(resource.api_version(), resource.kind);
  return kind ? codec::check(*kind, object) : FieldErrors();
}

FieldErrors problems_of(const schema::Registry& registry, const schema::ResourceInfo& resource,
                        const json::Value& object) {
  const FieldErrors problems = check_rules(resource, object);
  return problems.empty() ? registry.schema(resource).validate(object) : problems;
}

FieldErrors check_change(const schema::Registry& registry, const schema::ResourceInfo& resource,
                         const json::Value& before, const json::Value& after) {
  return registry.schema(resource).validate_change(before, after);
}

}  // namespace margay::verbs
