#include "datastore/codec/rules.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/core/text.h"
#include "base/ip/node_name.h"
#include "datastore/selector/label_selector.h"
#include "datastore/selector/selector.h"

namespace margay::codec {
namespace {

constexpr std::size_t kAnnotationBytesMax = std::size_t{256} * 1024;
constexpr std::string_view kLabelRule = "lower-case letters, digits and \"-\", with a letter or digit at both ends";
constexpr std::array<std::string_view, 2> kPolicyPrefixes = {"knp.default.", "ossg.default."};
constexpr std::array<std::string_view, 3> kGlobalPolicyPrefixes = {"kanp.", "kbanp.", "kcnp."};
constexpr std::array<std::string_view, 3> kStandardFinalizers = {"foregroundDeletion", "orphan", "kubernetes"};

bool is_lower_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_two_labels(std::string_view name) {
  const auto parts = split_once(name, '.');
  return parts ? is_dns_label(parts->first) && is_dns_label(parts->second) : is_dns_label(name);
}

// "prefix.tier.rest"
bool is_translated_policy(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  const auto parts = split_once(name.substr(prefix.size()), '.');
  return parts && is_dns_label(parts->first) && is_dns_subdomain(parts->second);
}

bool is_policy_name(std::string_view name) {
  return is_two_labels(name) || std::any_of(kPolicyPrefixes.begin(), kPolicyPrefixes.end(), [&](std::string_view p) {
           return name.starts_with(p) && is_dns_subdomain(name.substr(p.size()));
         });
}

bool is_global_policy_name(std::string_view name) {
  return is_two_labels(name) || std::any_of(kGlobalPolicyPrefixes.begin(), kGlobalPolicyPrefixes.end(),
                                            [&](std::string_view p) { return is_translated_policy(name, p); });
}

// What the form demands, or "" when the name has it.
std::string name_problem(std::string_view name, NameForm form) {
  switch (form) {
    case NameForm::kSubdomain:
      if (is_dns_subdomain(name)) return {};
      return concat("each part between dots needs ", kLabelRule);
    case NameForm::kLabel:
      if (is_dns_label(name)) return {};
      return concat("it needs ", kLabelRule, ", without dots");
    case NameForm::kPolicy:
      if (is_policy_name(name)) return {};
      return concat("it needs one or two parts with a dot between, each of ", kLabelRule);
    case NameForm::kGlobalPolicy:
      if (is_global_policy_name(name)) return {};
      return concat("it needs one or two parts with a dot between, each of ", kLabelRule);
    case NameForm::kDefault:
      if (name == "default") return {};
      return "the only object of this kind is named \"default\"";
    case NameForm::kDefaultOrNode:
      if (name == "default" || (name.starts_with("node.") && is_dns_subdomain(name.substr(5)))) return {};
      return "it has to be \"default\", or \"node.\" and the name of a node";
  }
  return {};
}

void check_name(const At& at, const model::ObjectMeta& metadata, NameForm form) {
  if (metadata.name.empty()) {
    if (metadata.generate_name.empty()) at.required("is required, or generateName");
    return;
  }
  const std::size_t size_max = form == NameForm::kLabel ? kDns1123LabelSizeMax : kDns1123SubdomainSizeMax;
  if (metadata.name.size() > size_max) {
    return at.error(FieldError::Kind::kTooLong,
                    concat("has ", metadata.name.size(), " characters, at most ", size_max, " are allowed"));
  }
  if (const std::string problem = name_problem(metadata.name, form); !problem.empty()) {
    at.invalid(concat("found ", quoted(metadata.name), ": ", problem));
  }
}

void check_finalizers(const At& at, const std::vector<std::string>& finalizers) {
  for (std::size_t i = 0; i < finalizers.size(); ++i) {
    const std::string& name = finalizers[i];
    const std::string problem = selector::label_key_problem(name);
    if (!problem.empty()) {
      at.element(i).invalid(problem);
    } else if (name.find('/') == std::string::npos &&
               std::find(kStandardFinalizers.begin(), kStandardFinalizers.end(), name) == kStandardFinalizers.end()) {
      at.element(i).invalid(concat(quoted(name), " needs a domain and \"/\" before it"));
    }
  }
}

}  // namespace

bool is_dns_label(std::string_view text) {
  return !text.empty() && is_lower_alphanumeric(text.front()) && is_lower_alphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_lower_alphanumeric(c) || c == '-'; });
}

bool is_dns_subdomain(std::string_view text) {
  const std::vector<std::string_view> labels = split(text, '.');
  return std::all_of(labels.begin(), labels.end(), is_dns_label);
}

void At::error(FieldError::Kind kind, std::string message) const {
  errors_.push_back({kind, is_root_ ? std::string() : place_.path(), std::move(message)});
}

void check_selector(const At& at, std::string_view selector, SelectorUse use) {
  const Result<selector::Selector> parsed = selector::Selector::parse(selector);
  if (!parsed.ok()) return at.invalid(concat("the selector is wrong at ", parsed.error().message));
  if (!parsed->uses_global()) return;
  if (use == SelectorUse::kPlain) {
    at.forbidden("global() can stand in the namespaceSelector of a rule only");
  } else if (!parsed->is_global()) {
    at.forbidden("global() has to stand alone");
  }
}

void check_labels(const At& at, const StringMap& labels) {
  for (const auto& [key, value] : labels) {
    if (const std::string problem = selector::label_key_problem(key); !problem.empty()) at.key(key).invalid(problem);
    if (const std::string problem = selector::label_value_problem(value); !problem.empty()) {
      at.key(key).invalid(problem);
    }
  }
}

void check_annotations(const At& at, const StringMap& annotations) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : annotations) {
    bytes += key.size() + value.size();
    const std::string problem = selector::label_key_problem(to_lower(key));
    if (!problem.empty()) at.key(key).invalid(problem);
  }
  if (bytes > kAnnotationBytesMax) {
    at.error(FieldError::Kind::kTooLong,
             concat("together they have ", bytes, " bytes, at most ", kAnnotationBytesMax, " are allowed"));
  }
}

void check_metadata(const At& at, const model::ObjectMeta& metadata, NameForm form, bool is_namespaced) {
  check_name(at.member("name"), metadata, form);
  const std::string& space = metadata.name_space;
  if (!is_namespaced && !space.empty()) {
    at.member("namespace").forbidden(concat("found ", quoted(space), ", but this kind has no namespaces"));
  } else if (!space.empty() && (!is_dns_label(space) || space.size() > kDns1123LabelSizeMax)) {
    at.member("namespace")
        .invalid(concat("found ", quoted(space), ": it needs ", kLabelRule, ", at most ", kDns1123LabelSizeMax));
  }
  if (!metadata.generate_name.empty() && !is_dns_subdomain(concat(metadata.generate_name, 'a'))) {
    at.member("generateName").invalid(concat(quoted(metadata.generate_name), " cannot begin a name"));
  }
  check_labels(at.member("labels"), metadata.labels);
  check_annotations(at.member("annotations"), metadata.annotations);
  check_finalizers(at.member("finalizers"), metadata.finalizers);
}

}  // namespace margay::codec
