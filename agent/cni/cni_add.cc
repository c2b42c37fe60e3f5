// ADD: pod, plan, addresses, note; then the wait for the kernel.
#include <algorithm>
#include <utility>

#include "agent/cni/cni_server.h"
#include "base/core/text.h"
#include "base/core/time_text.h"
#include "cni/ipam/held_block.h"
#include "cni/ipam/names.h"
#include "datastore/codec/codec.h"
#include "datastore/codec/decoded.h"
#include "datastore/model/endpoints.h"
#include "datastore/watch/resource_of.h"
#include "policy/translate/translate.h"

namespace margay::agent {
namespace {

constexpr std::size_t kInterfaceDigits = 11;
constexpr int kNotesMax = 10;  // the pauses between them are half a minute in all
constexpr std::string_view kOrchestratorCni = "cni";
constexpr std::string_view kHostNamespace = "default";
constexpr std::string_view kAllowProfile = "projectcalico-default-allow";

std::string doubled_dashes(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '-' ? 2 : 1, c);
  return out;
}

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
}

json::Value pod_patch(const std::string& uid, const std::string& container, const std::vector<IpPrefix>& addresses) {
  std::vector<std::string> texts;
  for (const IpPrefix& address : addresses) texts.push_back(address.to_string());
  json::Value patch;
  json::Value& metadata = patch["metadata"];
  if (!uid.empty()) metadata["uid"] = uid;
  json::Value& annotations = metadata["annotations"];
  annotations["cni.projectcalico.org/podIP"] = texts.empty() ? std::string() : texts.front();
  annotations["cni.projectcalico.org/podIPs"] = join(texts, ",");
  if (!container.empty()) annotations["cni.projectcalico.org/containerID"] = container;
  return patch;
}

Error shortage(const std::vector<ipam::Got>& got) {
  std::vector<std::string> texts;
  for (const ipam::Got& each : got) {
    if (each.error && each.error->code != ErrorCode::kLimitExceeded) return *each.error;
    texts.insert(texts.end(), each.messages.begin(), each.messages.end());
  }
  return {ErrorCode::kLimitExceeded, concat("no address: ", join(texts, "; "))};
}

}  // namespace

NewEndpoint CniServer::endpoint_for(const CniRequest& request, std::vector<IpPrefix> addresses) const {
  NewEndpoint out;
  const std::string node = doubled_dashes(parts_.facts.node());
  out.pod_namespace = request.pod_namespace;
  out.pod_name = request.pod_name;
  out.container = request.container;
  out.addresses = std::move(addresses);
  if (request.has_pod()) {
    out.key = {model::Kind::kWorkloadEndpoint, request.pod_namespace,
               concat(node, "-k8s-", doubled_dashes(request.pod_name), "-eth0")};
    out.interface = policy::interface_name_of(request.pod_namespace, request.pod_name);
    return out;
  }
  out.key = {
      model::Kind::kWorkloadEndpoint, std::string(kHostNamespace),
      to_lower(concat(node, "-cni-", doubled_dashes(request.container), '-', doubled_dashes(request.interface)))};
  const std::string_view digits = std::string_view(request.container).substr(0, kInterfaceDigits);
  out.interface = is_plain(digits) && request.container.size() >= kInterfaceDigits
                      ? concat("cali", digits)
                      : policy::interface_name_of("", request.container);
  return out;
}

// Without Kubernetes.
model::WorkloadEndpoint CniServer::object_for(const CniRequest& request, const NewEndpoint& endpoint) const {
  model::WorkloadEndpoint out;
  out.metadata.name = endpoint.key.name;
  out.metadata.name_space = endpoint.key.name_space;
  out.metadata.labels = {{"projectcalico.org/namespace", kHostNamespace},
                         {"projectcalico.org/orchestrator", kOrchestratorCni}};
  out.spec.orchestrator = kOrchestratorCni;
  out.spec.workload = request.network;
  out.spec.node = parts_.facts.node();
  out.spec.container_id = endpoint.container;
  out.spec.endpoint = request.interface;
  out.spec.ip_networks = endpoint.addresses;
  out.spec.interface_name = endpoint.interface;
  out.spec.profiles = {std::string(kAllowProfile)};
  return out;
}

