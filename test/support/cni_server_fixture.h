// A CniServer on an API server in memory, in simulated time. Part of the tests.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/cni/cni_server.h"
#include "base/core/random.h"
#include "base/core/text.h"
#include "base/file/temp_dir.h"
#include "base/loop/sim_loop.h"
#include "datastore/watch/resource_of.h"
#include "gtest/gtest.h"
#include "test/support/fake_kube_client.h"

namespace margay::agent {

struct Told {
  int status = 0;
  std::string body;
  [[nodiscard]] bool is_there() const { return status != 0; }
};

class OneAnswer final : public http::Responder {
 public:
  explicit OneAnswer(std::shared_ptr<Told> told) : told_(std::move(told)) {}
  void send(http::Response response) override {
    told_->status = response.status;
    told_->body = std::move(response.body);
  }
  void start(http::ResponseHead) override {}
  void write(std::string) override {}
  void finish() override {}
  void abort() override {}
  [[nodiscard]] bool is_open() const override { return true; }
  [[nodiscard]] std::size_t queued_bytes() const override { return 0; }
  void on_drained(Callback<void()>) override {}
  void on_closed(Task) override {}
  void on_input_end(Task) override {}

 private:
  std::shared_ptr<Told> told_;
};

class TestReadiness final : public EndpointReadiness {
 public:
  explicit TestReadiness(loop::Loop& loop) : loop_(loop) {}
  std::unique_ptr<ReadinessWait> wait(const NewEndpoint& endpoint, Duration timeout,
                                      Callback<void(Status)> done) override {
    last = endpoint;
    auto out = std::make_unique<Wait>();
    out->done = std::move(done);
    out->timer = loop_.make_timer([this, raw = out.get()] {
      std::exchange(raw->done, nullptr)(missing.empty() ? ok_status() : Status(Error{ErrorCode::kTimeout, missing}));
    });
    out->timer->arm(missing.empty() ? std::chrono::milliseconds(1) : timeout);
    return out;
  }
  NewEndpoint last;
  std::string missing;

 private:
  struct Wait final : ReadinessWait {
    Callback<void(Status)> done;
    std::unique_ptr<loop::Timer> timer;
  };
  loop::Loop& loop_;
};

class CniServerTest : public testing::Test {
 protected:
  CniServerTest() {
    add_pool("four", "10.0.0.0/16", 26);
    facts_.mark_in_sync();
    begin();
  }

  void advance(Duration by) { loop_.advance(by); }

  void begin() {
    server_.reset();
    book_ = std::make_unique<addresses::AddressBook>(addresses::AddressBook::Parts{loop_, client_, {}}, config());
    book_->start();
    server_ =
        std::make_unique<CniServer>(CniServer::Parts{.loop = loop_,
                                                     .client = client_,
                                                     .facts = facts_,
                                                     .book = *book_,
                                                     .readiness = readiness_,
                                                     .attached = attached_,
                                                     .spool_folder = folder_.at("releases"),
                                                     .interfaces_folder = folder_.at("interfaces"),
                                                     .on_pod_news = [this](const PodNews& news) { news_ = news; },
                                                     .on_exhausted =
                                                         [this](const auto& pools, const std::string& who) {
                                                           for (const auto& pool : pools) {
                                                             exhausted_.push_back(concat(pool.name, " for ", who));
                                                           }
                                                         }});
    advance(std::chrono::seconds(1));
    server_->start();
  }

  ipam::AllocatorConfig config() {
    ipam::AllocatorConfig out = facts_.allocator_config();
    out.spare_min = 0;
    return out;
  }

  void add_pool(const std::string& name, std::string_view cidr, int length) {
    auto pool = std::make_shared<model::IpPool>();
    pool->metadata.name = name;
    pool->spec.cidr = IpPrefix::parse(cidr).value();
    pool->spec.block_size = length;
    facts_.set({model::Kind::kIpPool, "", name}, std::shared_ptr<const model::IpPool>(pool));
  }

  void add_pod(const std::string& name) {
    json::Value object;
    object["spec"]["nodeName"] = "node-1";
    client_.put(watch::resource_of(model::Kind::kPod), {"default", name}, object);
    auto pod = std::make_shared<model::Pod>();
    pod->metadata.name = name;
    pod->metadata.name_space = SharedText("default");
    pod->spec.node_name = SharedText("node-1");
    facts_.set({model::Kind::kPod, "default", name}, std::shared_ptr<const model::Pod>(pod));
  }

  std::shared_ptr<Told> ask(const std::string& verb, const std::string& container, const std::string& pod = "",
                            bool plan_first = false, const std::string& interface = "eth0") {
    auto told = std::make_shared<Told>();
    json::Object body;
    body["container"] = container;
    body["interface"] = interface;
    body["planFirst"] = plan_first;
    if (!pod.empty()) {
      body["podNamespace"] = "default";
      body["podName"] = pod;
    }
    server_->serve({"POST", "/v1/" + verb, {}, json::dump(json::Value(std::move(body)))},
                   std::make_unique<OneAnswer>(told));
    return told;
  }

  void api_is_away() {
    client_.on_request = [](std::string_view, const kube::ResourceType&) {
      return std::optional<kube::ApiError>({.code = ErrorCode::kUnavailable, .message = "no connection"});
    };
  }
  void api_is_back() { client_.on_request = nullptr; }

  std::size_t stored_addresses() {
    std::size_t count = 0;
    for (const auto& [name, object] : client_.objects(watch::resource_of(model::Kind::kIpamBlock))) {
      for (const json::Value& slot : *object.find({"spec", "allocations"})->as_array()) count += !slot.is_null();
    }
    return count;
  }
  std::size_t handles() { return client_.objects(watch::resource_of(model::Kind::kIpamHandle)).size(); }

  loop::SimLoop loop_;
  SeededRandom random_{1};
  file::TempDir folder_ = file::TempDir::make().value();
  test::FakeKubeClient client_{loop_, random_};
  ClusterFacts facts_{"node-1"};
  TestReadiness readiness_{loop_};
  AttachedEndpoints attached_{facts_};
  std::unique_ptr<addresses::AddressBook> book_;
  std::unique_ptr<CniServer> server_;
  PodNews news_;
  std::vector<std::string> exhausted_;
};

}  // namespace margay::agent
