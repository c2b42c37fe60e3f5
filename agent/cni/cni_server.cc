#include "agent/cni/cni_server.h"

#include <utility>

#include "base/core/text.h"

namespace margay::agent {
namespace {

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid: return 400;
    case ErrorCode::kPermissionDenied: return 403;
    case ErrorCode::kNotFound: return 404;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kConflict: return 409;
    case ErrorCode::kUnavailable:
    case ErrorCode::kLimitExceeded: return 503;
    case ErrorCode::kTimeout: return 504;
    case ErrorCode::kGone:
    case ErrorCode::kUnsupported:
    case ErrorCode::kCancelled:
    case ErrorCode::kInternal: return 500;
  }
  return 500;
}

telemetry::Counter counter(telemetry::Registry* metrics, const char* name, const char* help) {
  return metrics == nullptr ? telemetry::Counter() : metrics->counter({name, help, ""});
}

telemetry::Gauge gauge(telemetry::Registry* metrics, const char* name, const char* help) {
  return metrics == nullptr ? telemetry::Gauge() : metrics->gauge({name, help, ""});
}

}  // namespace

void send_json(http::Responder& responder, int status, const json::Value& body) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", "application/json");
  response.body = json::dump(body);
  responder.send(std::move(response));
}

void send_error(http::Responder& responder, const Error& error) {
  json::Object body;
  body["error"] = error.message;
  send_json(responder, status_of(error.code), json::Value(std::move(body)));
}

bool may_pass(const Error& error) {
  return error.code == ErrorCode::kConflict || error.code == ErrorCode::kUnavailable ||
         error.code == ErrorCode::kTimeout || error.code == ErrorCode::kInternal;
}

CniServer::CniServer(Parts parts)
    : parts_(std::move(parts)),
      spool_(parts_.spool_folder),
      interfaces_(parts_.interfaces_folder),
      adds_(counter(parts_.metrics, "margay_cni_add_total", "CNI ADD requests.")),
      add_failures_(counter(parts_.metrics, "margay_cni_add_failures_total", "CNI ADD requests that failed.")),
      dels_(counter(parts_.metrics, "margay_cni_del_total", "CNI DEL requests.")),
      delayed_releases_(counter(parts_.metrics, "margay_cni_delayed_releases_total",
                                "Releases that were written down to be done later.")),
      exhausted_(counter(parts_.metrics, "margay_ipam_exhausted_total",
                         "Requests for addresses that failed as the pools had none left.")),
      blocks_(gauge(parts_.metrics, "margay_ipam_blocks", "Blocks of addresses that this node owns.")),
      addresses_(gauge(parts_.metrics, "margay_ipam_addresses", "Addresses given out of this node's blocks.")),
      free_(gauge(parts_.metrics, "margay_ipam_free_addresses", "Addresses left in this node's blocks.")) {
  spool_timer_ = parts_.loop.make_timer([this] { take_up_spool(); });
}

CniServer::~CniServer() = default;

void CniServer::start() { take_up_spool(); }

void CniServer::count_addresses() {
  std::size_t blocks = 0, given = 0, left = 0;
  for (const auto& [cidr, block] : parts_.book.allocator().blocks()) {
    if (!block.is_affine()) continue;
    const model::IpamBlockSpec& spec = block.stored().spec;
    ++blocks;
    given += spec.allocations.size() - spec.unallocated.size();
    left += block.room();
  }
  blocks_.set(static_cast<double>(blocks));
  addresses_.set(static_cast<double>(given));
  free_.set(static_cast<double>(left));
}

Status CniServer::listen(loop::Network& network, const std::string& socket_path) {
  server_ =
      http::make_server(parts_.loop, network, {},
                        [this](const http::Request& request, const http::PeerInfo&,
                               std::unique_ptr<http::Responder> responder) { serve(request, std::move(responder)); });
  loop::Endpoint endpoint;
  endpoint.kind = loop::Endpoint::Kind::kUnix;
  endpoint.path = socket_path;
  const auto bound = server_->listen(endpoint, nullptr);
  return bound.ok() ? ok_status() : Status(bound.error());
}

void CniServer::serve(const http::Request& request, std::unique_ptr<http::Responder> responder) {
  const bool is_post = request.method == "POST";
  if (request.method == "GET" && request.target == "/v1/status") return answer_status(*responder);
  static constexpr std::string_view kVerbs[] = {"/v1/add", "/v1/addresses", "/v1/ready",
                                                "/v1/del", "/v1/check",     "/v1/gc"};
  bool is_known = false;
  for (const std::string_view verb : kVerbs) is_known = is_known || (is_post && request.target == verb);
  if (!is_known) {
    return send_error(*responder, {ErrorCode::kNotFound, concat("there is no ", request.method, ' ', request.target,
                                                                "; this agent speaks version v1")});
  }
  if (request.target == "/v1/gc") {
    const auto body = json::parse(request.body);
    if (!body.ok()) return send_error(*responder, body.error());
    CniRequest all;
    if (!body->string_at({"network"}).empty()) all.network = body->string_at({"network"});
    return collect_garbage(body.value(), all, *responder);
  }
  auto parsed = CniRequest::parse(request.body);
  if (!parsed.ok()) return send_error(*responder, parsed.error());
  if (request.target == "/v1/add") return begin_add(std::move(parsed).value(), std::move(responder));
  if (request.target == "/v1/addresses") return begin_addresses(parsed.value(), std::move(responder));
  if (request.target == "/v1/ready") return begin_ready(parsed.value(), std::move(responder));
  if (request.target == "/v1/del") return begin_del(parsed.value(), std::move(responder));
  answer_check(parsed.value(), *responder);
}

