// help, completion and version: what netctl says about itself.
#include <utility>

#include "base/core/text.h"
#include "base/file/file.h"
#include "base/json/yaml.h"
#include "ctl/command/commands.h"
#include "ctl/command/complete.h"
#include "ctl/command/help.h"
#include "ctl/command/nearest.h"
#include "ctl/verbs/verbs.h"

namespace margay::verbs {
namespace {

using command::ExitCode;

struct Versions {
  json::Value client;
  json::Value server;   // null: not asked for, or no answer
  json::Value cluster;  // spec of its ClusterInformation; null: it has none
  std::string problem;  // why there is no answer
};

Versions find_versions(Session& session) {
  Versions versions;
  versions.client = json::Object{{"version", session.self().version}, {"commit", session.self().commit}};
  if (session.invocation().is_on("client")) return versions;
  const auto origin = session.server().origin();
  // Without any configuration there is no server to be missed.
  if (!origin.ok() && origin.error().code == ErrorCode::kNotFound) return versions;
  const auto api = session.api();
  if (!api.ok()) {
    versions.problem = api.error().message;
    return versions;
  }
  const auto body = (*api)->get_path("/version");
  if (!body.ok()) {
    versions.problem = body.error().message;
    return versions;
  }
  auto parsed = json::parse(*body);
  if (parsed.ok() && parsed->as_object() != nullptr) {
    versions.server = *std::move(parsed);
  } else {
    versions.problem = "the server's answer to /version is no JSON object";
  }
  const schema::ResourceInfo* const info = session.kind_of("projectcalico.org/v3", "ClusterInformation", false);
  // A server that does not know the kind, or does not let us see it, is no fault.
  const auto cluster = (*api)->get(*info, {"", "default"});
  const json::Value* const spec = cluster.ok() ? cluster->find("spec") : nullptr;
  if (spec != nullptr && spec->as_object() != nullptr) versions.cluster = *spec;
  return versions;
}

json::Value as_value(const Versions& versions) {
  json::Object value{{"clientVersion", versions.client}};
  if (!versions.server.is_null()) value["serverVersion"] = versions.server;
  if (!versions.cluster.is_null()) value["cluster"] = versions.cluster;
  return value;
}

std::string as_text(const Versions& versions) {
  const std::string_view commit = versions.client.string_at({"commit"});
  std::string out = concat("Client: ", versions.client.string_at({"version"}), commit.empty() ? "" : " ", commit, '\n');
  if (!versions.server.is_null()) out.append(concat("Server: ", versions.server.string_at({"gitVersion"}), '\n'));
  for (const auto& [label, field] :
       {std::pair("Cluster: ", "calicoVersion"), std::pair("Cluster Type: ", "clusterType"),
        std::pair("Cluster GUID: ", "clusterGUID")}) {
    const std::string_view text = versions.cluster.string_at({field});
    if (!text.empty()) out.append(concat(label, text, '\n'));
  }
  return out;
}

ExitCode write_manual(Session& session, const std::string& folder) {
  for (const command::ManualFile& page : command::manual_files(command::root())) {
    const Status written = file::write_file_atomically(concat(folder, "/", page.name), page.text);
    if (!written.ok()) return session.fail(written.error());
  }
  return ExitCode::kDone;
}

}  // namespace

ExitCode run_version(Session& session) {
  const Versions versions = find_versions(session);
  const std::string output = session.invocation().text("output");
  if (output == "json") {
    session.io().out(json::dump_pretty(as_value(versions)));
  } else if (output == "yaml") {
    session.io().out(json::dump_yaml(as_value(versions)));
  } else {
    session.io().out(as_text(versions));
  }
  if (versions.problem.empty()) return ExitCode::kDone;
  session.io().error(concat("server: ", versions.problem));
  return ExitCode::kDegraded;
}

ExitCode run_completion(Session& session) {
  const std::string& shell = session.invocation().arguments.front();
  const std::string script = command::completion_script(shell);
  if (script.empty()) {
    return session.usage(concat("no completion for ", quoted(shell), ", there is bash, zsh and fish"));
  }
  session.io().out(script);
  return ExitCode::kDone;
}

ExitCode run_help(Session& session) {
  const command::Invocation& invocation = session.invocation();
  if (invocation.is_given("man-pages")) return write_manual(session, invocation.text("man-pages"));
  const auto text =
      command::help_for(command::root(), invocation.arguments, session.self().program, invocation.is_on("man"));
  if (!text.ok()) return session.usage(text.error().message);
  session.io().out(*text);
  return ExitCode::kDone;
}

}  // namespace margay::verbs
