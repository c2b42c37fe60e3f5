#include "ctl/render/columns.h"

#include <algorithm>
#include <span>

#include "base/core/text.h"
#include "ctl/render/age.h"
#include "ctl/render/calico_columns.h"
#include "ctl/render/cells.h"
#include "datastore/schema/jsonpath.h"
#include "datastore/schema/pod_columns.h"

namespace margay::render {
namespace {

constexpr std::string_view kAbsent = "<none>";

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return out;
}

Column name_column() {
  return {"NAME", [](const json::Value& object) { return std::string(object.string_at({"metadata", "name"})); }};
}

Column age_column(WallTime now) {
  return {"AGE", [now](const json::Value& object) {
            return age(object.string_at({"metadata", "creationTimestamp"}), now);
          }};
}

// The definition's path can only find matchLabels; people read selectors as they write them.
Column pod_selector_column() {
  return {"POD-SELECTOR", [](const json::Value& object) {
            return label_selector_text(object.find({"spec", "podSelector"}), kAbsent);
          }};
}

Column printer_column(const schema::ResourceInfo& resource, const schema::PrinterColumn& column, WallTime now) {
  if (column.name == "Pod-Selector") return pod_selector_column();
  if (const auto computed = schema::computed_cell(resource, column); computed != nullptr) {
    return {upper(column.name), [computed](const json::Value& object) {
              const json::Value value = computed(object);
              return cell_text(&value, kAbsent);
            }};
  }
  const auto path = schema::JsonPath::parse(column.json_path);
  const bool is_date = column.type == "date";
  const auto cell = [path, is_date, now](const json::Value& object) {
    if (!path.ok()) return std::string("<invalid path>");
    const std::vector<const json::Value*> found = path->find(object);
    if (found.empty()) return std::string(kAbsent);
    const std::string text = cell_text(found.front(), kAbsent);
    return is_date && text != kAbsent ? age(text, now) : text;
  };
  return {upper(column.name), cell};
}

std::vector<Column> printer_columns(const schema::ResourceInfo& resource, const ColumnOptions& options) {
  std::vector<Column> columns{name_column()};
  for (const schema::PrinterColumn& column : resource.columns) {
    const bool is_shown = options.wide || column.priority <= 0;
    if (is_shown && !equals_ignoring_case(column.name, "name"))
      columns.push_back(printer_column(resource, column, options.now));
  }
  const auto is_age = [](const Column& column) { return column.header == "AGE"; };
  const auto tells_age = [](const schema::PrinterColumn& column) {
    return column.json_path == ".metadata.creationTimestamp";
  };
  const auto there = std::find_if(columns.begin(), columns.end(), is_age);
  const bool is_told = std::any_of(resource.columns.begin(), resource.columns.end(), tells_age);
  if (there == columns.end() && !is_told) {
    columns.push_back(age_column(options.now));
  } else if (there != columns.end()) {
    std::rotate(there, there + 1, columns.end());
  }
  return columns;
}

}  // namespace

std::vector<Column> columns_of(const schema::ResourceInfo& resource, const ColumnOptions& options) {
  std::vector<Column> columns = calico_columns(resource, options);
  return columns.empty() ? printer_columns(resource, options) : columns;
}

}  // namespace margay::render
