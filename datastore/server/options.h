// The query parameters of requests, and the body of a deletion. Source: Kubernetes API concepts ("Resource versions",
// "Retrieving large results sets in chunks", "Dry-run"), DeleteOptions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/core/time.h"
#include "base/http/message.h"
#include "datastore/selector/field_selector.h"
#include "datastore/selector/label_selector.h"
#include "datastore/server/admission.h"
#include "datastore/server/failure.h"
#include "datastore/store/store.h"

namespace margay::server {

enum class VersionMatch { kUnset, kExact, kNotOlderThan };

struct ListOptions {
  selector::LabelSelector labels;
  selector::FieldSelector fields;
  std::optional<store::Revision> resource_version;  // absent: most recent; 0: any
  VersionMatch match = VersionMatch::kUnset;
  std::size_t limit = 0;  // 0: all
  std::string continue_token;
  // Watches.
  bool is_watch = false;
  bool allow_bookmarks = false;
  bool send_initial_events = false;
  std::optional<Duration> timeout;

  [[nodiscard]] bool selects_everything() const { return labels.matches_everything() && fields.matches_everything(); }
};

struct WriteOptions {
  bool is_dry_run = false;
  bool force = false;
  std::string field_manager;
  FieldValidation field_validation = FieldValidation::kWarn;
};

enum class Propagation { kUnset, kBackground, kForeground, kOrphan };

struct DeleteOptions {
  bool is_dry_run = false;
  std::string uid;
  std::optional<store::Revision> resource_version;
  Propagation propagation = Propagation::kUnset;
};

ApiResult<ListOptions> parse_list_options(const http::Target& target);
// `options_kind`: CreateOptions, UpdateOptions or PatchOptions, for messages.
ApiResult<WriteOptions> parse_write_options(const http::Target& target, std::string_view options_kind);
// Query and body together; the body may be empty.
ApiResult<DeleteOptions> parse_delete_options(const http::Target& target, const json::Value& body);
// resourceVersion of a single read.
ApiResult<std::optional<store::Revision>> parse_resource_version(std::string_view text);

// Where a list goes on: after `start_after` (relative to the list's prefix) in the snapshot of `revision`; without a
// revision in the present.
struct ContinueToken {
  std::optional<store::Revision> revision;
  std::string start_after;
};
std::string encode_continue(const ContinueToken& token);
ApiResult<ContinueToken> decode_continue(std::string_view text);

}  // namespace margay::server