// Its rules can be made while the API server takes its addresses.
void CniServer::attach(const CniRequest& request, const NewEndpoint& endpoint) {
  if (request.has_pod()) return parts_.attached.attach(endpoint, request.pod_uid);
  parts_.attached.attach(calculation_key(endpoint), object_for(request, endpoint));
}

void CniServer::detach(const CniRequest& request) {
  parts_.attached.detach(calculation_key(endpoint_for(request, {})), request.container);
}

void CniServer::begin_add(CniRequest request, std::unique_ptr<http::Responder> responder) {
  adds_.increment();
  if (const std::string problem = why_not_ready(); !problem.empty()) {
    add_failures_.increment();
    return send_error(*responder, {ErrorCode::kUnavailable, problem});
  }
  // Names, handle and note are the container's: a second interface would take over those of the first.
  const std::string first = first_interface(request.container);
  if (!first.empty() && first != request.interface) {
    add_failures_.increment();
    return send_error(*responder, invalid(concat("container ", request.container, " has ", first,
                                                 " already, and a container has one interface of margay's")));
  }
  const JobId id = ++last_job_;
  add_outcomes_.erase(request.container);
  AddJob& job = adds_open_[id];
  job.request = std::move(request);
  job.responder = std::move(responder);
  job.deadline = parts_.loop.make_timer([this, id] { on_add_deadline(id); });
  job.deadline->arm(parts_.limits.add_timeout);
  job.waits_for_del = hurry_del(job.request);
  if (!job.waits_for_del) start_add(id);
}

void CniServer::start_add(JobId id) {
  AddJob& job = adds_open_.at(id);
  job.waits_for_del = false;
  if (!job.request.has_pod()) return go_on_add(id, nullptr);
  const model::Pod* pod = parts_.facts.find_pod(job.request.pod_namespace, job.request.pod_name);
  const bool is_it = pod != nullptr && (job.request.pod_uid.empty() || pod->metadata.uid == job.request.pod_uid);
  if (is_it) return go_on_add(id, pod);
  fetch_pod(id);
}

// The kubelet was told of the pod before us.
void CniServer::fetch_pod(JobId id) {
  AddJob& job = adds_open_.at(id);
  const kube::ObjectName name{job.request.pod_namespace, job.request.pod_name};
  job.operation = parts_.client.get(
      watch::resource_of(model::Kind::kPod), name, [this, id, name](kube::ApiResult<json::Value> answer) {
        const std::string place = concat("pod ", name.name_space, '/', name.name);
        if (!answer.ok()) return fail_add(id, answer.error().to_error().within(place));
        const auto pod = codec::decoded<model::Pod>(answer.value());
        if (!pod.ok()) return fail_add(id, invalid(concat(place, " cannot be read")));
        const std::string& wanted = adds_open_.at(id).request.pod_uid;
        if (!wanted.empty() && pod->metadata.uid != wanted) {
          return fail_add(id,
                          {ErrorCode::kNotFound, concat(place, " with UID ", wanted, " is gone: there is another")});
        }
        go_on_add(id, &*pod);
      });
}

Result<AddressPlan> CniServer::plan(const CniRequest& request, const model::Pod* pod) const {
  static const StringMap kNone;
  const model::Namespace* name_space = parts_.facts.find_namespace(request.pod_namespace);
  const auto pools = parts_.facts.pools();
  return plan_addresses({.request = request,
                         .pod_annotations = pod == nullptr ? kNone : pod->metadata.annotations,
                         .namespace_annotations = name_space == nullptr ? kNone : name_space->metadata.annotations,
                         .namespace_labels = name_space == nullptr ? kNone : name_space->metadata.labels,
                         .node_labels = parts_.facts.node_labels(),
                         .pools = pools});
}

