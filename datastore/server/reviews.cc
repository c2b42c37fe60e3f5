#include "datastore/server/reviews.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/core/text.h"
#include "base/json/value.h"
#include "datastore/server/call.h"
#include "datastore/server/failure.h"
#include "datastore/server/protobuf_body.h"

namespace margay::server {
namespace {

using json::Value;

constexpr std::string_view kAuthorization = "authorization.k8s.io/v1";
constexpr std::string_view kAuthentication = "authentication.k8s.io/v1";

// Everybody who is known may read what is not an object (discovery, health, metrics); the rest is for administrators.
bool may_use_path(const Access& access, const User& user, std::string_view verb) {
  return verb == "get" || verb == "head" || access.allows(user, {"*", "*", "*", ""});
}

Value access_status(const Access& access, const User& user, const Value& spec) {
  const auto text = [&](std::string_view part, std::string_view name) { return spec.string_at({part, name}); };
  const bool is_of_resource = spec.find("resourceAttributes") != nullptr;
  const std::string_view verb = text(is_of_resource ? "resourceAttributes" : "nonResourceAttributes", "verb");
  const AccessRequest asked{verb, text("resourceAttributes", "group"), text("resourceAttributes", "resource"),
                            text("resourceAttributes", "subresource")};
  const bool is_allowed = is_of_resource ? access.allows(user, asked) : may_use_path(access, user, verb);
  json::Object out;
  out.append_new("allowed", is_allowed);
  if (!is_allowed) out.append_new("reason", concat("no rule of user ", quoted(user.name), " or its groups says so"));
  return out;
}

// "ippools.projectcalico.org/status" as Kubernetes writes it: group and "ippools/status".
json::Object resource_rule(const Access::RuleText& rule) {
  json::Array groups;
  json::Array resources;
  for (const std::string& kind : rule.kinds) {
    const std::string_view whole(kind);
    const std::string_view subresource = whole.substr(std::min(whole.find('/'), whole.size()));
    const std::string_view plain = whole.substr(0, whole.size() - subresource.size());
    const std::size_t dot = plain.find('.');
    groups.push_back(Value(dot == std::string_view::npos ? std::string_view("*") : plain.substr(dot + 1)));
    resources.push_back(Value(concat(plain.substr(0, dot), subresource)));
  }
  json::Object out;
  out.append_new("verbs", json::Array(rule.verbs.begin(), rule.verbs.end()));
  out.append_new("apiGroups", std::move(groups));
  out.append_new("resources", std::move(resources));
  return out;
}

Value rules_status(const Access& access, const User& user) {
  json::Array resources;
  for (const Access::RuleText& rule : access.rules_of(user)) resources.push_back(resource_rule(rule));
  json::Object paths;
  paths.append_new("verbs", json::Array{may_use_path(access, user, "post") ? "*" : "get"});
  paths.append_new("nonResourceURLs", json::Array{"*"});
  json::Object out;
  out.append_new("resourceRules", std::move(resources));
  out.append_new("nonResourceRules", json::Array{std::move(paths)});
  out.append_new("incomplete", false);
  return out;
}

Value identity_status(const User& user) {
  json::Object info;
  info.append_new("username", user.name);
  if (!user.uid.empty()) info.append_new("uid", user.uid);
  if (!user.groups.empty()) info.append_new("groups", json::Array(user.groups.begin(), user.groups.end()));
  json::Object out;
  out.append_new("userInfo", std::move(info));
  return out;
}

http::Response answer(std::string_view api_version, std::string_view kind, const Value& asked, Value status) {
  json::Object out;
  out.append_new("kind", kind);
  out.append_new("apiVersion", api_version);
  out.append_new("metadata", json::Object{{"creationTimestamp", Value()}});
  const Value* spec = asked.find("spec");
  if (spec != nullptr) out.append_new("spec", *spec);
  out.append_new("status", std::move(status));
  return json_response(201, json::dump(out));
}

Result<Value> parse_body(const http::Request& request) {
  if (request.headers.get("Content-Type").starts_with(kProtobufType)) return parse_protobuf_body(request.body);
  return json::parse(request.body);
}

}  // namespace

std::optional<http::Response> review_response(const Access& access, const User& user, const http::Request& request,
                                              std::string_view path) {
  const bool is_access = path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  const bool is_rules = path == "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
  const bool is_identity = path == "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  if (!is_access && !is_rules && !is_identity) return std::nullopt;
  if (request.method != "POST") return failure_response(method_not_allowed());
  const auto body = parse_body(request);
  if (!body.ok()) return failure_response(bad_request(body.error().message));
  const Value* spec = body->find("spec");
  if (is_identity) return answer(kAuthentication, "SelfSubjectReview", *body, identity_status(user));
  if (is_rules) return answer(kAuthorization, "SelfSubjectRulesReview", *body, rules_status(access, user));
  const bool has_question = spec != nullptr && (spec->find("resourceAttributes") != nullptr) !=
                                                   (spec->find("nonResourceAttributes") != nullptr);
  if (!has_question)
    return failure_response(bad_request("spec: one of resourceAttributes and nonResourceAttributes is needed"));
  return answer(kAuthorization, "SelfSubjectAccessReview", *body, access_status(access, user, *spec));
}

}  // namespace margay::server
