#include "ctl/render/table_renderer.h"

#include <map>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "ctl/render/cells.h"
#include "ctl/render/columns.h"
#include "ctl/render/table.h"
#include "datastore/schema/jsonpath.h"

namespace margay::render {
namespace {

Table::Row row_of(const std::vector<Column>& columns, const json::Value& object) {
  Table::Row row;
  for (const Column& column : columns) row.push_back(column.cell(object));
  return row;
}

Table::Row headers_of(const std::vector<Column>& columns) {
  Table::Row row;
  for (const Column& column : columns) row.push_back(column.header);
  return row;
}

// A table whose header was or was not shown yet.
class LiveTable {
 public:
  LiveTable(std::vector<Column> columns, const Options& options)
      : columns_(std::move(columns)),
        table_(headers_of(columns_), options.bold_headers),
        header_is_due_(!options.no_headers) {}

  std::string show(const std::vector<const json::Value*>& objects) {
    std::vector<Table::Row> rows;
    for (const json::Value* object : objects) rows.push_back(row_of(columns_, *object));
    const std::string header = std::exchange(header_is_due_, false) ? table_.header(rows) : std::string();
    return header + table_.lines(rows);
  }

 private:
  std::vector<Column> columns_;
  Table table_;
  bool header_is_due_;
};

class TableRenderer final : public Renderer {
 public:
  TableRenderer(bool wide, Options options) : wide_(wide), options_(std::move(options)) {}

  Result<std::string> all(const Items& items) override {
    // By kind, in the order in which the kinds first come.
    std::vector<std::pair<const schema::ResourceInfo*, std::vector<const json::Value*>>> groups;
    for (const Item& item : items) {
      if (groups.empty() || groups.back().first != item.resource) groups.push_back({item.resource, {}});
      groups.back().second.push_back(&item.object);
    }
    std::string out;
    for (const auto& [resource, objects] : groups) {
      if (!out.empty()) out.push_back('\n');
      out.append(table_of(*resource).show(objects));
    }
    return out;
  }

  Result<std::string> next(const Item& item) override { return table_of(*item.resource).show({&item.object}); }

 private:
  LiveTable& table_of(const schema::ResourceInfo& resource) {
    const auto found = tables_.find(&resource);
    if (found != tables_.end()) return found->second;
    return tables_.emplace(&resource, LiveTable(columns(resource), options_)).first->second;
  }

  std::vector<Column> columns(const schema::ResourceInfo& resource) const {
    std::vector<Column> columns = columns_of(resource, {wide_, options_.now, options_.global_as_number});
    if (options_.with_kind) {
      for (Column& column : columns) {
        if (column.header == "NAME") column.cell = prefixed(resource.singular + "/", column.cell);
      }
    }
    if (options_.with_namespace && resource.is_namespaced) {
      const auto cell = [](const json::Value& object) { return cell_at(object, {"metadata", "namespace"}, "-"); };
      columns.insert(columns.begin(), Column{"NAMESPACE", cell});
    }
    if (options_.with_labels) {
      const auto cell = [](const json::Value& object) {
        return labels_text(object.find({"metadata", "labels"}), "<none>");
      };
      columns.push_back(Column{"LABELS", cell});
    }
    return columns;
  }

  static std::function<std::string(const json::Value&)> prefixed(std::string prefix,
                                                                 std::function<std::string(const json::Value&)> cell) {
    return [prefix = std::move(prefix), cell = std::move(cell)](const json::Value& object) {
      return prefix + cell(object);
    };
  }

  bool wide_;
  Options options_;
  std::map<const schema::ResourceInfo*, LiveTable> tables_;  // looked up only, never walked
};

class CustomColumnsRenderer final : public Renderer {
 public:
  CustomColumnsRenderer(std::vector<Column> columns, const Options& options) : table_(std::move(columns), options) {}

  Result<std::string> all(const Items& items) override {
    std::vector<const json::Value*> objects;
    for (const Item& item : items) objects.push_back(&item.object);
    return table_.show(objects);
  }
  Result<std::string> next(const Item& item) override { return table_.show({&item.object}); }

 private:
  LiveTable table_;
};

Column custom_column(std::string_view header, schema::JsonPath path) {
  return {std::string(header), [path = std::move(path)](const json::Value& object) {
            std::vector<std::string> texts;
            for (const json::Value* value : path.find(object)) texts.push_back(cell_text(value, "<none>"));
            return texts.empty() ? std::string("<none>") : join(texts, ",");
          }};
}

}  // namespace

std::unique_ptr<Renderer> make_table_renderer(bool wide, const Options& options) {
  return std::make_unique<TableRenderer>(wide, options);
}

Result<std::unique_ptr<Renderer>> make_custom_columns_renderer(std::string_view columns, const Options& options) {
  std::vector<Column> parsed;
  for (const std::string_view column : split(columns, ',')) {
    const auto parts = split_once(column, ':');
    if (!parts || parts->first.empty() || parts->second.empty()) {
      return invalid(concat("custom-columns: ", quoted(column), " is not HEADER:.json.path"));
    }
    auto path = schema::JsonPath::parse(parts->second);
    if (!path.ok()) return path.error().within(concat("custom-columns: ", parts->first));
    parsed.push_back(custom_column(parts->first, *std::move(path)));
  }
  return std::unique_ptr<Renderer>(std::make_unique<CustomColumnsRenderer>(std::move(parsed), options));
}

}  // namespace margay::render
