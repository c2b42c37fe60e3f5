#include "datastore/server/options.h"

#include <utility>

#include "base/core/base64.h"
#include "base/core/text.h"

namespace margay::server {
namespace {

constexpr std::string_view kTokenVersion = "meta.k8s.io/v1";
constexpr std::int64_t kTimeoutSecondsMax = 86'400;

Failure bad_option(std::string_view kind, const FieldErrors& errors) {
  return invalid_object(Subject{"meta.k8s.io", "", std::string(kind), ""}, errors);
}

FieldError not_supported(std::string field, std::string_view found, std::string_view supported) {
  return {FieldError::Kind::kNotSupported, std::move(field),
          concat("Unsupported value: ", found, ": supported values: ", supported)};
}

FieldError forbidden_field(std::string field, std::string_view why) {
  return {FieldError::Kind::kForbidden, std::move(field), concat("Forbidden: ", why)};
}

// As Kubernetes reads them: "?watch" and "?watch=1" are true.
ApiResult<bool> flag(const http::Target& target, std::string_view name) {
  const auto text = target.parameter(name);
  if (!text) return false;
  if (text->empty() || *text == "1" || equals_ignoring_case(*text, "true") || *text == "t") return true;
  if (*text == "0" || equals_ignoring_case(*text, "false") || *text == "f") return false;
  return bad_request(concat(name, ": ", quoted(*text), " is neither true nor false"));
}

ApiResult<std::optional<std::int64_t>> number(const http::Target& target, std::string_view name) {
  const auto text = target.parameter(name);
  if (!text || text->empty()) return std::optional<std::int64_t>();
  const auto value = parse_number<std::int64_t>(*text);
  if (!value) return bad_request(concat(name, ": ", quoted(*text), " is not a number"));
  return std::optional<std::int64_t>(*value);
}

std::string parameter_text(const http::Target& target, std::string_view name) {
  return std::string(target.parameter(name).value_or(""));
}

ApiResult<VersionMatch> version_match(const http::Target& target) {
  const std::string text = parameter_text(target, "resourceVersionMatch");
  if (text.empty()) return VersionMatch::kUnset;
  if (text == "Exact") return VersionMatch::kExact;
  if (text == "NotOlderThan") return VersionMatch::kNotOlderThan;
  return bad_option("ListOptions",
                    {not_supported("resourceVersionMatch", quoted(text), "\"Exact\", \"NotOlderThan\", \"\"")});
}

ApiStatus check_match(const ListOptions& options) {
  FieldErrors errors;
  const auto refuse = [&](std::string_view why) { errors.push_back(forbidden_field("resourceVersionMatch", why)); };
  if (options.match != VersionMatch::kUnset) {
    if (options.is_watch && !options.send_initial_events) refuse("resourceVersionMatch is forbidden for watch");
    if (!options.resource_version && !options.send_initial_events)
      refuse("resourceVersionMatch is forbidden unless resourceVersion is provided");
    if (!options.continue_token.empty()) refuse("resourceVersionMatch is forbidden when continue is provided");
    if (options.match == VersionMatch::kExact && options.resource_version == 0U)
      refuse("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
  }
  if (options.send_initial_events && options.match != VersionMatch::kNotOlderThan)
    refuse("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  if (!errors.empty()) return bad_option("ListOptions", errors);
  if (!options.continue_token.empty() && options.resource_version && *options.resource_version != 0)
    return bad_request("specifying resource version is not allowed when using continue");
  return api_ok();
}

ApiStatus parse_selectors(const http::Target& target, ListOptions& options) {
  auto labels = selector::LabelSelector::parse(parameter_text(target, "labelSelector"));
  if (!labels) return bad_request(concat("unable to parse labelSelector: ", labels.error().message));
  auto fields = selector::FieldSelector::parse(parameter_text(target, "fieldSelector"));
  if (!fields) return bad_request(concat("unable to parse fieldSelector: ", fields.error().message));
  options.labels = std::move(labels).value();
  options.fields = std::move(fields).value();
  return api_ok();
}

ApiStatus parse_watch_options(const http::Target& target, ListOptions& options) {
  MARGAY_ASSIGN_OR_RETURN(options.is_watch, flag(target, "watch"));
  MARGAY_ASSIGN_OR_RETURN(options.allow_bookmarks, flag(target, "allowWatchBookmarks"));
  MARGAY_ASSIGN_OR_RETURN(options.send_initial_events, flag(target, "sendInitialEvents"));
  if (options.send_initial_events && !options.is_watch)
    return bad_option("ListOptions", {forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list")});
  MARGAY_ASSIGN_OR_RETURN(const auto timeout, number(target, "timeoutSeconds"));
  if (timeout && *timeout > 0) options.timeout = std::chrono::seconds(std::min(*timeout, kTimeoutSecondsMax));
  return api_ok();
}

ApiResult<bool> dry_run_of(const std::vector<std::string>& values, std::string_view options_kind) {
  for (const std::string& value : values)
    if (value != "All")
      return bad_option(options_kind, {not_supported("dryRun", concat("[]string{", quoted(value), "}"), "\"All\"")});
  return !values.empty();
}

std::vector<std::string> query_values(const http::Target& target, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [key, value] : target.query)
    if (key == name && !value.empty()) values.push_back(value);
  return values;
}

ApiResult<Propagation> parse_propagation(std::string_view text) {
  if (text.empty()) return Propagation::kUnset;
  if (text == "Background") return Propagation::kBackground;
  if (text == "Foreground") return Propagation::kForeground;
  if (text == "Orphan") return Propagation::kOrphan;
  return bad_option("DeleteOptions", {not_supported("propagationPolicy", quoted(text),
                                                    "\"Foreground\", \"Background\", \"Orphan\", \"nil\"")});
}

std::vector<std::string> body_dry_run(const json::Value& body) {
  std::vector<std::string> values;
  const json::Value* list = body.find("dryRun");
  if (list == nullptr || list->as_array() == nullptr) return values;
  for (const json::Value& value : *list->as_array()) values.emplace_back(value.as_string() ? *value.as_string() : "");
  return values;
}

}  // namespace

ApiResult<std::optional<store::Revision>> parse_resource_version(std::string_view text) {
  if (text.empty()) return std::optional<store::Revision>();
  const auto revision = parse_number<store::Revision>(text);
  if (!revision) return bad_request(concat("resourceVersion: Invalid value: ", quoted(text), ": is not a number"));
  return std::optional<store::Revision>(*revision);
}

ApiResult<ListOptions> parse_list_options(const http::Target& target) {
  ListOptions options;
  MARGAY_RETURN_IF_ERROR(parse_selectors(target, options));
  MARGAY_RETURN_IF_ERROR(parse_watch_options(target, options));
  MARGAY_ASSIGN_OR_RETURN(options.resource_version, parse_resource_version(parameter_text(target, "resourceVersion")));
  MARGAY_ASSIGN_OR_RETURN(options.match, version_match(target));
  MARGAY_ASSIGN_OR_RETURN(const auto limit, number(target, "limit"));
  // Kubernetes takes a negative limit for none.
  if (limit && *limit > 0) options.limit = static_cast<std::size_t>(*limit);
  options.continue_token = parameter_text(target, "continue");
  MARGAY_RETURN_IF_ERROR(check_match(options));
  return options;
}

ApiResult<WriteOptions> parse_write_options(const http::Target& target, std::string_view options_kind) {
  WriteOptions options;
  MARGAY_ASSIGN_OR_RETURN(options.is_dry_run, dry_run_of(query_values(target, "dryRun"), options_kind));
  MARGAY_ASSIGN_OR_RETURN(options.force, flag(target, "force"));
  options.field_manager = parameter_text(target, "fieldManager");
  const std::string validation = parameter_text(target, "fieldValidation");
  if (validation == "Strict") {
    options.field_validation = FieldValidation::kStrict;
  } else if (validation == "Ignore") {
    options.field_validation = FieldValidation::kIgnore;
  } else if (!validation.empty() && validation != "Warn") {
    return bad_option(options_kind,
                      {not_supported("fieldValidation", quoted(validation), "\"Ignore\", \"Strict\", \"Warn\"")});
  }
  return options;
}

ApiResult<DeleteOptions> parse_delete_options(const http::Target& target, const json::Value& body) {
  DeleteOptions options;
  std::vector<std::string> dry_run = query_values(target, "dryRun");
  for (std::string& value : body_dry_run(body)) dry_run.push_back(std::move(value));
  MARGAY_ASSIGN_OR_RETURN(options.is_dry_run, dry_run_of(dry_run, "DeleteOptions"));
  std::string propagation(body.string_at({"propagationPolicy"}));
  if (propagation.empty()) propagation = parameter_text(target, "propagationPolicy");
  MARGAY_ASSIGN_OR_RETURN(options.propagation, parse_propagation(propagation));
  const json::Value* orphan = body.find("orphanDependents");
  if (propagation.empty() && orphan != nullptr && orphan->as_bool() != nullptr)
    options.propagation = *orphan->as_bool() ? Propagation::kOrphan : Propagation::kBackground;
  options.uid = body.string_at({"preconditions", "uid"});
  MARGAY_ASSIGN_OR_RETURN(options.resource_version,
                          parse_resource_version(body.string_at({"preconditions", "resourceVersion"})));
  return options;
}

std::string encode_continue(const ContinueToken& token) {
  json::Object object{{"v", kTokenVersion}};
  object.append_new("rv", token.revision ? static_cast<std::int64_t>(*token.revision) : std::int64_t{-1});
  object.append_new("start", std::string(token.start_after).append(1, '\0'));
  return base64_encode(json::dump(object), Base64Alphabet::kUrl);
}

ApiResult<ContinueToken> decode_continue(std::string_view text) {
  const auto bad = [](std::string_view why) { return bad_request(concat("invalid continue token: ", why)); };
  const auto bytes = base64_decode(text, Base64Alphabet::kUrl);
  if (!bytes) return bad(bytes.error().message);
  const auto object = json::parse(bytes.value());
  if (!object) return bad(object.error().message);
  const json::Value* revision = object->find("rv");
  std::string_view start = object->string_at({"start"});
  if (object->string_at({"v"}) != kTokenVersion || revision == nullptr || revision->as_integer() == nullptr ||
      start.empty() || start.back() != '\0')
    return bad("it was not made by this server");
  start.remove_suffix(1);
  ContinueToken token{std::nullopt, std::string(start)};
  if (*revision->as_integer() > 0) token.revision = static_cast<store::Revision>(*revision->as_integer());
  return token;
}

}  // namespace margay::server
