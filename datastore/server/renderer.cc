#include "datastore/server/renderer.h"

#include <utility>

#include "base/core/text.h"
#include "datastore/server/cells.h"
#include "datastore/server/object.h"

namespace margay::server {
namespace {

constexpr std::string_view kNameDescription =
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a "
    "client to request the generation of an appropriate name automatically. Name is primarily intended for creation "
    "idempotence and configuration definition. Cannot be updated.";

const schema::PrinterColumn& age_column() {
  static const schema::PrinterColumn kAge{"Age", "date", "", ".metadata.creationTimestamp", "Time since creation.", 0};
  return kAge;
}

// The metadata object of stored bytes, braces included.
std::string_view metadata_text(std::string_view stored) {
  const std::size_t begin = stored.find(kMetadataStart) + kMetadataStart.size() - 1;
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = begin; i < stored.size(); ++i) {
    const char c = stored[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return stored.substr(begin, i + 1 - begin);
    }
  }
  return "{}";
}

void append_list_meta(std::string& out, const ListMeta& meta) {
  out += concat("\"metadata\":{\"resourceVersion\":\"", meta.revision, '"');
  if (!meta.continue_token.empty()) out += concat(",\"continue\":\"", meta.continue_token, '"');
  if (meta.remaining) out += concat(",\"remainingItemCount\":", *meta.remaining);
  out += '}';
}

void append_column(std::string& out, std::string_view name, std::string_view type, std::string_view format,
                   std::string_view description, int priority) {
  out += "{\"name\":";
  json::append_quoted(out, name);
  out += ",\"type\":";
  json::append_quoted(out, type);
  out += ",\"format\":";
  json::append_quoted(out, format);
  out += ",\"description\":";
  json::append_quoted(out, description);
  out += concat(",\"priority\":", priority, '}');
}

}  // namespace

ApiResult<RowObject> parse_row_object(std::string_view text) {
  if (text.empty() || text == "Metadata") return RowObject::kMetadata;
  if (text == "None") return RowObject::kNone;
  if (text == "Object") return RowObject::kObject;
  return bad_request(concat("includeObject: ", quoted(text), " is not one of None, Metadata, Object"));
}

Renderer::Renderer(ResourcePtr resource, Form form, RowObject rows)
    : resource_(std::move(resource)), form_(form), rows_(rows) {
  if (form_ != Form::kTable) return;
  const auto add = [&](const schema::PrinterColumn& column) {
    auto path = schema::JsonPath::parse(column.json_path);
    columns_.push_back({&column, path ? std::optional(std::move(path).value()) : std::nullopt,
                        schema::computed_cell(resource_->info, column)});
  };
  for (const schema::PrinterColumn& column : resource_->info.columns) add(column);
  if (columns_.empty()) add(age_column());
}

void Renderer::append_partial(std::string& out, std::string_view stored, store::Revision revision) const {
  const std::string_view metadata = metadata_text(stored);
  out += "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":";
  out += concat("{\"resourceVersion\":\"", revision, '"');
  if (metadata.size() > 2) out += ',';
  out.append(metadata.substr(1)).append("}");
}

void Renderer::append_columns(std::string& out) const {
  out += "\"columnDefinitions\":[";
  append_column(out, "Name", "string", "name", kNameDescription, 0);
  for (const Column& column : columns_) {
    out += ',';
    const schema::PrinterColumn& c = *column.column;
    const std::string fallback = concat("Custom resource definition column (in JSONPath format): ", c.json_path);
    append_column(out, c.name, c.type, c.format, c.description.empty() ? fallback : c.description, c.priority);
  }
  out += ']';
}

void Renderer::append_row(std::string& out, const std::string& stored, store::Revision revision, WallTime now) const {
  const json::Value object = json::parse(stored).value_or({});
  out += "{\"cells\":[";
  json::append_quoted(out, object.string_at({"metadata", "name"}));
  for (const Column& column : columns_) {
    out += ',';
    if (column.computed != nullptr) {
      const json::Value value = column.computed(object);
      append_cell(out, value.is_null() ? nullptr : &value, column.column->type, now);
      continue;
    }
    const auto found = column.path ? column.path->find(object) : std::vector<const json::Value*>{};
    append_cell(out, found.empty() ? nullptr : found.front(), column.column->type, now);
  }
  out += "],\"object\":";
  if (rows_ == RowObject::kMetadata) append_partial(out, stored, revision);
  if (rows_ == RowObject::kObject) append_shown(out, stored, revision, resource_->api_version);
  if (rows_ == RowObject::kNone) out += "null";
  out += '}';
}

void Renderer::append_object(std::string& out, const std::string& stored, store::Revision revision, WallTime now) {
  if (form_ == Form::kObject) return append_shown(out, stored, revision, resource_->api_version);
  if (form_ == Form::kPartialMetadata) return append_partial(out, stored, revision);
  begin_list(out, ListMeta{revision, "", std::nullopt});
  append_row(out, stored, revision, now);
  end_list(out);
}

void Renderer::begin_list(std::string& out, const ListMeta& meta) const {
  switch (form_) {
    case Form::kObject:
      out += concat("{\"kind\":\"", resource_->info.list_kind, "\",\"apiVersion\":\"", resource_->api_version, "\",");
      break;
    case Form::kPartialMetadata:
      out += "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/v1\",";
      break;
    case Form::kTable: out += "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\","; break;
  }
  append_list_meta(out, meta);
  out += ',';
  if (form_ == Form::kTable) {
    append_columns(out);
    out += ",\"rows\":[";
  } else {
    out += "\"items\":[";
  }
}

void Renderer::append_item(std::string& out, const std::string& stored, store::Revision revision, WallTime now) {
  if (!std::exchange(is_first_, false)) out += ',';
  if (form_ == Form::kObject) return append_shown(out, stored, revision, resource_->api_version);
  if (form_ == Form::kPartialMetadata) return append_partial(out, stored, revision);
  append_row(out, stored, revision, now);
}

void Renderer::end_list(std::string& out) const { out += "]}"; }

void Renderer::append_event_object(std::string& out, const std::string& stored, store::Revision revision,
                                   WallTime now) {
  if (form_ != Form::kTable) return append_object(out, stored, revision, now);
  out += "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",";
  append_list_meta(out, ListMeta{revision, "", std::nullopt});
  out += ',';
  if (std::exchange(is_first_, false))
    append_columns(out);
  else
    out += "\"columnDefinitions\":null";
  out += ",\"rows\":[";
  append_row(out, stored, revision, now);
  out += "]}";
}

std::string Renderer::bookmark(store::Revision revision, bool ends_initial_events) const {
  const std::string annotations =
      ends_initial_events ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "";
  const std::string metadata =
      concat("\"metadata\":{\"resourceVersion\":\"", revision, "\",\"creationTimestamp\":null", annotations, "}");
  if (form_ == Form::kTable)
    return concat(
        "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{\"resourceVersion\":\"", revision,
        "\"},\"columnDefinitions\":null,\"rows\":[{\"cells\":[],\"object\":{\"kind\":\"PartialObjectMetadata\",",
        "\"apiVersion\":\"meta.k8s.io/v1\",", metadata, "}}]}");
  const bool is_partial = form_ == Form::kPartialMetadata;
  return concat("{\"kind\":\"", is_partial ? "PartialObjectMetadata" : resource_->info.kind, "\",\"apiVersion\":\"",
                is_partial ? "meta.k8s.io/v1" : resource_->api_version, "\",", metadata, "}");
}

}  // namespace margay::server
