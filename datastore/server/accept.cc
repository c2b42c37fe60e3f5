#include "datastore/server/accept.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "base/json/yaml.h"
#include "datastore/server/protobuf_body.h"

namespace margay::server {
namespace {

constexpr std::string_view kAcceptedBodies = "application/json, application/yaml";

// "application/json;as=Table;v=v1;g=meta.k8s.io"
struct MediaType {
  std::string type;
  std::vector<std::pair<std::string_view, std::string_view>> parameters;

  [[nodiscard]] std::string_view parameter(std::string_view name) const {
    for (const auto& [key, value] : parameters)
      if (key == name) return value;
    return "";
  }
};

MediaType parse_media_type(std::string_view text) {
  MediaType out;
  bool is_first = true;
  for (const std::string_view part : split(text, ';')) {
    if (std::exchange(is_first, false))
      out.type = to_lower(trim(part));
    else if (const auto pair = split_once(trim(part), '='))
      out.parameters.push_back(*pair);
  }
  return out;
}

std::optional<Form> serve(const MediaType& media) {
  if (media.type != "application/json" && media.type != "application/*" && media.type != "*/*") return std::nullopt;
  const std::string_view as = media.parameter("as");
  if (as.empty()) return Form::kObject;
  if (media.parameter("v") != "v1" || media.parameter("g") != "meta.k8s.io") return std::nullopt;
  if (as == "Table") return Form::kTable;
  if (as == "PartialObjectMetadata" || as == "PartialObjectMetadataList") return Form::kPartialMetadata;
  return std::nullopt;
}

Failure unrecognized(std::string_view kind, std::string_view why) {
  return bad_request(concat("the object provided is unrecognized (must be of type ", kind, "): ", why));
}

ApiResult<json::Value> parse_yaml_body(std::string_view body, std::string_view kind) {
  auto documents = json::parse_yaml(body);
  if (!documents) return unrecognized(kind, documents.error().message);
  if (documents->size() != 1) return unrecognized(kind, concat("expected one document, found ", documents->size()));
  return std::move(documents->front().value);
}

ApiResult<json::Value> must_be_object(json::Value value, std::string_view kind) {
  if (value.as_object() == nullptr)
    return unrecognized(kind, concat("expected an object, found ", json::to_string(value.type())));
  return value;
}

}  // namespace

ApiResult<Form> negotiate(std::string_view accept) {
  if (trim(accept).empty()) return Form::kObject;
  for (const std::string_view clause : split(accept, ','))
    if (const auto form = serve(parse_media_type(clause))) return *form;
  return not_acceptable("application/json");
}

ApiResult<PatchKind> patch_kind(std::string_view content_type, bool is_builtin) {
  const std::string type = parse_media_type(content_type).type;
  if (type == "application/merge-patch+json") return PatchKind::kMerge;
  if (type == "application/json-patch+json") return PatchKind::kJson;
  if (type == "application/apply-patch+yaml") return PatchKind::kApply;
  if (type == "application/strategic-merge-patch+json" && is_builtin) return PatchKind::kStrategic;
  return unsupported_media_type(type, concat("application/json-patch+json, application/merge-patch+json, "
                                             "application/apply-patch+yaml",
                                             is_builtin ? ", application/strategic-merge-patch+json" : ""));
}

ApiResult<json::Value> parse_body(std::string_view content_type, std::string_view body, std::string_view kind) {
  const std::string type = parse_media_type(content_type).type;
  if (type == "application/yaml" || type == "text/yaml") {
    MARGAY_ASSIGN_OR_RETURN(json::Value value, parse_yaml_body(body, kind));
    return must_be_object(std::move(value), kind);
  }
  if (type == kProtobufType) {
    auto value = parse_protobuf_body(body);
    if (value.ok()) return std::move(value).value();
    if (value.error().code == ErrorCode::kUnsupported) return unsupported_media_type(type, kAcceptedBodies);
    return unrecognized(kind, value.error().message);
  }
  if (!type.empty() && type != "application/json") return unsupported_media_type(type, kAcceptedBodies);
  auto value = json::parse(body);
  if (!value) return unrecognized(kind, value.error().message);
  return must_be_object(std::move(value).value(), kind);
}

}  // namespace margay::server
