#include "ctl/render/cells.h"

#include <map>
#include <vector>

#include "base/core/text.h"

namespace margay::render {
namespace {

std::string requirement_text(const json::Value& requirement) {
  const std::string_view key = requirement.string_at({"key"});
  const std::string_view op = requirement.string_at({"operator"});
  if (op == "Exists") return std::string(key);
  if (op == "DoesNotExist") return concat('!', key);
  return concat(key, op == "NotIn" ? " notin (" : " in (", joined(requirement.find("values"), ""), ')');
}

}  // namespace

std::string cell_text(const json::Value* value, std::string_view absent) {
  if (value == nullptr || value->is_null()) return std::string(absent);
  if (const std::string* text = value->as_string()) return *text;
  return json::dump(*value);
}

std::string cell_at(const json::Value& object, std::initializer_list<std::string_view> path, std::string_view absent) {
  return cell_text(object.find(path), absent);
}

std::string joined(const json::Value* list, std::string_view absent) {
  const json::Array* elements = list == nullptr ? nullptr : list->as_array();
  if (elements == nullptr || elements->empty()) return std::string(absent);
  std::vector<std::string> texts;
  for (const json::Value& element : *elements) texts.push_back(cell_text(&element, ""));
  return join(texts, ",");
}

std::string labels_text(const json::Value* labels, std::string_view absent) {
  const json::Object* members = labels == nullptr ? nullptr : labels->as_object();
  if (members == nullptr || members->empty()) return std::string(absent);
  std::map<std::string, std::string> ordered;
  for (const json::Member& member : *members) ordered[member.name] = cell_text(&member.value, "");
  std::vector<std::string> texts;
  for (const auto& [name, value] : ordered) texts.push_back(concat(name, '=', value));
  return join(texts, ",");
}

std::string label_selector_text(const json::Value* selector, std::string_view all) {
  if (selector == nullptr) return std::string(all);
  std::vector<std::string> texts;
  const std::string labels = labels_text(selector->find("matchLabels"), "");
  if (!labels.empty()) texts.push_back(labels);
  const json::Value* expressions = selector->find("matchExpressions");
  if (expressions != nullptr && expressions->as_array() != nullptr) {
    for (const json::Value& requirement : *expressions->as_array()) texts.push_back(requirement_text(requirement));
  }
  return texts.empty() ? std::string(all) : join(texts, ",");
}

}  // namespace margay::render
