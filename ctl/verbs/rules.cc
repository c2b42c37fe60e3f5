#include "ctl/verbs/rules.h"

namespace margay::verbs {

std::optional<std::string> advice_on_old_form(const json::Value&) { return std::nullopt; }

FieldErrors normalise(const schema::ResourceInfo&, json::Value&) { return {}; }

FieldErrors check_rules(const schema::ResourceInfo&, const json::Value&) { return {}; }

}  // namespace margay::verbs
