// What a command works with: the command line, the kinds, the outside, and the API server, which is connected to when
// it is first needed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "ctl/command/exit_code.h"
#include "ctl/command/parse.h"
#include "ctl/node/host.h"
#include "ctl/verbs/api.h"
#include "ctl/verbs/io.h"
#include "ctl/verbs/targets.h"
#include "datastore/schema/registry.h"

namespace margay::verbs {

// The way to the API server, chosen by flags, files and environment; main/ has the real one, tests a fake.
class Server {
 public:
  virtual ~Server() = default;
  // The namespace of the context in use; an error when nothing is configured. Asks no server.
  virtual Result<std::string> default_namespace() = 0;
  // Connects to what is configured; the same each time. The error says what was looked for.
  virtual Result<Api*> api() = 0;
  // "context lab of /root/.kube/config". The error says what is wrong; kNotFound: nothing is configured.
  virtual Result<std::string> origin() = 0;
  // Contexts of the configuration files, for completion.
  virtual std::vector<std::string> contexts() = 0;
};

// What netctl knows of itself.
struct Self {
  std::string program;  // "netctl", "kubectl netctl"
  std::string version;
  std::string commit;
};

class Session {
 public:
  // All but `self` outlive it.
  Session(const command::Invocation& invocation, Self self, schema::Registry& registry, Io& io, Server& server)
      : invocation_(invocation), self_(std::move(self)), registry_(registry), io_(io), server_(server) {}

  [[nodiscard]] const command::Invocation& invocation() const { return invocation_; }
  [[nodiscard]] const Self& self() const { return self_; }
  schema::Registry& registry() { return registry_; }
  Io& io() { return io_; }
  Server& server() { return server_; }
  // This machine: the real one, unless another was set.
  node::Host& host();
  void set_host(node::Host& host) { host_ = &host; }

  // The server, connected; where nothing is configured that is an error like others, not "not found".
  Result<Api*> api();
  // -n, else the context's, else "default".
  std::string name_space();
  // KIND and NAME arguments. A kind that is not built in is looked for among the server's definitions. Names with
  // upper-case letters are lower-cased, with a warning.
  Result<std::vector<Target>> targets(const std::vector<std::string>& words);
  // The kind of an object in a file, built in or among the server's; nullptr when nobody knows it.
  const schema::ResourceInfo* kind_of(std::string_view api_version, std::string_view kind, bool may_ask_server);

  // An error of usage: message with the way to the help.
  command::ExitCode usage(std::string_view message);
  // Any other error: "error: …" and its exit code.
  command::ExitCode fail(const Error& error);
  command::ExitCode fail(std::string_view about, const kube::ApiError& error);

 private:
  // Where the server and the credentials came from, when that may be what is wrong.
  std::string origin_of(const kube::ApiError& error);
  // Adds the definitions of the server to the registry, once; true if there were any new.
  bool learn_kinds();

  const command::Invocation& invocation_;
  Self self_;
  schema::Registry& registry_;
  Io& io_;
  Server& server_;
  node::Host* host_ = nullptr;
  std::unique_ptr<node::Host> machine_;
  bool has_learned_ = false;
};

command::ExitCode exit_code_of(ErrorCode code);

// metadata.name and metadata.namespace.
kube::ObjectName name_in(const schema::ResourceInfo& resource, const json::Value& object);

}  // namespace margay::verbs
