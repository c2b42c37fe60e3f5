// DEL: addresses go back, now or later, and the pod says that it has none.
#include <utility>

#include "agent/cni/cni_server.h"
#include "base/core/text.h"
#include "cni/ipam/names.h"
#include "datastore/watch/resource_of.h"

namespace margay::agent {

void CniServer::begin_del(const CniRequest& request, std::unique_ptr<http::Responder> responder) {
  dels_.increment();
  // What was refused a second interface goes; the first one keeps its address.
  const std::string first = first_interface(request.container);
  if (!first.empty() && first != request.interface) {
    return send_json(*responder, 200, json::Value(json::Object{}));
  }
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
  if (is_spooled) job.note = SpoolNote::kFlushed;
  job.patience = parts_.loop.make_timer([this, id] { on_del_patience(id); });
  job.deadline = parts_.loop.make_timer([this, id] { on_del_deadline(id); });
  job.retry = parts_.loop.make_timer([this, id] { try_again(id); });
  if (job.responder != nullptr) {
    job.patience->arm(parts_.limits.del_patience);
    job.deadline->arm(parts_.limits.del_timeout);
  }
  if (const auto attachment = attachments_.find(job.release.container); attachment != attachments_.end()) {
    job.was_ours = true;
    job.pod_uid = attachment->second.request.pod_uid;
    attachments_.erase(attachment);
  }
  interfaces_.remove(job.release.container);
  // Of who is named by nothing here, nothing changes.
  CniRequest container;
  container.container = job.release.container;
  container.interface = job.release.interface;
  container.pod_namespace = job.release.pod_namespace;
  container.pod_name = job.release.pod_name;
  detach(container);
  start_release(id);
  clear_note(id);  // after it, as the runtime waits for the release
}

void CniServer::try_again(JobId id) {
  DelJob& job = dels_open_.at(id);
  job.retry->disarm();
  if (job.must_release && job.open > 0) job.retry->arm(parts_.limits.spool_period);
  if (job.must_release && job.open == 0) start_release(id);
  if (dels_open_.at(id).must_clear) clear_note(id);
}

void CniServer::start_release(JobId id) {
  DelJob& job = dels_open_.at(id);
  job.must_release = false;
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
    job.must_release = true;
    if (job.note != SpoolNote::kFlushed) on_del_deadline(id);
    job.retry->arm(parts_.limits.spool_period);
    return;
  }
  settle_del(id);
}

// The pod's annotation says that the address is gone; not when another container of that pod has taken over.
void CniServer::clear_note(JobId id) {
  DelJob& job = dels_open_.at(id);
  job.must_clear = false;
  job.clearing = write_cleared(job, [this, id](const kube::ApiResult<json::Value>& answer) {
    on_cleared(id, answer.ok() ? ok_status() : Status(answer.error().to_error()));
  });
  if (job.clearing == nullptr) settle_del(id);
}

// Null: there is nothing to write.
kube::OperationPtr CniServer::write_cleared(const DelJob& job, kube::ObjectDone done) {
  const PendingRelease& release = job.release;
  if (release.pod_name.empty()) {
    CniRequest request;
    request.container = release.container;
    request.interface = release.interface;
    const model::ObjectKey key = endpoint_for(request, {}).key;
    return parts_.client.remove(watch::resource_of(model::Kind::kWorkloadEndpoint), {key.name_space, key.name}, {},
                                std::move(done));
  }
  for (const auto& [container, other] : attachments_) {
    const CniRequest& request = other.request;
    if (request.pod_namespace == release.pod_namespace && request.pod_name == release.pod_name) return nullptr;
  }
  const model::Pod* pod = parts_.facts.find_pod(release.pod_namespace, release.pod_name);
  if (pod == nullptr || (!job.pod_uid.empty() && pod->metadata.uid != job.pod_uid)) return nullptr;
  const std::string_view noted = pod->metadata.annotations.get("cni.projectcalico.org/containerID");
  if (!job.was_ours && noted != release.container) return nullptr;
  json::Value patch;
  patch["metadata"]["uid"] = pod->metadata.uid;
  patch["metadata"]["annotations"]["cni.projectcalico.org/podIP"] = "";
  patch["metadata"]["annotations"]["cni.projectcalico.org/podIPs"] = "";
  return parts_.client.patch(watch::resource_of(model::Kind::kPod), {release.pod_namespace, release.pod_name}, "",
                             kube::PatchType::kMerge, json::dump(patch), {}, std::move(done));
}

