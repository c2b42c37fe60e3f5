#include "test/support/cni_node.h"

#include <linux/rtnetlink.h>
#include <net/if.h>

#include <utility>

#include "base/core/check.h"
#include "base/core/random.h"
#include "base/core/text.h"
#include "base/loop/asio_network.h"
#include "base/loop/loop_thread.h"
#include "dataplane/netlink/netlink.h"
#include "dataplane/route/route.h"
#include "datastore/kube/config.h"
#include "datastore/kube/make_client.h"
#include "datastore/watch/cluster_watch.h"

namespace margay::test {
namespace {

// Routes at once, and says so; the pods' policy is none.
class RouteReadiness final : public agent::EndpointReadiness {
 public:
  RouteReadiness(loop::Loop& loop, std::string never) : loop_(loop), never_(std::move(never)) {
    kernel_ = netlink::open_netlink(NETLINK_ROUTE).value();
  }

  std::unique_ptr<agent::ReadinessWait> wait(const agent::NewEndpoint& endpoint, Duration timeout,
                                             Callback<void(Status)> done) override {
    auto wait = std::make_unique<Wait>();
    wait->done = std::move(done);
    wait->outcome = never_.empty() ? add_routes(endpoint) : Status(Error{ErrorCode::kTimeout, never_});
    wait->timer = loop_.make_timer([raw = wait.get()] { std::exchange(raw->done, nullptr)(raw->outcome); });
    wait->timer->arm(never_.empty() ? Duration::zero() : timeout);
    return wait;
  }

 private:
  struct Wait final : agent::ReadinessWait {
    Callback<void(Status)> done;
    Status outcome = ok_status();
    std::unique_ptr<loop::Timer> timer;
  };

  Status add_routes(const agent::NewEndpoint& endpoint) {
    const unsigned index = if_nametoindex(endpoint.interface.c_str());
    if (index == 0) return Error{ErrorCode::kNotFound, concat("there is no ", endpoint.interface)};
    netlink::Batch batch;
    for (const IpPrefix& address : endpoint.addresses) {
      route::add_route_request(batch, {.prefix = address, .metric = 1024}, {.hops = {{.interface = IfIndex(index)}}},
                               80, route::Write::kReplace);
    }
    const auto report = kernel_->apply(batch);
    if (!report.failures.empty()) return Error{ErrorCode::kInternal, report.failures.front().text};
    return report.transport;
  }

  loop::Loop& loop_;
  std::string never_;
  std::unique_ptr<netlink::Netlink> kernel_;
};

kube::ConnectionConfig connection(const std::string& kubeconfig) {
  auto config = kube::choose_connection({.kubeconfig = kubeconfig}, {});
  MARGAY_CHECK(config.ok());
  return std::move(config).value();
}

}  // namespace

struct CniNode::Impl {
  explicit Impl(const CniNodeOptions& options, loop::AsioLoop& loop)
      : network(loop),
        client(kube::make_client(loop, network, random, connection(options.kubeconfig),
                                 {.requests_per_second = 0, .metrics = nullptr})),
        facts(options.node),
        attached(facts),
        readiness(loop, options.never_ready),
        book({loop, *client, {}}, facts.allocator_config()),
        server({.loop = loop,
                .client = *client,
                .facts = facts,
                .book = book,
                .readiness = readiness,
                .attached = attached,
                .spool_folder = options.spool_folder,
                .limits = options.limits}),
        cluster({loop, random, *client}, [this](bool is_in_sync) {
          if (is_in_sync) facts.mark_in_sync();
        }) {
    facts.on_config = [this] { book.configure(facts.allocator_config()); };
    watch<model::IpPool>();
    watch<model::IpReservation>();
    watch<model::IpamConfiguration>();
    watch<model::Namespace>();
    watch<model::Node>();
    watch<model::Pod>();
    cluster.start();
    book.start();
    MARGAY_CHECK(server.listen(network, options.socket).ok());
  }

  template <class T>
  void watch() {
    cluster.add<T>(
        {}, {[this](const model::ObjectKey& key, const std::shared_ptr<const T>& value) { facts.set(key, value); }});
  }

  SeededRandom random{1};
  loop::AsioNetwork network;
  std::unique_ptr<kube::Client> client;
  agent::ClusterFacts facts;
  agent::AttachedEndpoints attached;
  RouteReadiness readiness;
  addresses::AddressBook book;
  agent::CniServer server;
  watch::ClusterWatch cluster;
};

CniNode::CniNode(const CniNodeOptions& options) : thread_(std::make_unique<loop::LoopThread>()) {
  thread_->call([&] { impl_ = std::make_unique<Impl>(options, thread_->loop()); });
  const bool is_read = poll_until(std::chrono::seconds(20), [this] {
    bool is_done = false;
    thread_->call([&] { is_done = impl_->facts.is_in_sync() && impl_->book.allocator().is_listed(); });
    return is_done;
  });
  MARGAY_CHECK(is_read);
  thread_->call([this] { impl_->server.start(); });
}

CniNode::~CniNode() {
  thread_->call([this] { impl_.reset(); });
}

std::size_t CniNode::addresses_in_use() {
  std::size_t count = 0;
  thread_->call([&] {
    for (const auto& [cidr, block] : impl_->book.allocator().blocks()) {
      count += ipam::addresses_in_use(block.stored().spec).size();
    }
  });
  return count;
}

bool CniNode::releases_all() {
  return poll_until(std::chrono::seconds(10), [this] { return addresses_in_use() == 0; });
}

ProcessOptions plugin_process(const PluginCall& call) {
  std::string args = "IgnoreUnknown=1";
  if (!call.pod_name.empty()) {
    args += concat(";K8S_POD_NAMESPACE=", call.pod_namespace, ";K8S_POD_NAME=", call.pod_name);
  }
  return {.argv = {program_path(call.program)},
          .environment = {{"CNI_COMMAND", call.command},
                          {"CNI_CONTAINERID", call.container},
                          {"CNI_NETNS", call.netns},
                          {"CNI_IFNAME", call.interface},
                          {"CNI_ARGS", args}},
          .stdin_text = call.config,
          .output_path = ""};
}

ProgramResult run_plugin(const PluginCall& call) { return run_program(plugin_process(call)); }

}  // namespace margay::test