std::string CniServer::why_not_ready() const {
  if (!parts_.facts.is_in_sync()) return "the agent has not yet read the cluster's objects";
  if (!parts_.book.allocator().is_listed()) return "the agent has not yet read the blocks of addresses";
  return {};
}

void CniServer::answer_status(http::Responder& responder) {
  std::string problem = why_not_ready();
  if (problem.empty() && parts_.facts.pools().empty()) problem = "there is no IP pool";
  if (!problem.empty()) return send_error(responder, {ErrorCode::kUnavailable, problem});
  json::Object body;
  body["version"] = "v1";
  body["node"] = parts_.facts.node();
  send_json(responder, 200, json::Value(std::move(body)));
}

// Those that the container has by annotation, from no block.
std::vector<IpPrefix> CniServer::unmanaged_addresses(const CniRequest& request) const {
  const model::Pod* pod = parts_.facts.find_pod(request.pod_namespace, request.pod_name);
  if (pod == nullptr || pod->metadata.annotations.get("cni.projectcalico.org/containerID") != request.container) {
    return {};
  }
  auto planned = plan(request, pod);
  return planned.ok() ? std::move(planned->unmanaged) : std::vector<IpPrefix>{};
}

void CniServer::answer_check(const CniRequest& request, http::Responder& responder) {
  if (const std::string problem = why_not_ready(); !problem.empty()) {
    return send_error(responder, {ErrorCode::kUnavailable, problem});
  }
  json::Array addresses;
  for (const IpAddress& address : parts_.book.allocator().addresses_of(request.handle())) {
    addresses.emplace_back(IpPrefix::host(address).to_string());
  }
  for (const IpPrefix& address : unmanaged_addresses(request)) addresses.emplace_back(address.to_string());
  if (addresses.empty()) {
    return send_error(responder,
                      {ErrorCode::kNotFound, concat("container ", request.container, " has no address here")});
  }
  json::Object body;
  body["addresses"] = std::move(addresses);
  body["hostInterface"] = endpoint_for(request, {}).interface;
  send_json(responder, 200, json::Value(std::move(body)));
}

// Of this network, everything of this node that the runtime does not name.
void CniServer::collect_garbage(const json::Value& body, const CniRequest& request, http::Responder& responder) {
  if (const std::string problem = why_not_ready(); !problem.empty()) {
    return send_error(responder, {ErrorCode::kUnavailable, problem});
  }
  const json::Value* valid = body.find("validContainers");
  if (valid == nullptr || valid->as_array() == nullptr) {
    return send_error(responder, invalid("validContainers: a list is wanted"));
  }
  std::set<std::string> kept;
  for (const json::Value& each : *valid->as_array()) {
    if (each.as_string() != nullptr) kept.insert(*each.as_string());
  }
  const json::Value* first = body.find("interfacesFirst");
  const bool only_names = first != nullptr && first->as_bool() != nullptr && *first->as_bool();
  std::set<std::string> names;
  for (PendingRelease& release : garbage(kept, request)) {
    names.insert(only_names ? left_interface(release, kept) : release.container);
    if (!only_names) run_release(std::move(release), nullptr, /*is_spooled=*/false);
  }
  names.erase("");
  json::Array out;
  for (const std::string& name : names) out.emplace_back(name);
  json::Object answer;
  answer[only_names ? "interfaces" : "released"] = std::move(out);
  send_json(responder, 200, json::Value(std::move(answer)));
}

// The host's end of a pair that an old container has left; "": that of a pod is another container's by now.
std::string CniServer::left_interface(const PendingRelease& release, const std::set<std::string>& kept) const {
  CniRequest request;
  request.container = release.container;
  request.interface = release.interface;
  request.pod_namespace = release.pod_namespace;
  request.pod_name = release.pod_name;
  std::string interface = endpoint_for(request, {}).interface;
  if (!request.has_pod()) return interface;
  for (const auto& [id, job] : adds_open_) {
    if (job.request.pod_namespace == request.pod_namespace && job.request.pod_name == request.pod_name) return {};
  }
  for (const auto& [container, other] : attachments_) {
    if (kept.contains(container) && other.endpoint.interface == interface) return {};
  }
  const model::Pod* pod = parts_.facts.find_pod(request.pod_namespace, request.pod_name);
  const std::string_view noted =
      pod == nullptr ? std::string_view() : pod->metadata.annotations.get("cni.projectcalico.org/containerID");
  return kept.contains(std::string(noted)) ? std::string() : interface;
}

// Of each container once.
std::vector<PendingRelease> CniServer::garbage(const std::set<std::string>& kept, const CniRequest& request) const {
  const std::string prefix = concat(request.network, '.');
  std::map<std::string, PendingRelease> old;
  for (const auto& [cidr, block] : parts_.book.allocator().blocks()) {
    for (const model::AllocationAttribute& attribute : block.stored().spec.attributes) {
      const std::string_view handle = attribute.handle_id;
      if (attribute.released_at || !handle.starts_with(prefix)) continue;
      if (attribute.active_owner.get("node") != parts_.facts.node()) continue;
      const std::string container(handle.substr(prefix.size()));
      if (kept.contains(container)) continue;
      old[container] = {request.network, container, request.interface,
                        std::string(attribute.active_owner.get("namespace")),
                        std::string(attribute.active_owner.get("pod"))};
    }
  }
  std::vector<PendingRelease> out;
  for (auto& [container, release] : old) out.push_back(std::move(release));
  return out;
}

// Of a container that has one; "": not known.
std::string CniServer::first_interface(const std::string& container) const {
  const auto found = attachments_.find(container);
  return found != attachments_.end() ? found->second.request.interface : interfaces_.find(container);
}

}  // namespace margay::agent
