// A rule in one line, for tables of tests: "Allow TCP from{sel=… ns=…} to{ports=80,http}".
#pragma once

#include <string>
#include <vector>

#include "base/core/text.h"
#include "datastore/model/rule.h"

namespace margay::policy {

template <class T>
std::string listed(const std::vector<T>& values) {
  std::vector<std::string> texts;
  for (const T& value : values) texts.push_back(value.to_string());
  return join(texts, ",");
}

inline std::string text_of(const model::EntityRule& entity) {
  std::vector<std::string> parts;
  if (!entity.selector.empty()) parts.push_back(concat("sel=", entity.selector));
  if (!entity.namespace_selector.empty()) parts.push_back(concat("ns=", entity.namespace_selector));
  if (!entity.nets.empty()) parts.push_back(concat("nets=", listed(entity.nets)));
  if (!entity.not_nets.empty()) parts.push_back(concat("notNets=", listed(entity.not_nets)));
  if (!entity.ports.empty()) parts.push_back(concat("ports=", listed(entity.ports)));
  return join(parts, " ");
}

inline std::string text_of(const model::Rule& rule) {
  std::string out(to_string(rule.action));
  if (rule.protocol) out += concat(" ", rule.protocol->to_string());
  if (rule.source != model::EntityRule{}) out += concat(" from{", text_of(rule.source), "}");
  if (rule.destination != model::EntityRule{}) out += concat(" to{", text_of(rule.destination), "}");
  return out;
}

inline std::vector<std::string> texts_of(const std::vector<model::Rule>& rules) {
  std::vector<std::string> out;
  for (const model::Rule& rule : rules) out.push_back(text_of(rule));
  return out;
}

}  // namespace margay::policy