void CniServer::go_on_add(JobId id, const model::Pod* pod) {
  AddJob& job = adds_open_.at(id);
  const CniRequest& request = job.request;
  if (pod != nullptr && request.pod_uid.empty()) job.request.pod_uid = pod->metadata.uid;
  auto planned = plan(request, pod);
  if (!planned.ok()) return fail_add(id, planned.error());
  job.plan = std::move(planned).value();
  if (!job.plan.unmanaged.empty()) return finish_add(id, job.plan.unmanaged);
  // Asked again for a container that has its addresses.
  const auto held = parts_.book.allocator().addresses_of(request.handle());
  if (!held.empty()) {
    std::vector<IpPrefix> prefixes;
    for (const IpAddress& address : held) prefixes.push_back(IpPrefix::host(address));
    return finish_add(id, std::move(prefixes));
  }
  ipam::Holder holder{request.handle(), {}};
  holder.attributes.set(ipam::kNodeAttribute, parts_.facts.node());
  holder.attributes.set(ipam::kTimestampAttribute, format_timestamp(parts_.loop.wall_now()));
  if (request.has_pod()) {
    holder.attributes.set(ipam::kNamespaceAttribute, request.pod_namespace);
    holder.attributes.set(ipam::kPodAttribute, request.pod_name);
  }
  if (request.wants_plan_first && !request.is_ipam_only) tell_plan(id);
  job.assigning = parts_.book.assign(std::move(holder), job.plan.demands,
                                     [this, id](const std::vector<ipam::Got>& got) { on_assigned(id, got); });
}

// The plugin makes the interface while the API server writes the block.
void CniServer::tell_plan(JobId id) {
  AddJob& job = adds_open_.at(id);
  json::Array families;
  for (const ipam::Demand& demand : job.plan.demands) families.emplace_back(std::string(to_string(demand.family)));
  json::Object body;
  body["addressesLater"] = true;
  body["families"] = std::move(families);
  body["hostInterface"] = endpoint_for(job.request, {}).interface;
  body["mtu"] = job.request.mtu > 0 ? job.request.mtu : parts_.mtu();
  if (job.plan.mac) body["mac"] = job.plan.mac->to_string();
  send_json(*std::exchange(job.responder, nullptr), 200, json::Value(std::move(body)));
}

void CniServer::begin_addresses(const CniRequest& request, std::unique_ptr<http::Responder> responder) {
  for (auto& [id, job] : adds_open_) {
    if (job.responder != nullptr || job.request.container != request.container) continue;
    job.responder = std::move(responder);
    return;
  }
  auto outcome = add_outcomes_.extract(request.container);
  if (outcome.empty()) {
    return send_error(*responder,
                      {ErrorCode::kNotFound, concat("container ", request.container, " is not being added")});
  }
  if (!outcome.mapped().ok()) return send_error(*responder, outcome.mapped().error());
  send_json(*responder, 200, *outcome.mapped());
}

void CniServer::answer_add(AddJob& job, Result<json::Value> outcome) {
  if (job.responder == nullptr) {
    add_outcomes_.insert_or_assign(job.request.container, std::move(outcome));
  } else if (outcome.ok()) {
    send_json(*job.responder, 200, *outcome);
  } else {
    send_error(*job.responder, outcome.error());
  }
}

void CniServer::on_assigned(JobId id, const std::vector<ipam::Got>& got) {
  const auto found = adds_open_.find(id);
  if (found == adds_open_.end()) return;
  AddJob& job = found->second;
  job.assigning = 0;
  std::vector<IpPrefix> addresses;
  bool is_whole = got.size() == job.plan.demands.size();
  for (const ipam::Got& each : got) {
    is_whole = is_whole && each.addresses.size() == 1 && !each.error;
    for (const IpAddress& address : each.addresses) addresses.push_back(IpPrefix::host(address));
  }
  if (is_whole) return finish_add(id, std::move(addresses));
  // Half of it is nothing: the other family goes back.
  if (!addresses.empty())
    run_release({job.request.network, job.request.container, job.request.interface, "", ""}, nullptr, false);
  tell_exhausted(job, got);
  fail_add(id, shortage(got));
}

