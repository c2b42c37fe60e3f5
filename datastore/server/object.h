// Objects as the server keeps and shows them.
//
// Kept: compact JSON that begins {"apiVersion":…,"kind":…,"metadata":{ and has no resourceVersion. Shown: the same
// bytes with "resourceVersion":"N", put in behind "metadata":{ , so that lists and watches are served without parsing.
#pragma once

#include <string>
#include <string_view>

#include "base/core/random.h"
#include "base/core/result.h"
#include "base/json/value.h"
#include "datastore/store/store.h"

namespace margay::server {

inline constexpr std::string_view kMetadataStart = "\"metadata\":{";

// `object` is an object with metadata.
std::string encode_stored(const json::Value& object);
// With metadata.resourceVersion; revision 0: without.
Result<json::Value> decode_stored(std::string_view stored, store::Revision revision);
// The stored bytes as they are shown, in the API version asked for ("" leaves the stored one).
void append_shown(std::string& out, std::string_view stored, store::Revision revision, std::string_view api_version);

// Random version 4 UUID (RFC 9562).
std::string make_uid(Random& random);
// `base` (cut to 58 characters) with five random characters, as Kubernetes generates names.
std::string generate_name(std::string_view base, Random& random);

// Members of metadata; made if need be / nullptr when absent.
json::Value& metadata_of(json::Value& object);
std::string_view meta_string(const json::Value& object, std::string_view field);
const json::Array* meta_array(const json::Value& object, std::string_view field);
inline bool is_being_deleted(const json::Value& object) { return !meta_string(object, "deletionTimestamp").empty(); }
bool has_finalizer(const json::Value& object, std::string_view finalizer);
bool has_finalizers(const json::Value& object);
void add_finalizer(json::Value& object, std::string_view finalizer);
void remove_finalizer(json::Value& object, std::string_view finalizer);

}  // namespace margay::server
