#include "agent/status/policy_report.h"

#include <algorithm>
#include <utility>

#include "datastore/model/kubernetes.h"

namespace margay::status {
namespace {

constexpr Duration kLeaseRetryMax = std::chrono::minutes(5);
constexpr int kStatusNotFound = 404;
// As long as nothing changes nothing is written, so it says nothing about whether the node lives.
constexpr int kLeaseSeconds = 3600;

const kube::ResourceType& report_leases() {
  static const kube::ResourceType type{"coordination.k8s.io", "v1", "leases", "Lease", true};
  return type;
}

kube::ObjectName lease_of(const std::string& node) {
  return {std::string(model::kReportNamespace), model::report_name(node)};
}

}  // namespace

PolicyReport::PolicyReport(Parts parts, std::string node)
    : parts_(std::move(parts)), node_(std::move(node)), timer_(parts_.loop.make_timer([this] { write(); })) {}

Duration PolicyReport::spread(Duration pause) {
  return pause / 2 +
         Duration(static_cast<Duration::rep>(parts_.random.below(static_cast<std::uint64_t>(pause.count()))));
}

void PolicyReport::look(PolicyProgress& progress) {
  progress_ = &progress;
  if (under_way_ != nullptr || told_ == progress.in_kernel()) return;
  const bool is_urgent = !told_ || progress.is_news();
  if (timer_->is_armed() && backoff_ > kPause) return;  // the last one failed
  // A time that was drawn is kept, but for news.
  if (timer_->is_armed() && (!is_urgent || (due_ && *due_ - parts_.loop.now() <= kPause * 3 / 2))) return;
  Duration wait = is_urgent ? spread(kPause) : spread(kSlowPause);
  // After a long silence news waits only so long that more can come with it.
  if (is_urgent && (!told_at_ || parts_.loop.now() - *told_at_ > 2 * kPause)) wait = wait / 5;
  due_ = parts_.loop.now() + wait;
  timer_->arm(wait);
}

void PolicyReport::write() {
  due_.reset();
  if (progress_ == nullptr || under_way_ != nullptr || told_ == progress_->in_kernel()) return;
  telling_ = progress_->in_kernel();
  progress_->mark_told();
  patch();
}

json::Value PolicyReport::body() const {
  json::Value out;
  out["metadata"]["annotations"][std::string(model::kProgrammedAnnotation)] = telling_.to_string();
  out["spec"]["renewTime"] = model::MicroTime{parts_.loop.wall_now()}.to_string();
  return out;
}

void PolicyReport::patch() {
  under_way_ = parts_.client.patch(report_leases(), lease_of(node_), "", kube::PatchType::kMerge, json::dump(body()),
                                   {.field_manager = "margay-node"},
                                   [this](const kube::ApiResult<json::Value>& answer) { on_answer(answer, true); });
}

void PolicyReport::create() {
  const kube::ObjectName name = lease_of(node_);
  json::Value object = body();
  object["apiVersion"] = "coordination.k8s.io/v1";
  object["kind"] = "Lease";
  object["metadata"]["name"] = name.name;
  object["metadata"]["namespace"] = name.name_space;
  object["metadata"]["labels"][std::string(model::kReportLabel)] = std::string(model::kReportOfPolicies);
  if (!node_uid_.empty()) {
    object["metadata"]["ownerReferences"] =
        json::Array{json::Object{{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node_}, {"uid", node_uid_}}};
  }
  object["spec"]["holderIdentity"] = node_;
  object["spec"]["leaseDurationSeconds"] = kLeaseSeconds;
  under_way_ = parts_.client.create(report_leases(), name.name_space, object, {.field_manager = "margay-node"},
                                    [this](const kube::ApiResult<json::Value>& answer) { on_answer(answer, false); });
}

void PolicyReport::on_answer(const kube::ApiResult<json::Value>& answer, bool was_patch) {
  const kube::OperationPtr ended = std::move(under_way_);
  if (answer.ok()) {
    told_ = telling_;
    told_at_ = parts_.loop.now();
    backoff_ = kPause;
    return look(*progress_);
  }
  if (was_patch && answer.error().http_status == kStatusNotFound) return create();
  parts_.log.debug("the policies of this node cannot be told; it is tried again",
                   {{"error", answer.error().message}, {"after", backoff_}});
  due_ = parts_.loop.now() + backoff_;
  timer_->arm(spread(backoff_));
  backoff_ = std::min(backoff_ * 2, kLeaseRetryMax);
}

}  // namespace margay::status
