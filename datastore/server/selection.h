// Selection: which objects of a resource a list or watch is about (labelSelector, fieldSelector).
#pragma once

#include <string>
#include <string_view>

#include "base/json/view.h"
#include "datastore/server/catalog.h"
#include "datastore/server/options.h"
#include "datastore/store/store.h"

namespace margay::server {

// Parses stored objects and keeps the last two: a change is looked at by many watches, now and as it was before.
class ParsedObjects {
 public:
  json::View view(const store::Bytes& bytes);

 private:
  struct Slot {
    store::Bytes bytes;
    json::Document document;
    json::View view;
  };
  Slot slots_[2];
  std::size_t oldest_ = 0;
};

class Selection {
 public:
  // 400 for a field the kind cannot be selected by.
  static ApiResult<Selection> make(const schema::ResourceInfo& resource, const ListOptions& options);

  [[nodiscard]] bool selects_everything() const { return labels_.matches_everything() && fields_.matches_everything(); }
  [[nodiscard]] bool matches(ParsedObjects& parsed, std::string_view key, const store::Bytes& bytes) const;

 private:
  Selection(selector::LabelSelector labels, selector::FieldSelector fields, bool is_namespaced)
      : labels_(std::move(labels)), fields_(std::move(fields)), is_namespaced_(is_namespaced) {}
  [[nodiscard]] std::string field_value(ParsedObjects& parsed, std::string_view key, const store::Bytes& bytes,
                                        std::string_view field) const;

  selector::LabelSelector labels_;
  selector::FieldSelector fields_;
  bool is_namespaced_;
};

}  // namespace margay::server
