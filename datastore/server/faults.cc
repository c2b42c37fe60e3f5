#include "datastore/server/faults.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/core/text.h"

namespace margay::server {
namespace {

using Action = FaultRule::Action;

struct ActionName {
  Action action;
  std::string_view name;
};
constexpr ActionName kActions[] = {{Action::kDelay, "delay"},
                                   {Action::kDrop, "drop"},
                                   {Action::kStatus, "status"},
                                   {Action::kTruncate, "truncate"},
                                   {Action::kDropWatch, "dropWatch"}};

std::optional<std::int64_t> integer(const json::Value& rule, std::string_view name) {
  const json::Value* value = rule.find(name);
  return value != nullptr && value->as_integer() != nullptr ? std::optional(*value->as_integer()) : std::nullopt;
}

Result<Action> action_of(const json::Value& rule) {
  for (const ActionName& known : kActions)
    if (rule.string_at({"action"}) == known.name) return known.action;
  return invalid(
      concat("action ", quoted(rule.string_at({"action"})), " is not one of delay, drop, status, truncate, dropWatch"));
}

Status check_members(const json::Value& rule) {
  if (rule.as_object() == nullptr) return invalid("a rule is an object");
  constexpr std::string_view kKnown[] = {
      "verb",    "resource", "namespace",         "name", "count", "probability", "action", "delayMs",
      "afterMs", "status",   "retryAfterSeconds", "bytes"};
  for (const json::Member& member : *rule.as_object())
    if (std::find(std::begin(kKnown), std::end(kKnown), member.name) == std::end(kKnown))
      return invalid(concat("there is no field ", quoted(member.name)));
  return ok_status();
}

Result<FaultRule> parse_rule(const json::Value& rule) {
  MARGAY_RETURN_IF_ERROR(check_members(rule));
  FaultRule out;
  MARGAY_ASSIGN_OR_RETURN(out.action, action_of(rule));
  out.verb = rule.string_at({"verb"});
  out.resource = rule.string_at({"resource"});
  out.name_space = rule.string_at({"namespace"});
  out.name = rule.string_at({"name"});
  out.count = integer(rule, "count");
  if (const json::Value* chance = rule.find("probability"); chance != nullptr)
    out.probability = chance->as_double() != nullptr ? *chance->as_double()
                                                     : static_cast<double>(integer(rule, "probability").value_or(1));
  const std::int64_t delay_ms = integer(rule, "delayMs").value_or(integer(rule, "afterMs").value_or(0));
  out.delay = std::chrono::milliseconds(delay_ms);
  out.status = static_cast<int>(integer(rule, "status").value_or(500));
  if (out.status < 400 || out.status > 599) return invalid(concat("status ", out.status, " is no failure"));
  if (const auto seconds = integer(rule, "retryAfterSeconds")) out.retry_after_seconds = static_cast<int>(*seconds);
  out.bytes = static_cast<std::size_t>(std::max<std::int64_t>(0, integer(rule, "bytes").value_or(0)));
  return out;
}

json::Value rule_value(const FaultRule& rule) {
  json::Object out;
  const auto add = [&](std::string name, std::string_view text) {
    if (!text.empty()) out.append_new(std::move(name), text);
  };
  add("verb", rule.verb);
  add("resource", rule.resource);
  add("namespace", rule.name_space);
  add("name", rule.name);
  if (rule.count) out.append_new("count", *rule.count);
  if (rule.probability < 1) out.append_new("probability", rule.probability);
  for (const ActionName& known : kActions)
    if (known.action == rule.action) add("action", known.name);
  return out;
}

bool fits(const FaultRule& rule, const FaultTarget& target) {
  const auto same = [](std::string_view wanted, std::string_view found) { return wanted.empty() || wanted == found; };
  return rule.count != 0 && same(rule.verb, target.verb) && same(rule.resource, target.resource) &&
         same(rule.name_space, target.name_space) && same(rule.name, target.name);
}

}  // namespace

Status Faults::set(const json::Value& document) {
  const json::Value* rules = document.find("rules");
  if (rules == nullptr || rules->as_array() == nullptr) return invalid("expected {\"rules\":[…]}");
  std::vector<FaultRule> parsed;
  for (const json::Value& rule : *rules->as_array()) {
    auto one = parse_rule(rule);
    if (!one) return one.error().within(concat("rules[", parsed.size(), "]"));
    parsed.push_back(std::move(one).value());
  }
  rules_ = std::move(parsed);
  return ok_status();
}

json::Value Faults::to_value() const {
  json::Array rules;
  for (const FaultRule& rule : rules_) rules.push_back(rule_value(rule));
  json::Object out;
  out.append_new("rules", std::move(rules));
  return out;
}

std::optional<FaultRule> Faults::next(const FaultTarget& target, Random& random) {
  for (FaultRule& rule : rules_) {
    if (!fits(rule, target) || random.unit() >= rule.probability) continue;
    if (rule.count) --*rule.count;
    return rule;
  }
  return std::nullopt;
}

}  // namespace margay::server
