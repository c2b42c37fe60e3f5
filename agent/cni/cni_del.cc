// DEL: addresses go back, now or later, and the pod says that it has none.
#include <utility>

#include "agent/cni/cni_server.h"
#include "base/core/text.h"
#include "cni/ipam/names.h"
#include "datastore/watch/resource_of.h"

namespace margay::agent {

void CniServer::begin_del(const CniRequest& request, std::unique_ptr<http::Responder> responder) {
  dels_.increment();
  for (auto at = adds_open_.begin(); at != adds_open_.end();) {
    const auto next = std::next(at);
    if (at->second.request.container == request.container) {
      if (at->second.assigning != 0) parts_.book.cancel(at->second.assigning);
      fail_add(at->first, {ErrorCode::kCancelled, "the container is being deleted"});
    }
    at = next;
  }
  add_outcomes_.erase(request.container);
  run_release({request.network, request.container, request.interface, request.pod_namespace, request.pod_name},
              std::move(responder), /*is_spooled=*/false);
}

void CniServer::run_release(PendingRelease release, std::unique_ptr<http::Responder> responder, bool is_spooled) {
  const JobId id = ++last_job_;
  DelJob& job = dels_open_[id];
  job.release = std::move(release);
  job.responder = std::move(responder);
  job.is_spooled = is_spooled;
  job.deadline = parts_.loop.make_timer([this, id] { on_del_deadline(id); });
  job.retry = parts_.loop.make_timer([this, id] { start_release(id); });
  if (job.responder != nullptr) job.deadline->arm(parts_.limits.del_timeout);
  clear_note(id);
  start_release(id);
}

void CniServer::start_release(JobId id) {
  DelJob& job = dels_open_.at(id);
  const PendingRelease& release = job.release;
  std::vector<std::string> handles = {ipam::container_handle(release.network, release.container)};
  if (!release.pod_name.empty()) {
    // Pods of versions long ago.
    const std::string old = ipam::old_pod_handle(release.pod_namespace, release.pod_name);
    if (!parts_.book.allocator().addresses_of(old).empty()) handles.push_back(old);
  }
  job.open = handles.size();
  for (std::string& handle : handles) {
    parts_.book.release(std::move(handle), [this, id](const Status& outcome) { on_released(id, outcome); });
  }
}

void CniServer::on_released(JobId id, const Status& outcome) {
  const auto found = dels_open_.find(id);
  if (found == dels_open_.end()) return;
  DelJob& job = found->second;
  --job.open;
  if (!outcome.ok()) {
    parts_.log.warn("an address cannot be released yet",
                    {{"container", job.release.container}, {"error", outcome.error()}});
    if (!job.is_spooled) on_del_deadline(id);
    job.retry->arm(parts_.limits.spool_period);
    return;
  }
  if (job.open == 0 && !job.retry->is_armed()) finish_del(id);
}

// The pod's annotation says that the address is gone; not when another container of that pod has taken over.
void CniServer::clear_note(JobId id) {
  DelJob& job = dels_open_.at(id);
  const PendingRelease& release = job.release;
  const auto attachment = attachments_.find(release.container);
  const std::string uid = attachment == attachments_.end() ? "" : attachment->second.request.pod_uid;
  const bool was_ours = attachment != attachments_.end();
  const NewEndpoint endpoint = was_ours ? attachment->second.endpoint : NewEndpoint{};
  if (was_ours) attachments_.erase(attachment);
  auto ignore = [this, id](const kube::ApiResult<json::Value>&) { clearings_.erase(id); };
  if (release.pod_name.empty()) {
    CniRequest request;
    request.container = release.container;
    request.interface = release.interface;
    const model::ObjectKey key = endpoint_for(request, {}).key;
    clearings_[id] = parts_.client.remove(watch::resource_of(model::Kind::kWorkloadEndpoint),
                                          {key.name_space, key.name}, {}, ignore);
    return;
  }
  for (const auto& [container, other] : attachments_) {
    if (other.request.pod_namespace == release.pod_namespace && other.request.pod_name == release.pod_name) return;
  }
  const model::Pod* pod = parts_.facts.find_pod(release.pod_namespace, release.pod_name);
  if (pod == nullptr || (!uid.empty() && pod->metadata.uid != uid)) return;
  const std::string_view noted = pod->metadata.annotations.get("cni.projectcalico.org/containerID");
  if (!was_ours && noted != release.container) return;
  json::Value patch;
  patch["metadata"]["uid"] = pod->metadata.uid;
  patch["metadata"]["annotations"]["cni.projectcalico.org/podIP"] = "";
  patch["metadata"]["annotations"]["cni.projectcalico.org/podIPs"] = "";
  clearings_[id] = parts_.client.patch(watch::resource_of(model::Kind::kPod), {release.pod_namespace, release.pod_name},
                                       "", kube::PatchType::kMerge, json::dump(patch), {}, ignore);
}

// Written down, it is as good as done for the runtime.
void CniServer::on_del_deadline(JobId id) {
  const auto found = dels_open_.find(id);
  if (found == dels_open_.end()) return;
  DelJob& job = found->second;
  if (!job.is_spooled) {
    const Status written = spool_.put(job.release);
    if (!written.ok()) {
      parts_.log.error("a release cannot be written down", {{"error", written.error()}});
      if (job.responder != nullptr) send_error(*std::exchange(job.responder, nullptr), written.error());
      return;
    }
    job.is_spooled = true;
    delayed_releases_.increment();
    parts_.log.info("a release is done later", {{"container", job.release.container}});
  }
  if (job.responder == nullptr) return;
  json::Object body;
  body["later"] = true;
  send_json(*std::exchange(job.responder, nullptr), 200, json::Value(std::move(body)));
}

void CniServer::finish_del(JobId id) {
  const auto found = dels_open_.find(id);
  DelJob& job = found->second;
  if (job.is_spooled) spool_.remove(job.release);
  if (job.responder != nullptr) send_json(*job.responder, 200, json::Value(json::Object{}));
  dels_open_.erase(found);
  count_addresses();
}

void CniServer::take_up_spool() {
  spool_timer_->arm(parts_.limits.spool_period);
  if (!parts_.book.allocator().is_listed()) return;
  std::vector<std::string> problems;
  for (PendingRelease& release : spool_.list(&problems)) {
    bool is_under_way = false;
    for (const auto& [id, job] : dels_open_) is_under_way = is_under_way || job.release == release;
    if (!is_under_way) run_release(std::move(release), nullptr, /*is_spooled=*/true);
  }
  for (const std::string& problem : problems) parts_.log.warn("a release that was written down", {{"error", problem}});
}

}  // namespace margay::agent
