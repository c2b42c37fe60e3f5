// CniServer: what the plugin talks to: HTTP and JSON on a unix socket, version 1. Holds no pod's start for longer than
// the API server needs for one write, and the kernel for the pod's policy.
//
//   POST /v1/add    addresses for a container; the pod is annotated meanwhile       ─▶ plugin makes the interface
//                   with "planFirst": at once all that the interface needs but its addresses ("addressesLater"), so
//                   that the plugin makes it while the API server writes; then
//   POST /v1/addresses   the addresses, or why there are none
//   POST /v1/ready  waits for the annotation and for EndpointReadiness              ─▶ ADD is over
//   POST /v1/del    releases; what is not done in two milliseconds is written down, and answered ("later")
//   POST /v1/check  the addresses it has, or 404
//   POST /v1/gc     all containers but those named are released; with "interfacesFirst" nothing is, and the answer
//                   names the interfaces that they left
//   GET  /v1/status 200, or 503 with the reason
//
// Errors: {"error": text}: 400 the request, 404 pod or pool or container, 409 address taken, 503 not ready or no
// address free, 504 what was waited for and for how long.
// Thread: the control loop's. What is referred to outlives it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/cni/attached_endpoints.h"
#include "agent/cni/cluster_facts.h"
#include "agent/cni/cni_jobs.h"
#include "agent/cni/container_interfaces.h"
#include "agent/cni/readiness.h"
#include "agent/cni/release_spool.h"
#include "agent/cni/request.h"
#include "base/http/server.h"
#include "base/json/value.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "cni/addresses/address_book.h"
#include "datastore/kube/client.h"

namespace margay::agent {

// What a pod's owner should know: why it has no address.
struct PodNews {
  std::string pod_namespace;
  std::string pod_name;
  std::string pod_uid;
  std::string reason;  // "AddressesExhausted", "AddressRefused"
  std::string message;
};

struct CniLimits {
  Duration add_timeout = std::chrono::seconds(30);    // for addresses
  Duration ready_timeout = std::chrono::seconds(20);  // for the kernel; policy_setup_timeout_seconds instead, if given
  Duration del_patience = std::chrono::milliseconds(2);  // for the API server; then DEL is answered by a note
  Duration del_timeout = std::chrono::seconds(3);        // then the release counts as delayed
  Duration spool_period = std::chrono::seconds(10);      // for what plugins wrote down
};

class CniServer {
 public:
  struct Parts {
    loop::Loop& loop;
    kube::Client& client;
    ClusterFacts& facts;
    addresses::AddressBook& book;
    EndpointReadiness& readiness;
    AttachedEndpoints& attached;
    telemetry::Logger log{};
    telemetry::Registry* metrics = nullptr;
    std::string spool_folder = "/var/lib/margay/cni/releases";
    // Of what goes with the machine; "": a next life of the agent does not know which interface is a container's.
    std::string interfaces_folder{};
    // Of new interfaces, when the plugin's configuration has none.
    std::function<std::int64_t()> mtu = [] { return std::int64_t{1500}; };
    CniLimits limits{};
    std::function<void(const PodNews& news)> on_pod_news{};
    std::function<void(const std::vector<ipam::PoolRange>& pools, const std::string& who)> on_exhausted{};
  };

  explicit CniServer(Parts parts);
  ~CniServer();
  CniServer(const CniServer&) = delete;
  CniServer& operator=(const CniServer&) = delete;

  // Takes up what was written down before. Then serve() may be called.
  void start();
  Status listen(loop::Network& network, const std::string& socket_path);
  void serve(const http::Request& request, std::unique_ptr<http::Responder> responder);

 private:
  using JobId = std::uint64_t;

