#include "datastore/server/api_server.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "base/telemetry/exposition.h"
#include "datastore/server/collector.h"
#include "datastore/server/crd_controller.h"
#include "datastore/server/discovery.h"
#include "datastore/server/fault_injection.h"
#include "datastore/server/namespace_controller.h"
#include "datastore/server/observed_responder.h"
#include "datastore/server/request_metrics.h"
#include "datastore/server/requests.h"
#include "datastore/server/reviews.h"
#include "datastore/server/startup.h"

namespace margay::server {
namespace {

std::optional<std::string_view> verb_of(std::string_view method, const ResourcePath& path, const http::Target& target) {
  const bool is_collection = path.name.empty();
  const bool is_read = method == "GET" || method == "HEAD";
  if (is_read && !is_collection) return "get";
  if (is_read) {
    const auto watch = target.parameter("watch");
    return watch && *watch != "0" && *watch != "false" ? "watch" : "list";
  }
  if (method == "POST" && is_collection) return "create";
  if (method == "PUT" && !is_collection) return "update";
  if (method == "PATCH" && !is_collection) return "patch";
  if (method == "DELETE") return is_collection ? "deletecollection" : "delete";
  return std::nullopt;
}

// Whether such a path can be, for such a kind.
bool can_be(const schema::ResourceInfo& resource, const ResourcePath& path, std::string_view verb) {
  if (!resource.is_namespaced && !path.name_space.empty()) return false;
  const bool needs_namespace = verb != "list" && verb != "watch" && verb != "deletecollection";
  if (resource.is_namespaced && path.name_space.empty() && needs_namespace) return false;
  if (path.subresource.empty()) return true;
  return path.subresource == "status" && resource.has_status && verb != "delete";
}

}  // namespace

struct ApiServer::Impl {
  Impl(Dependencies dependencies, std::unique_ptr<schema::Registry> registry, ApiServerConfig configuration)
      : on(std::move(dependencies)),
        config(std::move(configuration)),
        catalog(std::move(registry)),
        requests({on.loop, on.random, on.store, catalog}),
        metrics(on.metrics, on.loop, requests),
        startup({on.loop, on.random, on.store, catalog, requests.mutator(), on.log}),
        controllers{on.loop, on.random, on.store, catalog, requests.mutator()},
        crds(controllers, on.log),
        namespaces(controllers),
        collector(controllers) {
    if (config.allow_fault_injection)
      faults = std::make_unique<FaultInjection>(on.loop, on.random, [this] { requests.drop_watches(); });
  }

  void handle(http::Request request, const http::PeerInfo& peer, std::unique_ptr<http::Responder> responder);
  void handle_resource(http::Request request, http::Target target, const User& user, ResourcePath path,
                       std::unique_ptr<http::Responder> responder);
  std::optional<http::Response> handle_open(const http::Request& request, const http::Target& target);
  std::optional<http::Response> handle_document(const http::Request& request, const http::Target& target);
  void readyz(std::unique_ptr<http::Responder> responder);

