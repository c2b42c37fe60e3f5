#include "datastore/selector/selector.h"

#include <algorithm>

#include "base/core/check.h"

namespace margay::selector {
namespace {

constexpr std::string_view kNamespaceLabel = "projectcalico.org/namespace";

class MapLabels final : public LabelSource {
 public:
  explicit MapLabels(const StringMap& labels) : labels_(labels) {}
  [[nodiscard]] std::optional<std::string_view> find_label(std::string_view name) const override {
    return labels_.find(name);
  }

 private:
  const StringMap& labels_;
};

bool holds(const Node& node, const LabelSource& labels) {
  const auto matching = [&labels](const Node& operand) { return holds(operand, labels); };
  switch (node.kind) {
    case Node::Kind::kAll: return true;
    case Node::Kind::kNot: return !holds(node.operands.front(), labels);
    case Node::Kind::kAnd: return std::all_of(node.operands.begin(), node.operands.end(), matching);
    case Node::Kind::kOr: return std::any_of(node.operands.begin(), node.operands.end(), matching);
    case Node::Kind::kGlobal: return !labels.find_label(kNamespaceLabel);
    case Node::Kind::kHas: return labels.find_label(node.label).has_value();
    case Node::Kind::kEqual: return labels.find_label(node.label) == node.values.front();
    case Node::Kind::kNotEqual: return labels.find_label(node.label) != node.values.front();
    case Node::Kind::kContains:
    case Node::Kind::kStartsWith:
    case Node::Kind::kEndsWith:
    case Node::Kind::kIn:
    case Node::Kind::kNotIn: break;
  }
  const std::optional<std::string_view> found = labels.find_label(node.label);
  if (!found) return node.kind == Node::Kind::kNotIn;
  const auto is_in_set = [&] { return std::binary_search(node.values.begin(), node.values.end(), *found); };
  if (node.kind == Node::Kind::kIn) return is_in_set();
  if (node.kind == Node::Kind::kNotIn) return !is_in_set();
  const std::string& wanted = node.values.front();
  if (node.kind == Node::Kind::kStartsWith) return found->starts_with(wanted);
  if (node.kind == Node::Kind::kEndsWith) return found->ends_with(wanted);
  return found->find(wanted) != std::string_view::npos;
}

// Without escapes in the language, a text that holds " was written in ' and the reverse.
void append_text(std::string& out, std::string_view text) {
  const char quote = text.find('"') == std::string_view::npos ? '"' : '\'';
  out.push_back(quote);
  out.append(text);
  out.push_back(quote);
}

void append_set(std::string& out, const std::vector<std::string>& values) {
  out.push_back('{');
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out.append(", ");
    append_text(out, values[i]);
  }
  out.push_back('}');
}

std::string_view operator_text(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kEqual: return " == ";
    case Node::Kind::kNotEqual: return " != ";
    case Node::Kind::kContains: return " contains ";
    case Node::Kind::kStartsWith: return " starts with ";
    case Node::Kind::kEndsWith: return " ends with ";
    case Node::Kind::kIn: return " in ";
    case Node::Kind::kNotIn: return " not in ";
    case Node::Kind::kAnd: return " && ";
    case Node::Kind::kOr: return " || ";
    case Node::Kind::kAll:
    case Node::Kind::kGlobal:
    case Node::Kind::kHas:
    case Node::Kind::kNot: break;
  }
  MARGAY_CHECK(!"a selector node without an operator");
}

void append_canonical(std::string& out, const Node& node) {
  switch (node.kind) {
    case Node::Kind::kAll: out.append("all()"); return;
    case Node::Kind::kGlobal: out.append("global()"); return;
    case Node::Kind::kHas: out.append("has(").append(node.label).append(")"); return;
    case Node::Kind::kNot:
      out.push_back('!');
      append_canonical(out, node.operands.front());
      return;
    case Node::Kind::kAnd:
    case Node::Kind::kOr:
      out.push_back('(');
      for (std::size_t i = 0; i < node.operands.size(); ++i) {
        if (i > 0) out.append(operator_text(node.kind));
        append_canonical(out, node.operands[i]);
      }
      out.push_back(')');
      return;
    case Node::Kind::kIn:
    case Node::Kind::kNotIn:
      out.append(node.label).append(operator_text(node.kind));
      append_set(out, node.values);
      return;
    case Node::Kind::kEqual:
    case Node::Kind::kNotEqual:
    case Node::Kind::kContains:
    case Node::Kind::kStartsWith:
    case Node::Kind::kEndsWith:
      out.append(node.label).append(operator_text(node.kind));
      append_text(out, node.values.front());
      return;
  }
}

bool mentions_global(const Node& node) {
  return node.kind == Node::Kind::kGlobal || std::any_of(node.operands.begin(), node.operands.end(), mentions_global);
}

void add_prefix(Node& node, std::string_view prefix) {
  if (!node.label.empty()) node.label.insert(0, prefix);
  for (Node& operand : node.operands) add_prefix(operand, prefix);
}

}  // namespace

bool Selector::matches(const LabelSource& labels) const { return holds(root_, labels); }

bool Selector::matches(const StringMap& labels) const { return holds(root_, MapLabels(labels)); }

std::string Selector::canonical() const {
  std::string out;
  append_canonical(out, root_);
  return out;
}

bool Selector::uses_global() const { return mentions_global(root_); }

Selector Selector::with_label_prefix(std::string_view prefix) const {
  Node root = root_;
  add_prefix(root, prefix);
  return Selector(std::move(root));
}

}  // namespace margay::selector
