#include "ctl/main/real_server.h"

#include <csignal>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/loop/asio_loop.h"
#include "base/loop/asio_network.h"
#include "base/process/signals.h"
#include "ctl/verbs/request_trace.h"
#include "datastore/kube/kubeconfig.h"
#include "datastore/kube/make_client.h"

namespace margay::ctl {
namespace {

constexpr Duration kForEver = std::chrono::hours(24 * 365);

kube::ConnectionFlags flags_of(const command::Invocation& invocation) {
  kube::ConnectionFlags flags;
  flags.servers = invocation.text("server");
  flags.kubeconfig = invocation.text("kubeconfig");
  flags.context = invocation.text("context");
  flags.ca_file = invocation.text("certificate-authority");
  flags.client_certificate_file = invocation.text("client-certificate");
  flags.client_key_file = invocation.text("client-key");
  return flags;
}

kube::ClientOptions client_options(const RealServerOptions& options) {
  kube::ClientOptions out;
  out.user_agent = options.user_agent;
  out.call_timeout = options.call_timeout == Duration(0) ? kForEver : options.call_timeout;
  out.answer_timeout = out.call_timeout;
  return out;
}

}  // namespace

struct RealServer::Connection {
  // `out`: for lines of a trace; empty: none is wanted.
  using Out = std::function<void(std::string_view line)>;

  Connection(const kube::ConnectionConfig& config, const kube::ClientOptions& chosen, verbs::TraceLevel level, Out out)
      : network(loop), random(system_seed()) {
    kube::HttpFactory make_http = kube::make_http_factory(loop, network, config, chosen);
    if (out) make_http = traced(std::move(make_http), level, std::move(out));
    client = kube::make_client(loop, random, config, chosen, std::move(make_http), kube::read_file);
  }

  kube::HttpFactory traced(kube::HttpFactory inner, verbs::TraceLevel level, Out out) {
    return [this, inner = std::move(inner), level, out = std::move(out)](const kube::ServerUrl& url) {
      return verbs::traced(inner(url), loop, {level, url.to_string(), out});
    };
  }

  loop::AsioLoop loop;
  loop::AsioNetwork network;
  SeededRandom random;
  std::unique_ptr<kube::Client> client{};
  std::unique_ptr<process::SignalWatch> signals;
  bool is_interrupted = false;
  std::unique_ptr<verbs::Api> api;
};

RealServer::RealServer(const command::Invocation& invocation, verbs::Io& io, RealServerOptions options)
    : invocation_(invocation), io_(io), options_(std::move(options)) {}
RealServer::~RealServer() = default;

Result<const kube::ConnectionConfig*> RealServer::config() {
  if (!config_) {
    config_ = kube::choose_connection(flags_of(invocation_), kube::Environment::of_process());
    if (config_->ok() && invocation_.is_given("token")) {
      (*config_)->token = invocation_.text("token");
      (*config_)->token_file.clear();
    }
    if (config_->ok() && invocation_.is_on("insecure-skip-tls-verify")) (*config_)->tls.insecure_skip_verify = true;
  }
  if (!config_->ok()) return config_->error();
  return &config_->value();
}

Result<std::string> RealServer::default_namespace() {
  MARGAY_ASSIGN_OR_RETURN(const kube::ConnectionConfig* chosen, config());
  return chosen->default_namespace;
}

Result<std::string> RealServer::origin() {
  MARGAY_ASSIGN_OR_RETURN(const kube::ConnectionConfig* chosen, config());
  return chosen->origin;
}

Result<verbs::Api*> RealServer::api() {
  if (connection_ != nullptr) return connection_->api.get();
  MARGAY_ASSIGN_OR_RETURN(const kube::ConnectionConfig* chosen, config());
  const int level = invocation_.level("verbose");
  Connection::Out out;
  if (level > 0) {
    io_.message(concat("connection: ", chosen->origin, '\n'));
    out = [this](std::string_view line) { io_.message(concat(line, '\n')); };
  }
  const auto trace = level > 1 ? verbs::TraceLevel::kBodies : verbs::TraceLevel::kRequests;
  kube::ClientOptions client = client_options(options_);
  client.on_warning = [this](const std::string& text) {
    if (options_.shows_warnings) io_.server_warning(text);
  };
  auto connection = std::make_unique<Connection>(*chosen, client, trace, std::move(out));
  Connection& here = *connection;
  MARGAY_ASSIGN_OR_RETURN(here.signals, process::SignalWatch::make(here.loop, {SIGINT, SIGTERM},
                                                                   [&here](int) { here.is_interrupted = true; }));
  const verbs::Pump pump = [&here](const std::function<bool()>& is_done) {
    here.loop.run_until([&] { return is_done() || here.is_interrupted; }, kForEver);
    return is_done();
  };
  here.api = std::make_unique<verbs::Api>(*here.client, pump);
  connection_ = std::move(connection);
  return connection_->api.get();
}

std::vector<std::string> RealServer::contexts() {
  const kube::Environment environment = kube::Environment::of_process();
  std::string files = invocation_.text("kubeconfig");
  if (files.empty()) files = environment.kubeconfig;
  if (files.empty()) files = environment.home + "/.kube/config";
  const auto kubeconfig = kube::load_kubeconfig(files, kube::read_file);
  if (!kubeconfig.ok()) return {};
  std::vector<std::string> names;
  for (const auto& [name, context] : kubeconfig->contexts) names.push_back(name);
  return names;
}

}  // namespace margay::ctl
