#include "datastore/server/object.h"

#include <algorithm>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::server {
namespace {

constexpr std::string_view kApiVersionStart = "{\"apiVersion\":";
constexpr std::size_t kGeneratedBaseMax = 58;
constexpr std::size_t kGeneratedSuffixSize = 5;

bool is_server_owned(std::string_view field) { return field == "resourceVersion" || field == "selfLink"; }

void append_member(std::string& out, std::string_view name, const json::Value& value) {
  if (out.back() != '{') out.push_back(',');
  json::append_quoted(out, name);
  out.push_back(':');
  json::dump_to(out, value);
}

void append_metadata(std::string& out, const json::Object& metadata) {
  out.append(",").append(kMetadataStart);
  for (const json::Member& member : metadata)
    if (!is_server_owned(member.name)) append_member(out, member.name, member.value);
  out.push_back('}');
}

}  // namespace

std::string encode_stored(const json::Value& object) {
  const json::Object* members = object.as_object();
  const json::Value* metadata = object.find("metadata");
  MARGAY_CHECK(members != nullptr && metadata != nullptr && metadata->as_object() != nullptr);
  std::string out = "{";
  append_member(out, "apiVersion", std::string(object.string_at({"apiVersion"})));
  append_member(out, "kind", std::string(object.string_at({"kind"})));
  append_metadata(out, *metadata->as_object());
  for (const json::Member& member : *members)
    if (member.name != "apiVersion" && member.name != "kind" && member.name != "metadata")
      append_member(out, member.name, member.value);
  out.push_back('}');
  return out;
}

Result<json::Value> decode_stored(std::string_view stored, store::Revision revision) {
  MARGAY_ASSIGN_OR_RETURN(json::Value object, json::parse(stored));
  if (object.as_object() == nullptr) return invalid("a stored object is not an object");
  if (revision != 0) metadata_of(object)["resourceVersion"] = concat(revision);
  return object;
}

void append_shown(std::string& out, std::string_view stored, store::Revision revision, std::string_view api_version) {
  out.reserve(out.size() + stored.size() + 48);
  if (!api_version.empty() && stored.starts_with(kApiVersionStart)) {
    out.append(kApiVersionStart);
    json::append_quoted(out, api_version);
    // The stored version has no quotes or backslashes in it: it was checked against the URL.
    stored.remove_prefix(stored.find('"', kApiVersionStart.size() + 1) + 1);
  }
  const std::size_t at = stored.find(kMetadataStart);
  if (at == std::string_view::npos || revision == 0) {
    out.append(stored);
    return;
  }
  const std::size_t inside = at + kMetadataStart.size();
  out.append(stored.substr(0, inside)).append(concat("\"resourceVersion\":\"", revision, '"'));
  if (stored[inside] != '}') out.push_back(',');
  out.append(stored.substr(inside));
}

std::string make_uid(Random& random) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out(36, '-');
  std::uint64_t bits = 0;
  int left = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) continue;
    if (left == 0) {
      bits = random.next();
      left = 16;
    }
    out[i] = kDigits[bits & 0xf];
    bits >>= 4;
    --left;
  }
  out[14] = '4';
  out[19] = kDigits[8 + random.below(4)];
  return out;
}

std::string generate_name(std::string_view base, Random& random) {
  // Without vowels and look-alikes, so that no words appear.
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string out(base.substr(0, kGeneratedBaseMax));
  for (std::size_t i = 0; i < kGeneratedSuffixSize; ++i) out.push_back(kAlphabet[random.below(kAlphabet.size())]);
  return out;
}

json::Value& metadata_of(json::Value& object) {
  json::Value& metadata = object["metadata"];
  metadata.make_object();
  return metadata;
}

std::string_view meta_string(const json::Value& object, std::string_view field) {
  return object.string_at({"metadata", field});
}

const json::Array* meta_array(const json::Value& object, std::string_view field) {
  const json::Value* value = object.find({"metadata", field});
  return value == nullptr ? nullptr : value->as_array();
}

bool has_finalizers(const json::Value& object) {
  const json::Array* finalizers = meta_array(object, "finalizers");
  return finalizers != nullptr && !finalizers->empty();
}

bool has_finalizer(const json::Value& object, std::string_view finalizer) {
  const json::Array* finalizers = meta_array(object, "finalizers");
  return finalizers != nullptr &&
         std::find(finalizers->begin(), finalizers->end(), json::Value(finalizer)) != finalizers->end();
}

void add_finalizer(json::Value& object, std::string_view finalizer) {
  if (!has_finalizer(object, finalizer)) metadata_of(object)["finalizers"].make_array().push_back(finalizer);
}

void remove_finalizer(json::Value& object, std::string_view finalizer) {
  json::Object& metadata = metadata_of(object).make_object();
  json::Value* finalizers = metadata.find("finalizers");
  json::Array* list = finalizers == nullptr ? nullptr : finalizers->as_array();
  if (list == nullptr) return;
  std::erase(*list, json::Value(finalizer));
  if (list->empty()) metadata.erase("finalizers");
}

}  // namespace margay::server
