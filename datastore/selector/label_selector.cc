#include "datastore/selector/label_selector.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/core/text.h"

namespace margay::selector {
namespace {

constexpr std::size_t kNameBytesMax = 63;
constexpr std::size_t kPrefixBytesMax = 253;

bool is_lower_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_alphanumeric(char c) { return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z'); }
bool is_name_byte(char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; }

// The common shape of names and values: [A-Za-z0-9] at both ends, - _ . in between.
bool is_name(std::string_view text) {
  return !text.empty() && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(), is_name_byte);
}

bool is_dns_label(std::string_view text) {
  return !text.empty() && is_lower_alphanumeric(text.front()) && is_lower_alphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_lower_alphanumeric(c) || c == '-'; });
}

bool is_dns_subdomain(std::string_view text) {
  const std::vector<std::string_view> labels = split(text, '.');
  return text.size() <= kPrefixBytesMax && std::all_of(labels.begin(), labels.end(), is_dns_label);
}

bool compares(const LabelRequirement& requirement, std::string_view found) {
  const auto value = parse_number<std::int64_t>(found);
  const auto bound = parse_number<std::int64_t>(requirement.values.front());
  if (!value || !bound) return false;
  return requirement.op == LabelRequirement::Operator::kGreaterThan ? *value > *bound : *value < *bound;
}

void append_values(std::string& out, const LabelRequirement& requirement, std::string_view word) {
  out.append(requirement.key).append(word).append(join(requirement.values, ",")).push_back(')');
}

void append(std::string& out, const LabelRequirement& requirement) {
  using Operator = LabelRequirement::Operator;
  const bool is_single = requirement.values.size() == 1;
  switch (requirement.op) {
    case Operator::kExists: out.append(requirement.key); return;
    case Operator::kDoesNotExist: out.append("!").append(requirement.key); return;
    case Operator::kGreaterThan: out.append(requirement.key).append(">").append(requirement.values.front()); return;
    case Operator::kLessThan: out.append(requirement.key).append("<").append(requirement.values.front()); return;
    case Operator::kIn:
      if (!is_single) return append_values(out, requirement, " in (");
      out.append(requirement.key).append("=").append(requirement.values.front());
      return;
    case Operator::kNotIn:
      if (!is_single) return append_values(out, requirement, " notin (");
      out.append(requirement.key).append("!=").append(requirement.values.front());
      return;
  }
}

}  // namespace

std::string label_key_problem(std::string_view key) {
  std::string_view name = key;
  if (const auto parts = split_once(key, '/')) {
    if (!is_dns_subdomain(parts->first)) {
      return concat("the part before \"/\" in ", quoted(key), " must be a DNS name in lower case of at most ",
                    kPrefixBytesMax, " characters");
    }
    name = parts->second;
  }
  if (name.size() > kNameBytesMax) {
    return concat("the name in ", quoted(key), " has ", name.size(), " characters, at most ", kNameBytesMax,
                  " are allowed");
  }
  if (!is_name(name)) {
    return concat(quoted(key),
                  " must consist of letters, digits, \"-\", \"_\" and \".\", begin and end with a letter "
                  "or digit, and may have a DNS name and \"/\" before it");
  }
  return {};
}

std::string label_value_problem(std::string_view value) {
  if (value.size() > kNameBytesMax) {
    return concat("the value has ", value.size(), " characters, at most ", kNameBytesMax, " are allowed");
  }
  if (!value.empty() && !is_name(value)) {
    return concat(quoted(value),
                  " must be empty or consist of letters, digits, \"-\", \"_\" and \".\", and begin and "
                  "end with a letter or digit");
  }
  return {};
}

bool LabelRequirement::matches(const StringMap& labels) const {
  const auto found = labels.find(key);
  switch (op) {
    case Operator::kExists: return found.has_value();
    case Operator::kDoesNotExist: return !found.has_value();
    case Operator::kGreaterThan:
    case Operator::kLessThan: return found && compares(*this, *found);
    case Operator::kIn: return found && std::binary_search(values.begin(), values.end(), *found);
    case Operator::kNotIn: return !found || !std::binary_search(values.begin(), values.end(), *found);
  }
  return false;
}

LabelSelector::LabelSelector(std::vector<LabelRequirement> requirements) : requirements_(std::move(requirements)) {
  for (LabelRequirement& requirement : requirements_) {
    std::sort(requirement.values.begin(), requirement.values.end());
    requirement.values.erase(std::unique(requirement.values.begin(), requirement.values.end()),
                             requirement.values.end());
  }
  std::sort(requirements_.begin(), requirements_.end());
}

bool LabelSelector::matches(const StringMap& labels) const {
  return std::all_of(requirements_.begin(), requirements_.end(),
                     [&labels](const LabelRequirement& requirement) { return requirement.matches(labels); });
}

std::string LabelSelector::to_string() const {
  std::string out;
  for (const LabelRequirement& requirement : requirements_) {
    if (!out.empty()) out.push_back(',');
    append(out, requirement);
  }
  return out;
}

}  // namespace margay::selector