  // cni_server.cc
  void answer_check(const CniRequest& request, http::Responder& responder);
  [[nodiscard]] std::vector<IpPrefix> unmanaged_addresses(const CniRequest& request) const;
  void answer_status(http::Responder& responder);
  void collect_garbage(const json::Value& body, const CniRequest& request, http::Responder& responder);
  [[nodiscard]] std::vector<PendingRelease> garbage(const std::set<std::string>& kept, const CniRequest& request) const;
  [[nodiscard]] std::string left_interface(const PendingRelease& release, const std::set<std::string>& kept) const;
  [[nodiscard]] std::string first_interface(const std::string& container) const;
  [[nodiscard]] std::string why_not_ready() const;

  // cni_add.cc
  void begin_add(CniRequest request, std::unique_ptr<http::Responder> responder);
  void start_add(JobId id);
  void fetch_pod(JobId id);
  [[nodiscard]] Result<AddressPlan> plan(const CniRequest& request, const model::Pod* pod) const;
  void go_on_add(JobId id, const model::Pod* pod);
  void on_assigned(JobId id, const std::vector<ipam::Got>& got);
  void tell_plan(JobId id);
  void begin_addresses(const CniRequest& request, std::unique_ptr<http::Responder> responder);
  void answer_add(AddJob& job, Result<json::Value> outcome);
  void finish_add(JobId id, std::vector<IpPrefix> addresses);
  void fail_add(JobId id, const Error& error);
  void tell_exhausted(const AddJob& job, const std::vector<ipam::Got>& got);
  void tell_pod(const CniRequest& request, const Error& error) const;
  void count_addresses();
  void on_add_deadline(JobId id);
  void note(const std::string& container);
  void on_noted(const std::string& container, const Status& outcome);
  bool note_later(const std::string& container, Attachment& attachment, const Error& error);
  [[nodiscard]] NewEndpoint endpoint_for(const CniRequest& request, std::vector<IpPrefix> addresses) const;
  [[nodiscard]] model::WorkloadEndpoint object_for(const CniRequest& request, const NewEndpoint& endpoint) const;
  void attach(const CniRequest& request, const NewEndpoint& endpoint);
  void detach(const CniRequest& request);
  void begin_ready(const CniRequest& request, std::unique_ptr<http::Responder> responder);
  void go_on_ready(JobId id);
  void end_ready(JobId id, const Status& outcome);

  // cni_del.cc
  void begin_del(const CniRequest& request, std::unique_ptr<http::Responder> responder);
  void run_release(PendingRelease release, std::unique_ptr<http::Responder> responder, bool is_spooled);
  void start_release(JobId id);
  void on_released(JobId id, const Status& outcome);
  void clear_note(JobId id);
  [[nodiscard]] kube::OperationPtr write_cleared(const DelJob& job, kube::ObjectDone done);
  void on_cleared(JobId id, const Status& outcome);
  void try_again(JobId id);
  Status write_down(DelJob& job);
  void on_del_patience(JobId id);
  static void answer_later(DelJob& job);
  bool hurry_del(const CniRequest& request);
  void on_del_deadline(JobId id);
  void settle_del(JobId id);
  void take_up_spool();

  Parts parts_;
  ReleaseSpool spool_;
  ContainerInterfaces interfaces_;
  telemetry::Counter adds_, add_failures_, dels_, delayed_releases_, exhausted_;
  telemetry::Gauge blocks_, addresses_, free_;
  JobId last_job_ = 0;
  std::map<std::string, Attachment> attachments_;  // by container
  std::map<JobId, AddJob> adds_open_;
  // Of ADDs whose plan was told: by container, what they came to, until it is asked for or the container goes.
  std::map<std::string, Result<json::Value>> add_outcomes_;
  std::map<JobId, ReadyJob> readies_;
  std::map<JobId, DelJob> dels_open_;
  std::unique_ptr<loop::Timer> spool_timer_;
  std::unique_ptr<http::Server> server_;
};

// Answers: {"error": text} with the status that fits.
void send_error(http::Responder& responder, const Error& error);
// An error of the API server's that trying again may end.
bool may_pass(const Error& error);
void send_json(http::Responder& responder, int status, const json::Value& body);

}  // namespace margay::agent