  Dependencies on;
  ApiServerConfig config;
  Catalog catalog;
  Requests requests;
  RequestMetrics metrics;
  Startup startup;
  ControllerContext controllers;
  CrdController crds;
  NamespaceController namespaces;
  Collector collector;
  std::unique_ptr<FaultInjection> faults;  // null: not allowed
};

ApiServer::ApiServer(Dependencies dependencies, std::unique_ptr<schema::Registry> registry, ApiServerConfig config)
    : impl_(std::make_unique<Impl>(std::move(dependencies), std::move(registry), std::move(config))) {}

ApiServer::~ApiServer() = default;

void ApiServer::start(Task ready) {
  impl_->startup.run([this, ready = std::move(ready)]() mutable {
    impl_->crds.start();
    impl_->namespaces.start();
    impl_->collector.start();
    if (ready) ready();
  });
}

void ApiServer::stop() { impl_->requests.finish_watches(); }

void ApiServer::handle(http::Request request, const http::PeerInfo& peer, std::unique_ptr<http::Responder> responder) {
  impl_->handle(std::move(request), peer, std::move(responder));
}

void ApiServer::Impl::handle(http::Request request, const http::PeerInfo& peer,
                             std::unique_ptr<http::Responder> responder) {
  auto target = http::parse_target(request.target);
  if (!target) return responder->send(failure_response(bad_request(target.error().message)));
  if (target->path == "/readyz") return readyz(std::move(responder));
  if (auto response = handle_open(request, target.value())) return responder->send(std::move(*response));
  const auto user =
      config.access.authenticate({request.headers.get("Authorization"), peer.certificate, on.loop.wall_now()});
  if (!user) {
    http::Response response = failure_response(unauthorized());
    response.headers.add("WWW-Authenticate", "Bearer");
    return responder->send(std::move(response));
  }
  if (auto response = review_response(config.access, *user, request, target->path))
    return responder->send(std::move(*response));
  if (auto path = parse_resource_path(target->path))
    return handle_resource(std::move(request), std::move(target).value(), *user, std::move(*path),
                           std::move(responder));
  if (faults != nullptr && config.access.allows(*user, {"update", "", "faults", ""}))
    if (auto response = faults->administer(request, target->path)) return responder->send(std::move(*response));
  auto response = handle_document(request, target.value());
  responder->send(response ? std::move(*response) : failure_response(no_such_path()));
}

// What may be asked without a token.
std::optional<http::Response> ApiServer::Impl::handle_open(const http::Request&, const http::Target& target) {
  if (target.path == "/healthz" || target.path == "/livez") return text_response(200, "ok");
  return std::nullopt;
}

std::optional<http::Response> ApiServer::Impl::handle_document(const http::Request& request,
                                                               const http::Target& target) {
  if (request.method != "GET" && request.method != "HEAD") return failure_response(method_not_allowed());
  if (target.path == "/metrics") {
    const auto format = telemetry::choose_exposition(request.headers.get("Accept"));
    http::Response response{200, {}, telemetry::render(on.metrics, format)};
    response.headers.add("Content-Type", std::string(telemetry::content_type(format)));
    return response;
  }
  return discovery_response(catalog.registry(), target.path, request.headers.get("Accept"),
                            request.headers.get("Host"));
}

void ApiServer::Impl::readyz(std::unique_ptr<http::Responder> responder) {
  if (!startup.is_done()) return responder->send(text_response(503, "starting\n"));
  on.store.check([responder = std::move(responder)](const Status& status) {
    if (status.ok()) return responder->send(text_response(200, "ok"));
    responder->send(text_response(503, concat("store: ", status.error().message, '\n')));
  });
}

void ApiServer::Impl::handle_resource(http::Request request, http::Target target, const User& user, ResourcePath path,
                                      std::unique_ptr<http::Responder> responder) {
  const auto refuse = [&](const Failure& failure) { responder->send(failure_response(failure)); };
  ResourcePtr resource = catalog.find(path.group, path.version, path.plural);
  if (resource == nullptr) return refuse(no_such_path());
  const auto verb = verb_of(request.method, path, target);
  if (!verb) return refuse(method_not_allowed());
  if (!can_be(resource->info, path, *verb)) return refuse(no_such_path());
  const AccessRequest asked{*verb, path.group, path.plural, path.subresource};
  if (!config.access.allows(user, asked))
    return refuse(forbidden(resource->subject(path.name), user.name, *verb, path.name_space));
  const auto form = negotiate(request.headers.get("Accept"));
  if (!form) return refuse(form.error());
  const auto rows = parse_row_object(target.parameter("includeObject").value_or(""));
  if (!rows) return refuse(rows.error());
  auto call = std::make_unique<Call>();
  call->verb = *verb;
  call->request = std::move(request);
  call->target = std::move(target);
  call->responder = std::make_unique<ObservedResponder>(
      std::move(responder), metrics.on_status(*verb, path.plural, path.group), resource->info.deprecation);
  call->path = std::move(path);
  call->resource = std::move(resource);
  call->user = user.name;
  call->form = form.value();
  call->rows = rows.value();
  call->now = on.loop.wall_now();
  if (faults == nullptr) return requests.serve(std::move(call));
  auto under_way = std::move(call->responder);
  // A shared call, because std::function wants to be copied.
  auto shared = std::make_shared<CallPtr>(std::move(call));
  const Call& named = **shared;
  faults->run({named.verb, named.path.plural, named.path.name_space, named.path.name}, std::move(under_way),
              [this, shared](std::unique_ptr<http::Responder> spoiled) {
                (*shared)->responder = std::move(spoiled);
                requests.serve(std::move(*shared));
              });
}

}  // namespace margay::server
