// Tables and values on standard output.
#pragma once

#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "base/json/yaml.h"
#include "ctl/render/table.h"
#include "ctl/verbs/session.h"

namespace margay::verbs {

inline void show_table(Session& session, render::Table::Row header, const std::vector<render::Table::Row>& rows) {
  render::Table table(std::move(header), session.io().out_has_colour());
  // In this order: the header takes the rows into account.
  const std::string head = table.header(rows);
  session.io().out(head + table.lines(rows));
}

// With -o json or yaml; false for any other.
inline bool show_value(Session& session, const json::Value& value) {
  const std::string output = session.invocation().text("output");
  if (output == "json") return session.io().out(json::dump_pretty(value)), true;
  if (output == "yaml") return session.io().out(json::dump_yaml(value)), true;
  return false;
}

}  // namespace margay::verbs
