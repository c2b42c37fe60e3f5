#include <vector>

#include "base/core/text.h"
#include "ctl/command/help.h"
#include "ctl/command/nearest.h"
#include "ctl/verbs/verbs.h"
#include "datastore/schema/node.h"

namespace margay::verbs {
namespace {

using command::ExitCode;
using schema::NodeType;
using schema::SchemaNode;

constexpr std::size_t kWidth = 96;

// In lines of at most kWidth columns, each behind `indent` blanks.
std::string indented(std::string_view text, std::size_t indent) {
  std::string out;
  for (const std::string_view paragraph : split(text, '\n')) {
    if (!paragraph.empty()) out.append(indent, ' ').append(command::wrapped(paragraph, indent, kWidth));
    out.push_back('\n');
  }
  return out;
}

// What a list or a map holds in the end; the node itself for all else.
const SchemaNode& innermost(const SchemaNode& node) {
  const SchemaNode* at = &node;
  while (at->type == NodeType::kArray && at->items != nullptr) at = at->items.get();
  return *at;
}

std::string type_text(const SchemaNode& node) {
  if (node.type == NodeType::kArray && node.items != nullptr) return concat("[]", type_text(*node.items));
  if (node.type == NodeType::kObject && node.properties.empty() && node.additional_properties != nullptr) {
    return concat("map[string]", type_text(*node.additional_properties));
  }
  return std::string(schema::type_name(node));
}

std::string bounds_text(std::string_view name, const auto& minimum, const auto& maximum) {
  std::string out;
  const auto number = [](const auto value) { return json::dump(json::Value(static_cast<double>(value))); };
  if (minimum) out.append(concat("  ", name, ": at least ", number(*minimum), '\n'));
  if (maximum) out.append(concat("  ", name, ": at most ", number(*maximum), '\n'));
  return out;
}

std::string rules_text(const SchemaNode& node) {
  std::string out;
  if (node.default_value) out.append(concat("  default: ", json::dump(*node.default_value), '\n'));
  const SchemaNode& inner = innermost(node);
  if (!inner.enum_values.empty()) {
    std::vector<std::string> values;
    for (const json::Value& value : inner.enum_values) {
      values.push_back(value.as_string() == nullptr ? json::dump(value) : *value.as_string());
    }
    out.append(concat("  one of: ", join(values, ", "), '\n'));
  }
  // What is longer than a line explains nothing.
  const bool has_pattern = inner.pattern != nullptr && schema::text_of(*inner.pattern).size() < kWidth;
  if (has_pattern) out.append(concat("  pattern: ", schema::text_of(*inner.pattern), '\n'));
  if (!inner.format.empty()) out.append(concat("  format: ", inner.format, '\n'));
  out.append(bounds_text("value", inner.minimum, inner.maximum));
  out.append(bounds_text("characters", inner.length_min, inner.length_max));
  return out.append(bounds_text("elements", node.items_min, node.items_max));
}

bool is_required(const SchemaNode& parent, const std::string& name) {
  for (const std::string& required : parent.required) {
    if (required == name) return true;
  }
  return false;
}

std::string fields_text(const SchemaNode& parent) {
  std::string out;
  for (const auto& [name, node] : innermost(parent).properties) {
    out.append(concat("  ", name, " <", type_text(*node), ">",
                      is_required(innermost(parent), name) ? " (required)" : "", '\n'));
    if (!node->description.empty()) out.append(indented(node->description, 4));
  }
  return out;
}

std::string tree_text(const SchemaNode& parent, std::size_t indent) {
  constexpr std::size_t kIndentMax = 40;
  std::string out;
  for (const auto& [name, node] : innermost(parent).properties) {
    out.append(indent, ' ').append(concat(name, " <", type_text(*node), ">\n"));
    if (indent < kIndentMax) out.append(tree_text(*node, indent + 2));
  }
  return out;
}

std::string page(const schema::ResourceInfo& resource, std::string_view path, const SchemaNode& node, bool as_tree) {
  std::string out = concat("KIND:     ", resource.kind, "\nVERSION:  ", resource.api_version(), '\n');
  if (!path.empty()) out.append(concat("FIELD:    ", path, " <", type_text(node), ">\n"));
  if (!node.description.empty()) out.append("\nDESCRIPTION:\n").append(indented(node.description, 2));
  if (const std::string rules = rules_text(node); !rules.empty()) out.append("\nRULES:\n").append(rules);
  const std::string fields = as_tree ? tree_text(node, 2) : fields_text(node);
  if (!fields.empty()) out.append("\nFIELDS:\n").append(fields);
  return out;
}

// "spec.ippMode: no such field; did you mean …": the first step that does not exist.
std::string unknown_field(const schema::StructuralSchema& schema, std::string_view path) {
  std::string known;
  for (const std::string_view step : split(path, '.')) {
    const std::string next = known.empty() ? std::string(step) : concat(known, '.', step);
    if (schema.at(next) != nullptr) {
      known = next;
      continue;
    }
    std::vector<std::string> names;
    const SchemaNode* parent = schema.at(known);
    if (parent != nullptr) {
      for (const auto& [name, node] : innermost(*parent).properties) names.push_back(name);
    }
    return concat("no field ", quoted(next), command::did_you_mean(step, names));
  }
  return concat("no field ", quoted(path));
}

}  // namespace

ExitCode run_explain(Session& session) {
  const std::string& argument = session.invocation().arguments.front();
  // A kind may have dots itself, as "ippools.projectcalico.org": the longest beginning that is a kind counts.
  std::size_t end = argument.size();
  const schema::ResourceInfo* resource = session.registry().by_any_name(argument);
  while (resource == nullptr && end != std::string::npos && end > 0) {
    end = argument.rfind('.', end - 1);
    if (end != std::string::npos) resource = session.registry().by_any_name(argument.substr(0, end));
  }
  if (resource == nullptr) {
    return session.usage(find_kind(session.registry(), argument.substr(0, argument.find('.'))).error().message);
  }
  const std::string path = end < argument.size() ? argument.substr(end + 1) : std::string();
  const schema::StructuralSchema& schema = session.registry().schema(*resource);
  const SchemaNode* node = schema.at(path);
  if (node == nullptr) return session.usage(unknown_field(schema, path));
  session.io().out(page(*resource, path, *node, session.invocation().is_on("recursive")));
  return ExitCode::kDone;
}

}  // namespace margay::verbs
