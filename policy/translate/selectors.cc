// Label selectors of Kubernetes in the language of projectcalico.org/v3. Keys and values of labels need no escapes
// there: the characters that Kubernetes allows in them are allowed as they are.
#include <string>
#include <vector>

#include "base/core/text.h"
#include "policy/translate/names.h"
#include "policy/translate/rules.h"
#include "policy/translate/translate.h"

namespace margay::policy {
namespace {

// A value with both kinds of quotes cannot be written, and no label has one.
std::string literal(std::string_view value) {
  const char quote = value.find('\'') == std::string_view::npos ? '\'' : '"';
  return concat(quote, value, quote);
}

std::string set_of(const std::vector<std::string>& values) {
  std::vector<std::string> literals;
  literals.reserve(values.size());
  for (const std::string& value : values) literals.push_back(literal(value));
  return concat("{ ", join(literals, ", "), " }");
}

std::string term_of(const model::LabelTerm& term, std::string_view prefix) {
  switch (term.op) {
    case model::LabelOperator::kIn: return concat(prefix, term.key, " in ", set_of(term.values));
    case model::LabelOperator::kNotIn: return concat(prefix, term.key, " not in ", set_of(term.values));
    case model::LabelOperator::kExists: return concat("has(", prefix, term.key, ")");
    case model::LabelOperator::kDoesNotExist: return concat("! has(", prefix, term.key, ")");
  }
  return {};
}

std::vector<std::string> terms_of(const model::LabelTerms& terms, std::string_view prefix) {
  std::vector<std::string> out;
  for (const auto& [key, value] : terms.match_labels) out.push_back(concat(prefix, key, " == ", literal(value)));
  for (const model::LabelTerm& term : terms.match_expressions) out.push_back(term_of(term, prefix));
  return out;
}

}  // namespace

std::string selector_of(const model::LabelTerms& terms, std::string_view label_prefix) {
  const std::vector<std::string> parts = terms_of(terms, label_prefix);
  return parts.empty() ? "all()" : join(parts, " && ");
}

std::string pods_selector(const model::LabelTerms& terms) {
  std::vector<std::string> parts = terms_of(terms, {});
  parts.insert(parts.begin(), concat(kOrchestratorLabel, " == ", literal(kKubernetesOrchestrator)));
  return join(parts, " && ");
}

std::string nodes_selector(const model::LabelTerms& terms) {
  std::vector<std::string> parts = terms_of(terms, {});
  parts.insert(parts.begin(), concat(kKindLabel, " == ", literal(kNodeKind)));
  return join(parts, " && ");
}

}  // namespace margay::policy
