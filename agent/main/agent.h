// Agent: the parts of margay-node put together, on the control loop.
//
//   control loop   ClusterWatch ─▶ Calculation ─▶ DataplaneBatch, SpeakerUpdate;  Registration, status, local API
//   dataplane loop DataplaneThread ─▶ DataplaneReport, HostLinks
//   BGP loop       BgpThread ─▶ RouteBatch to the dataplane
//
// Start-up is the stages of timeline.h, one after the other, each when its reason holds; nothing waits for time.
// Destroying it leaves the kernel and BGP's peers as they are (fail static).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/bgp/bgp_thread.h"
#include "agent/dataplane/dataplane_thread.h"
#include "agent/main/calculation.h"
#include "agent/main/cni_parts.h"
#include "agent/main/dataplane_metrics.h"
#include "agent/main/endpoint_book.h"
#include "agent/main/flags.h"
#include "agent/main/problem_events.h"
#include "agent/main/timeline.h"
#include "agent/main/tunnel_parts.h"
#include "agent/startup/pool_creation.h"
#include "agent/startup/registration.h"
#include "agent/status/agent_metrics.h"
#include "agent/status/health.h"
#include "agent/status/node_status.h"
#include "agent/status/policy_progress.h"
#include "agent/status/policy_report.h"
#include "agent/status/status_server.h"
#include "base/core/random.h"
#include "base/loop/asio_loop.h"
#include "base/process/process_metrics.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "datastore/events/event_recorder.h"
#include "datastore/kube/client.h"
#include "datastore/watch/cluster_watch.h"

namespace margay::agent {

class Agent {
 public:
  struct Parts {
    loop::AsioLoop& loop;
    loop::Network& network;
    Random& random;
    kube::Client& client;
    telemetry::LogOutput& log_output;
    telemetry::Registry& metrics;
    process::ProcessMetrics& process_metrics;
    Flags flags;
    startup::Environment environment;
    std::map<std::string, std::string> variables;  // of the process
    // Once, when all stages are reached.
    std::function<void()> on_ready;
  };
  explicit Agent(Parts parts);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // The error says what this machine lacks.
  Status start();
  // Reads the file of --config again.
  void reload();
  // The dataplane reads everything again and makes it right.
  void resync() { dataplane_->queue_resync(); }

  // --- looking: for the local API ---
  [[nodiscard]] const Timeline& timeline() const { return timeline_; }
  [[nodiscard]] const watch::ClusterWatch& cluster() const { return cluster_; }
  [[nodiscard]] Calculation& calculation() { return calculation_; }
  [[nodiscard]] const EndpointBook& endpoints() const { return book_; }
  [[nodiscard]] const DataplaneReport& report() const { return report_; }
  // Of what was calculated: all is in the kernel, or failed, once report().batch is this.
  [[nodiscard]] std::uint64_t batches_sent() const { return batches_sent_; }
  [[nodiscard]] const DataplaneThread* dataplane() const { return dataplane_.get(); }
  [[nodiscard]] const startup::Registration& registration() const { return registration_; }
  [[nodiscard]] BgpThread* bgp() { return bgp_.get(); }
  [[nodiscard]] status::StatusServer& status_server() { return status_server_; }
  [[nodiscard]] CniParts& cni() { return cni_; }
  [[nodiscard]] const TunnelParts& tunnels() const { return tunnels_; }
  // How the node fares.
  [[nodiscard]] std::vector<status::NodeSnapshot::Aspect> aspects() const;
  [[nodiscard]] const std::string& node_name() const { return parts_.environment.node_name; }

 private:
  Status start_dataplane();
  void start_bgp();
  void reach(Stage stage);
  void send(DataplaneBatch batch);
  void on_turn(bool is_in_sync);
  void apply_config(const config::Change& change);
  void on_report(DataplaneReport report);
  void on_links(const HostLinks& links);
  void open_bgp();
  void note(std::string_view reason, const std::string& message, bool is_warning);
  void note_pod(const PodNews& news);
  void set_log_level(const config::Change& change);
  void check_ready();
  void beat();
  void reconcile_files();
  void tell_problems();
  void return_memory();
  void count_cluster();
  void read_config_file();
  void serve_health_alone();
  [[nodiscard]] Calculation::Others others();
  [[nodiscard]] bool has_bgp() const { return parts_.environment.backend == startup::NetworkingBackend::kBgp; }
  void watch_node_status();
  void watch_policies();
  void report_policies();
  void refresh_snapshot(bool with_routes, std::function<void()> then);

  Parts parts_;
  telemetry::Logger log_;
  std::string config_text_;  // of the settings file
  Timeline timeline_;
  status::Health health_;
  status::AgentMetrics agent_metrics_;
  DataplaneMetrics dataplane_metrics_;
  status::StatusServer status_server_;
  Calculation calculation_;
  EndpointBook book_;
  DataplaneReport report_;
  std::uint64_t batches_sent_ = 0;
  CniParts cni_;
  TunnelParts tunnels_;
  events::EventRecorder events_;
  ProblemEvents problem_events_;
  startup::PoolCreation pools_;
  startup::Registration registration_;
  BgpSnapshot bgp_snapshot_;                    // as long as somebody asks
  std::map<std::string, bool> status_objects_;  // by name: whether routes are asked for
  HostLinks links_;
  int beats_ = 0;
  status::NodeStatusReporter node_status_;
  status::PolicyProgress policy_progress_;
  status::PolicyReport policy_report_;
  status::Readiness datastore_ready_, dataplane_ready_, node_ready_;
  status::Heartbeat control_beat_, dataplane_beat_, bgp_beat_;
  std::unique_ptr<loop::Timer> turn_timer_;
  std::unique_ptr<loop::Timer> beat_timer_;
  std::unique_ptr<loop::Timer> files_timer_, problems_timer_, memory_timer_;
  std::unique_ptr<DataplaneThread> dataplane_;
  std::unique_ptr<BgpThread> bgp_;
  std::optional<loop::Channel<route::RouteBatch>::Sender> static_routes_;  // without BGP
  watch::ClusterWatch cluster_;                                            // first to end
};

}  // namespace margay::agent
