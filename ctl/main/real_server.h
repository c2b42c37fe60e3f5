// The API server that flags, files and environment name, over the network.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/core/time.h"
#include "ctl/command/parse.h"
#include "ctl/verbs/session.h"
#include "datastore/kube/config.h"

namespace margay::ctl {

struct RealServerOptions {
  std::string user_agent;
  Duration call_timeout;  // of each request; zero: none
  bool shows_warnings = true;
};

class RealServer final : public verbs::Server {
 public:
  // Both outlive it.
  RealServer(const command::Invocation& invocation, verbs::Io& io, RealServerOptions options);
  ~RealServer() override;

  Result<std::string> default_namespace() override;
  Result<verbs::Api*> api() override;
  Result<std::string> origin() override;
  std::vector<std::string> contexts() override;

 private:
  struct Connection;
  Result<const kube::ConnectionConfig*> config();

  const command::Invocation& invocation_;
  verbs::Io& io_;
  RealServerOptions options_;
  std::optional<Result<kube::ConnectionConfig>> config_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace margay::ctl