void CniServer::tell_exhausted(const AddJob& job, const std::vector<ipam::Got>& got) {
  bool is_any = false;
  for (std::size_t i = 0; i < got.size() && i < job.plan.demands.size(); ++i) {
    if (!got[i].is_exhausted) continue;
    is_any = true;
    const CniRequest& request = job.request;
    const std::string who =
        request.has_pod() ? concat(request.pod_namespace, '/', request.pod_name) : request.container;
    if (parts_.on_exhausted) parts_.on_exhausted(job.plan.demands[i].pools, who);
  }
  if (is_any) exhausted_.increment();
}

// What will be well by itself is no news.
void CniServer::tell_pod(const CniRequest& request, const Error& error) const {
  const bool is_passing = error.code == ErrorCode::kTimeout || error.code == ErrorCode::kUnavailable ||
                          error.code == ErrorCode::kCancelled || error.code == ErrorCode::kInternal;
  if (!parts_.on_pod_news || !request.has_pod() || is_passing) return;
  const bool is_short = error.code == ErrorCode::kLimitExceeded;
  parts_.on_pod_news({request.pod_namespace, request.pod_name, request.pod_uid,
                      is_short ? "AddressesExhausted" : "AddressRefused", error.message});
}

void CniServer::finish_add(JobId id, std::vector<IpPrefix> addresses) {
  const auto found = adds_open_.find(id);
  AddJob job = std::move(found->second);
  adds_open_.erase(found);
  json::Object body;
  json::Array texts;
  for (const IpPrefix& address : addresses) texts.emplace_back(address.to_string());
  body["addresses"] = std::move(texts);
  body["mtu"] = job.request.mtu > 0 ? job.request.mtu : parts_.mtu();
  if (job.plan.mac) body["mac"] = job.plan.mac->to_string();
  if (!job.request.is_ipam_only) {
    const std::string container = job.request.container;
    Attachment& attachment = attachments_[container];
    attachment = {};
    attachment.endpoint = endpoint_for(job.request, std::move(addresses));
    attachment.request = job.request;
    attachment.mac = job.plan.mac;
    body["hostInterface"] = attachment.endpoint.interface;
    interfaces_.put(container, job.request.interface);
    attach(job.request, attachment.endpoint);
    note(container);
  }
  answer_add(job, json::Value(std::move(body)));
  count_addresses();
}

void CniServer::fail_add(JobId id, const Error& error) {
  const auto found = adds_open_.find(id);
  if (found == adds_open_.end()) return;
  add_failures_.increment();
  parts_.log.warn("no addresses for a container", {{"container", found->second.request.container},
                                                   {"namespace", found->second.request.pod_namespace},
                                                   {"pod", found->second.request.pod_name},
                                                   {"error", error}});
  tell_pod(found->second.request, error);
  answer_add(found->second, error);
  // Not from inside a callback of its own operation.
  parts_.loop.post([job = std::make_shared<AddJob>(std::move(found->second))] {});
  adds_open_.erase(found);
}

void CniServer::on_add_deadline(JobId id) {
  const AddJob& job = adds_open_.at(id);
  if (job.assigning != 0) parts_.book.cancel(job.assigning);
  const std::string what = job.waits_for_del    ? "the release of the container's earlier addresses"
                           : job.assigning != 0 ? "addresses (a write of the API server's)"
                                                : "the pod from the API server";
  fail_add(id, {ErrorCode::kTimeout, concat("waited ", format_duration(parts_.limits.add_timeout), " for ", what)});
}

// Where policy finds the addresses: on the pod, or, without Kubernetes, in a WorkloadEndpoint.
void CniServer::note(const std::string& container) {
  Attachment& attachment = attachments_.at(container);
  const CniRequest& request = attachment.request;
  auto done = [this, container](const kube::ApiResult<json::Value>& answer) {
    const bool is_there = !answer.ok() && answer.error().code == ErrorCode::kAlreadyExists;
    on_noted(container, answer.ok() || is_there ? ok_status() : Status(answer.error().to_error()));
  };
  if (request.has_pod()) {
    const json::Value patch = pod_patch(request.pod_uid, container, attachment.endpoint.addresses);
    attachment.operation =
        parts_.client.patch(watch::resource_of(model::Kind::kPod), {request.pod_namespace, request.pod_name}, "",
                            kube::PatchType::kMerge, json::dump(patch), {}, std::move(done));
    return;
  }
  json::Value body;
  codec::encode(object_for(request, attachment.endpoint), body);
  attachment.operation = parts_.client.create(watch::resource_of(model::Kind::kWorkloadEndpoint),
                                              attachment.endpoint.key.name_space, body, {}, std::move(done));
}

