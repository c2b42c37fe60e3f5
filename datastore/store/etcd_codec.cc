#include "datastore/store/etcd_codec.h"

#include <utility>

#include "base/core/base64.h"
#include "base/core/text.h"
#include "base/json/value.h"
#include "base/json/view.h"

namespace margay::store::etcd {
namespace {

// A page of the largest objects.
constexpr json::ParseLimits kLimits{1024UL * 1024 * 1024, 20};

json::Value base64(std::string_view bytes) { return base64_encode(bytes); }

std::uint64_t number(json::View view) {
  if (const auto text = view.string()) return parse_number<std::uint64_t>(*text).value_or(0);
  const auto integer = view.integer();
  return integer && *integer > 0 ? static_cast<std::uint64_t>(*integer) : 0;
}

std::string bytes(json::View view) { return base64_decode(view.string().value_or("")).value_or(""); }

Bytes value_of(json::View key_value) { return std::make_shared<const std::string>(bytes(key_value["value"])); }

Revision revision_of(json::View reply) { return number(reply["header"]["revision"]); }

json::Value compare(std::string_view key, const Precondition& precondition) {
  const bool is_absent = precondition.kind == Precondition::Kind::kAbsent;
  json::Object out;
  out.append_new("key", base64(key));
  out.append_new("target", is_absent ? "CREATE" : "MOD");
  out.append_new("result", "EQUAL");
  out.append_new(is_absent ? "create_revision" : "mod_revision", concat(is_absent ? 0 : precondition.revision));
  return out;
}

// On failure, whether the key is there tells a conflict from a missing object.
std::string transaction(std::string_view key, const Precondition& precondition, json::Object operation) {
  json::Object range;
  range.append_new("key", base64(key));
  range.append_new("keys_only", true);
  json::Object look;
  look.append_new("request_range", std::move(range));
  json::Object out;
  out.append_new("compare", json::Array{compare(key, precondition)});
  out.append_new("success", json::Array{std::move(operation)});
  out.append_new("failure", json::Array{std::move(look)});
  return json::dump(out);
}

Result<json::View> parse(json::Document& document, std::string_view body) {
  auto view = document.parse(body, kLimits);
  if (!view) return Error{ErrorCode::kUnavailable, concat("etcd's answer cannot be read: ", view.error().message)};
  return view;
}

Change change_of(json::View event) {
  const json::View after = event["kv"];
  const json::View before = event["prev_kv"];
  Change change;
  change.key = bytes(after["key"]);
  change.revision = number(after["mod_revision"]);
  if (event["type"].string().value_or("PUT") == "PUT") change.value = value_of(after);
  if (before.is_given()) change.previous = value_of(before);
  return change;
}

}  // namespace

std::string range_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (end.empty()) return std::string(1, '\0');  // to the last key there is
  ++end.back();
  return end;
}

std::string encode_range(const RangeRequest& request) {
  json::Object out;
  out.append_new("key", base64(request.key));
  if (!request.end.empty()) out.append_new("range_end", base64(request.end));
  if (request.limit > 0) out.append_new("limit", concat(request.limit));
  if (request.revision) out.append_new("revision", concat(*request.revision));
  if (request.is_count_only) out.append_new("count_only", true);
  return json::dump(out);
}

std::string encode_put(std::string_view key, std::string_view value, const Precondition& precondition) {
  json::Object put;
  put.append_new("key", base64(key));
  put.append_new("value", base64(value));
  json::Object operation;
  operation.append_new("request_put", std::move(put));
  return transaction(key, precondition, std::move(operation));
}

std::string encode_remove(std::string_view key, Revision expected) {
  json::Object remove;
  remove.append_new("key", base64(key));
  json::Object operation;
  operation.append_new("request_delete_range", std::move(remove));
  return transaction(key, {Precondition::Kind::kRevision, expected}, std::move(operation));
}

std::string encode_watch(std::string_view prefix, Revision after) {
  json::Object create;
  create.append_new("key", base64(prefix));
  create.append_new("range_end", base64(range_end(prefix)));
  create.append_new("start_revision", concat(after + 1));
  create.append_new("prev_kv", true);
  create.append_new("progress_notify", true);
  json::Object out;
  out.append_new("create_request", std::move(create));
  return json::dump(out);
}

std::string encode_compaction(Revision revision) {
  json::Object out;
  out.append_new("revision", concat(revision));
  return json::dump(out);
}

Result<RangeReply> decode_range(std::string_view body) {
  json::Document document;
  MARGAY_ASSIGN_OR_RETURN(const json::View reply, parse(document, body));
  RangeReply out;
  out.revision = revision_of(reply);
  if (out.revision == 0) return Error{ErrorCode::kUnavailable, "etcd's answer has no revision"};
  out.count = number(reply["count"]);
  for (const json::View key_value : reply["kvs"].elements())
    out.entries.push_back({bytes(key_value["key"]), value_of(key_value), number(key_value["mod_revision"])});
  return out;
}

Result<TxnReply> decode_txn(std::string_view body) {
  json::Document document;
  MARGAY_ASSIGN_OR_RETURN(const json::View reply, parse(document, body));
  TxnReply out;
  out.revision = revision_of(reply);
  if (out.revision == 0) return Error{ErrorCode::kUnavailable, "etcd's answer has no revision"};
  out.succeeded = reply["succeeded"].boolean().value_or(false);
  for (const json::View response : reply["responses"].elements())
    if (number(response["response_range"]["count"]) > 0) out.key_exists = true;
  return out;
}

Result<WatchReply> decode_watch(std::string_view line) {
  json::Document document;
  MARGAY_ASSIGN_OR_RETURN(const json::View message, parse(document, line));
  if (const json::View error = message["error"]; error.is_given())
    return Error{ErrorCode::kUnavailable, concat("etcd: ", error["message"].string().value_or("the watch failed"))};
  const json::View reply = message["result"];
  WatchReply out;
  out.revision = revision_of(reply);
  out.is_created = reply["created"].boolean().value_or(false);
  out.is_canceled = reply["canceled"].boolean().value_or(false);
  out.compacted = number(reply["compact_revision"]);
  out.reason = reply["cancel_reason"].string().value_or("");
  for (const json::View event : reply["events"].elements()) out.changes.push_back(change_of(event));
  return out;
}

Error decode_error(int status, std::string_view body) {
  constexpr int kOutOfRange = 11;  // of gRPC's codes
  json::Document document;
  const auto parsed = document.parse(body);
  const json::View reply = parsed ? parsed.value() : json::View();
  const std::string message = concat("etcd: ", reply["message"].string().value_or(concat("HTTP status ", status)));
  if (number(reply["code"]) == kOutOfRange) return Error{ErrorCode::kGone, message};
  const bool is_too_large =
      message.find("request is too large") != std::string::npos || message.find("larger than max") != std::string::npos;
  if (is_too_large) return Error{ErrorCode::kLimitExceeded, message};
  if (status == 401 || status == 403) return Error{ErrorCode::kPermissionDenied, message};
  return Error{status >= 500 || status == 429 ? ErrorCode::kUnavailable : ErrorCode::kInternal, message};
}

}  // namespace margay::store::etcd
