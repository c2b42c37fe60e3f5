// Renderer: objects as a client asked for them: as they are, as rows of a Table (from the kind's printer columns), or
// reduced to their metadata; alone, in lists, in watch events. Appends text; nothing is parsed that need not be.
//
// Source: Kubernetes API concepts, "Receiving resources as Tables"; meta/v1 Table and PartialObjectMetadata.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "datastore/schema/jsonpath.h"
#include "datastore/schema/pod_columns.h"
#include "datastore/server/accept.h"
#include "datastore/server/catalog.h"
#include "datastore/store/store.h"

namespace margay::server {

// includeObject=: what a row carries beside its cells.
enum class RowObject { kMetadata, kNone, kObject };
ApiResult<RowObject> parse_row_object(std::string_view text);

struct ListMeta {
  store::Revision revision = 0;
  std::string continue_token;
  std::optional<std::size_t> remaining;
};

class Renderer {
 public:
  Renderer(ResourcePtr resource, Form form, RowObject rows);

  // `now` is what ages are counted to.
  void append_object(std::string& out, const std::string& stored, store::Revision revision, WallTime now);
  void begin_list(std::string& out, const ListMeta& meta) const;
  void append_item(std::string& out, const std::string& stored, store::Revision revision, WallTime now);
  void end_list(std::string& out) const;
  // The first Table of a watch says what the columns are.
  void append_event_object(std::string& out, const std::string& stored, store::Revision revision, WallTime now);
  [[nodiscard]] std::string bookmark(store::Revision revision, bool ends_initial_events) const;
  // Equal for renderers that make the same bytes of an object, apart from the first Table and ages.
  [[nodiscard]] bool is_plain() const { return form_ == Form::kObject; }
  [[nodiscard]] const ResourcePtr& resource() const { return resource_; }

 private:
  struct Column {
    const schema::PrinterColumn* column;
    std::optional<schema::JsonPath> path;
    schema::CellFunction computed;  // instead of the path; or null
  };
  void append_partial(std::string& out, std::string_view stored, store::Revision revision) const;
  void append_row(std::string& out, const std::string& stored, store::Revision revision, WallTime now) const;
  void append_columns(std::string& out) const;

  ResourcePtr resource_;
  Form form_;
  RowObject rows_;
  std::vector<Column> columns_;
  bool is_first_ = true;
};

}  // namespace margay::server