void CniServer::on_noted(const std::string& container, const Status& outcome) {
  const auto found = attachments_.find(container);
  if (found == attachments_.end()) return;
  if (!outcome.ok()) found->second.problem = outcome.error().message;
  if (!outcome.ok() && note_later(container, found->second, outcome.error())) return;
  found->second.noting = outcome.ok() ? Noting::kDone : Noting::kFailed;
  std::vector<JobId> waiting;
  for (const auto& [id, job] : readies_) {
    if (job.container == container) waiting.push_back(id);
  }
  for (const JobId id : waiting) go_on_ready(id);
}

// What may pass is tried again, as long as somebody may wait for it.
bool CniServer::note_later(const std::string& container, Attachment& attachment, const Error& error) {
  if (!may_pass(error) || attachment.note_failures == kNotesMax) return false;
  const Duration wait = ipam::backoff(++attachment.note_failures);
  attachment.note_again = parts_.loop.make_timer([this, container] { note(container); });
  attachment.note_again->arm(wait);
  return true;
}

void CniServer::begin_ready(const CniRequest& request, std::unique_ptr<http::Responder> responder) {
  if (!attachments_.contains(request.container)) {
    return send_error(*responder, {ErrorCode::kNotFound,
                                   concat("container ", request.container, " was not added, or is being deleted")});
  }
  const Duration timeout =
      request.wait_seconds ? Duration(std::chrono::seconds(*request.wait_seconds)) : parts_.limits.ready_timeout;
  if (timeout <= Duration::zero()) return send_json(*responder, 200, json::Value(json::Object{}));
  const JobId id = ++last_job_;
  ReadyJob& job = readies_[id];
  job.container = request.container;
  job.responder = std::move(responder);
  job.until = parts_.loop.now() + timeout;
  job.deadline = parts_.loop.make_timer([this, id, timeout] {
    const auto attachment = attachments_.find(readies_.at(id).container);
    const std::string problem = attachment == attachments_.end() ? std::string() : attachment->second.problem;
    end_ready(id, Error{ErrorCode::kTimeout,
                        concat("waited ", format_duration(timeout), " for the API server to take the pod's addresses",
                               problem.empty() ? "" : ": ", problem)});
  });
  job.deadline->arm(timeout);
  go_on_ready(id);
}

void CniServer::go_on_ready(JobId id) {
  ReadyJob& job = readies_.at(id);
  const auto found = attachments_.find(job.container);
  if (found == attachments_.end()) {
    return end_ready(id, Error{ErrorCode::kCancelled, "the container is being deleted"});
  }
  const Attachment& attachment = found->second;
  if (attachment.noting == Noting::kOpen || job.wait != nullptr) return;
  if (attachment.noting == Noting::kFailed) {
    return end_ready(id, Error{ErrorCode::kUnavailable, concat("noting the addresses: ", attachment.problem)});
  }
  job.deadline->disarm();
  job.wait = parts_.readiness.wait(attachment.endpoint, job.until - parts_.loop.now(),
                                   [this, id](const Status& outcome) { end_ready(id, outcome); });
}

void CniServer::end_ready(JobId id, const Status& outcome) {
  const auto found = readies_.find(id);
  if (found == readies_.end()) return;
  auto job = std::make_shared<ReadyJob>(std::move(found->second));
  readies_.erase(found);
  if (outcome.ok()) {
    send_json(*job->responder, 200, json::Value(json::Object{}));
  } else {
    add_failures_.increment();
    parts_.log.warn("a container is not ready in time", {{"container", job->container}, {"error", outcome.error()}});
    send_error(*job->responder, outcome.error());
  }
  // Its wait ends outside of its own callback.
  parts_.loop.post([job] {});
}

}  // namespace margay::agent