void CniServer::on_cleared(JobId id, const Status& outcome) {
  DelJob& job = dels_open_.at(id);
  job.clearing.reset();
  if (outcome.ok() || !may_pass(outcome.error())) return settle_del(id);
  // The runtime waits for the release alone.
  job.must_clear = true;
  (void)write_down(job);
  job.retry->arm(parts_.limits.spool_period);
  settle_del(id);
}

Status CniServer::write_down(DelJob& job) {
  if (job.note == SpoolNote::kFlushed) return ok_status();
  Status written = spool_.put(job.release);
  if (!written.ok()) {
    parts_.log.error("a release cannot be written down", {{"error", written.error()}});
    return written;
  }
  job.note = SpoolNote::kFlushed;
  delayed_releases_.increment();
  parts_.log.info("a release is done later", {{"container", job.release.container}});
  return written;
}

// The runtime has no use for waiting longer: no packet leaves with the address any more, nobody else is given it before
// its release is stored, and the note outlives this process. Should the machine crash in these milliseconds, clean-up
// finds the address.
void CniServer::on_del_patience(JobId id) {
  DelJob& job = dels_open_.at(id);
  if (job.responder == nullptr || job.note != SpoolNote::kNone || !spool_.put_quickly(job.release).ok()) return;
  job.note = SpoolNote::kQuick;
  answer_later(job);
}

void CniServer::answer_later(DelJob& job) {
  json::Object body;
  body["later"] = true;
  send_json(*std::exchange(job.responder, nullptr), 200, json::Value(std::move(body)));
}

// Written down, it is as good as done for the runtime.
void CniServer::on_del_deadline(JobId id) {
  const auto found = dels_open_.find(id);
  if (found == dels_open_.end()) return;
  DelJob& job = found->second;
  const Status written = write_down(job);
  if (job.responder == nullptr) return;
  if (!written.ok()) return send_error(*std::exchange(job.responder, nullptr), written.error());
  answer_later(job);
}

// Released, it is over for the runtime; for us, when the note is cleared, too.
void CniServer::settle_del(JobId id) {
  const auto found = dels_open_.find(id);
  DelJob& job = found->second;
  if (job.open > 0 || job.must_release) return;
  if (job.responder != nullptr) send_json(*std::exchange(job.responder, nullptr), 200, json::Value(json::Object{}));
  count_addresses();
  if (job.clearing != nullptr || job.must_clear) return;
  if (job.note != SpoolNote::kNone) spool_.remove(job.release);
  const std::string container = job.release.container;
  dels_open_.erase(found);
  for (const auto& [add, waiting] : adds_open_) {
    if (!waiting.waits_for_del || waiting.request.container != container) continue;
    parts_.loop.post([this, add = add] {
      if (adds_open_.contains(add)) start_add(add);
    });
  }
}

// Who names containers himself may use a name again while its last release has still to be done. Done later, it would
// take what the new container was given. True: it is under way.
bool CniServer::hurry_del(const CniRequest& request) {
  if (spool_.has(request.container, request.interface)) take_up_spool();
  std::vector<JobId> same;
  for (const auto& [id, job] : dels_open_) {
    if (job.release.container == request.container) same.push_back(id);
  }
  for (const JobId id : same) {
    if (dels_open_.at(id).retry->is_armed()) try_again(id);
  }
  return !same.empty();
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
