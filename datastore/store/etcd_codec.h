// The messages of etcd's v3 API as its HTTP gateway has them: JSON, bytes in base64, 64-bit numbers as strings. Pure.
//
// Source: etcd documentation, "gRPC gateway", "API reference" (etcdserverpb: RangeRequest, TxnRequest, WatchRequest …).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "datastore/store/store.h"

namespace margay::store::etcd {

// The first key behind all keys with this prefix.
std::string range_end(std::string_view prefix);

struct RangeRequest {
  std::string key;
  std::string end;  // empty: the one key
  std::size_t limit = 0;
  std::optional<Revision> revision;
  bool is_count_only = false;
};
std::string encode_range(const RangeRequest& request);
std::string encode_put(std::string_view key, std::string_view value, const Precondition& precondition);
std::string encode_remove(std::string_view key, Revision expected);
std::string encode_watch(std::string_view prefix, Revision after);
std::string encode_compaction(Revision revision);

struct RangeReply {
  std::vector<Entry> entries;
  std::size_t count = 0;  // in the whole range, whatever the limit
  Revision revision = 0;
};
Result<RangeReply> decode_range(std::string_view body);

struct TxnReply {
  bool succeeded = false;
  bool key_exists = false;  // when not
  Revision revision = 0;
};
Result<TxnReply> decode_txn(std::string_view body);

// One line of the answer to a watch.
struct WatchReply {
  Revision revision = 0;  // of the store; everything up to here has been told when there are no changes
  bool is_created = false;
  bool is_canceled = false;
  Revision compacted = 0;  // canceled because the history begins behind the revision asked for
  std::string reason;
  std::vector<Change> changes;  // of one or more revisions, in order
};
Result<WatchReply> decode_watch(std::string_view line);

// What an answer with a status other than 200 means.
Error decode_error(int status, std::string_view body);

}  // namespace margay::store::etcd
