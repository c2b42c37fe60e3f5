#include "ctl/verbs/session.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "ctl/command/help.h"

namespace margay::verbs {
namespace {

using command::ExitCode;

bool is_built_in(const schema::Registry& registry, const json::Value& crd) {
  const std::string_view group = crd.string_at({"spec", "group"});
  const std::string_view kind = crd.string_at({"spec", "names", "kind"});
  const auto all = registry.all();
  return std::any_of(all.begin(), all.end(),
                     [&](const schema::ResourceInfo* known) { return known->group == group && known->kind == kind; });
}

// What may be behind an error of the connection; "" or begins with "; ".
std::string_view hint_for(std::string_view message) {
  const auto says = [message](std::string_view text) { return message.find(text) != std::string_view::npos; };
  if (says("TLS: certificate") && says("mismatch"))
    return "; the server's certificate is for other names than the one in its URL";
  if (says("TLS: certificate")) return "; --certificate-authority FILE says what it is checked with";
  if (says("http://") && says("the server closed the connection")) return "; does it expect https://?";
  return "";
}

}  // namespace

Result<Api*> Session::api() {
  auto connected = server_.api();
  if (connected.ok()) return connected;
  return Error{ErrorCode::kUnavailable, connected.error().message};
}

node::Host& Session::host() {
  if (host_ != nullptr) return *host_;
  if (machine_ == nullptr) machine_ = node::machine_host();
  return *machine_;
}

std::string Session::name_space() {
  if (invocation_.is_given("namespace")) return invocation_.text("namespace");
  return server_.default_namespace().value_or("default");
}

Result<std::vector<Target>> Session::targets(const std::vector<std::string>& words) {
  auto parsed = parse_targets(registry_, words);
  if (!parsed.ok() && parsed.error().code == ErrorCode::kNotFound && learn_kinds())
    parsed = parse_targets(registry_, words);
  if (!parsed.ok()) return parsed;
  for (Target& target : *parsed) {
    for (std::string& name : target.names) {
      if (!has_upper_case(name)) continue;
      const std::string lower = to_lower(name);
      io_.warning(concat("names have no upper-case letters: ", name, " is taken as ", lower));
      name = lower;
    }
  }
  return parsed;
}

const schema::ResourceInfo* Session::kind_of(std::string_view api_version, std::string_view kind, bool may_ask_server) {
  const schema::ResourceInfo* found = registry_.by_kind(api_version, kind);
  if (found == nullptr && may_ask_server && learn_kinds()) found = registry_.by_kind(api_version, kind);
  return found;
}

bool Session::learn_kinds() {
  if (std::exchange(has_learned_, true)) return false;
  const schema::ResourceInfo* definitions = registry_.by_kind("apiextensions.k8s.io/v1", "CustomResourceDefinition");
  const auto connected = api();
  if (definitions == nullptr || !connected.ok()) return false;
  const auto listed = (*connected)->list(*definitions, "", {});
  if (!listed.ok()) return false;
  bool is_any_new = false;
  for (const json::Value& crd : listed->items) {
    // What is built in stays: its schema is what this netctl was tested with.
    if (!is_built_in(registry_, crd) && registry_.add_crd(crd).ok()) is_any_new = true;
  }
  return is_any_new;
}

ExitCode Session::usage(std::string_view message) {
  io_.message(command::describe(command::UsageError{std::string(message), invocation_.path}, self_.program));
  return ExitCode::kUsage;
}

ExitCode Session::fail(const Error& error) {
  io_.error(error.message);
  return exit_code_of(error.code);
}

ExitCode Session::fail(std::string_view about, const kube::ApiError& error) {
  io_.error(concat(about, about.empty() ? "" : ": ", describe(error), origin_of(error)));
  return exit_code_of(error.code);
}

std::string Session::origin_of(const kube::ApiError& error) {
  const bool is_unreachable =
      error.http_status == 0 && (error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kTimeout);
  const bool is_refused = error.http_status == 401;
  const auto origin = server_.origin();
  if ((!is_unreachable && !is_refused) || !origin.ok()) return {};
  if (is_refused) return concat("; the credentials are wrong or have expired (", *origin, ')');
  return concat(hint_for(error.message), " (", *origin, ')');
}

ExitCode exit_code_of(ErrorCode code) { return code == ErrorCode::kNotFound ? ExitCode::kNotFound : ExitCode::kFailed; }

kube::ObjectName name_in(const schema::ResourceInfo& resource, const json::Value& object) {
  return {resource.is_namespaced ? std::string(object.string_at({"metadata", "namespace"})) : std::string(),
          std::string(object.string_at({"metadata", "name"}))};
}

}  // namespace margay::verbs
