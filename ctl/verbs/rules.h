// What is asked of an object beside its schema: the rules between fields, and what became of forms of the past.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/core/field_error.h"
#include "base/json/value.h"
#include "datastore/schema/registry.h"

namespace margay::verbs {

// How to write today what this object says in a form that no longer exists; nullopt for today's forms.
std::optional<FieldErrors> advice_on_old_form(const json::Value& object);

// Puts right what cannot be misunderstood (a CIDR with host bits); each change as an error that need not stop anybody.
FieldErrors normalise(const schema::ResourceInfo& resource, json::Value& object);

// Every rule that the object breaks.
FieldErrors check_rules(const schema::ResourceInfo& resource, const json::Value& object);

// As check_rules(); when there are none, what the schema says.
FieldErrors problems_of(const schema::Registry& registry, const schema::ResourceInfo& resource,
                        const json::Value& object);

// What an update may not change. Older servers know no such rules, so netctl looks too.
FieldErrors check_change(const schema::Registry& registry, const schema::ResourceInfo& resource,
                         const json::Value& before, const json::Value& after);

}  // namespace margay::verbs
