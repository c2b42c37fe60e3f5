// ServerHarness: an ApiServer over a memory store on a simulated loop, with requests as plain calls. For tests.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "base/http/server.h"
#include "base/json/value.h"
#include "base/loop/sim_loop.h"
#include "base/telemetry/metrics.h"
#include "datastore/schema/registry.h"
#include "datastore/server/api_server.h"
#include "datastore/store/memory_store.h"

namespace margay::server {

// What a client has received so far.
struct Answer {
  int status = 0;
  http::Headers headers;
  std::string body;
  bool is_complete = false;
  bool is_aborted = false;

  [[nodiscard]] json::Value json() const { return json::parse(body).value_or({}); }
  // The events of a watch: "ADDED a@1", one a line of the body.
  [[nodiscard]] std::vector<std::string> events() const {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < body.size();) {
      const std::size_t end = body.find('\n', at);
      const json::Value event = json::parse(std::string_view(body).substr(at, end - at)).value_or({});
      const std::string_view name = event.string_at({"object", "metadata", "name"});
      out.push_back(std::string(event.string_at({"type"})).append(name.empty() ? "" : " ").append(name));
      at = end == std::string::npos ? body.size() : end + 1;
    }
    return out;
  }
};

// An answer under way, and the client's side of it.
struct LiveAnswer : Answer {
  std::size_t queued = 0;  // bytes the client does not take
  Callback<void()> on_drained;
  Task on_closed;
  Task on_input_end;
};

class FakeResponder final : public http::Responder {
 public:
  explicit FakeResponder(std::shared_ptr<LiveAnswer> answer) : answer_(std::move(answer)) {}
  ~FakeResponder() override {
    if (!is_over_) answer_->is_aborted = true;
  }
  void send(http::Response response) override {
    start({response.status, std::move(response.headers)});
    write(std::move(response.body));
    finish();
  }
  void start(http::ResponseHead head) override {
    answer_->status = head.status;
    answer_->headers = std::move(head.headers);
  }
  void write(std::string bytes) override { answer_->body += bytes; }
  void finish() override {
    is_over_ = true;
    answer_->is_complete = true;
  }
  void abort() override {
    is_over_ = true;
    answer_->is_aborted = true;
  }
  [[nodiscard]] bool is_open() const override { return !is_over_; }
  [[nodiscard]] std::size_t queued_bytes() const override { return answer_->queued; }
  void on_drained(Callback<void()> task) override { answer_->on_drained = std::move(task); }
  void on_closed(Task task) override { answer_->on_closed = std::move(task); }
  void on_input_end(Task task) override { answer_->on_input_end = std::move(task); }

 private:
  std::shared_ptr<LiveAnswer> answer_;
  bool is_over_ = false;
};

using AnswerPtr = std::shared_ptr<LiveAnswer>;

class ServerHarness {
 public:
  explicit ServerHarness(ApiServerConfig config = {}, store::MemoryStoreConfig store_config = {})
      : store_(std::move(store::MemoryStore::open(loop, std::move(store_config))).value()),
        server_(
            std::make_unique<ApiServer>(ApiServer::Dependencies{loop, random_, *store_, metrics_, telemetry::Logger()},
                                        schema::make_registry(), std::move(config))) {
    server_->start([] {});
    loop.run_until_idle();
  }

  using HeaderList = std::initializer_list<std::pair<const char*, const char*>>;

  AnswerPtr begin(std::string_view method, std::string_view target, std::string_view body = "",
                  HeaderList headers = {}) {
    return begin_as({"test", true}, method, target, body, headers);
  }
  AnswerPtr begin_as(const http::PeerInfo& peer, std::string_view method, std::string_view target,
                     std::string_view body = "", HeaderList headers = {}) {
    http::Request request{std::string(method), std::string(target), {}, std::string(body)};
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    if (!body.empty() && !request.headers.contains("Content-Type"))
      request.headers.add("Content-Type", "application/json");
    auto answer = std::make_shared<LiveAnswer>();
    server_->handle(std::move(request), peer, std::make_unique<FakeResponder>(answer));
    return answer;
  }
  Answer& call(std::string_view method, std::string_view target, std::string_view body = "", HeaderList headers = {}) {
    return call_as({"test", true}, method, target, body, headers);
  }
  Answer& call_as(const http::PeerInfo& peer, std::string_view method, std::string_view target,
                  std::string_view body = "", HeaderList headers = {}) {
    last_ = begin_as(peer, method, target, body, headers);
    loop.run_until_idle();
    return *last_;
  }
  ApiServer& server() { return *server_; }
  store::MemoryStore& store() { return *store_; }

  loop::SimLoop loop;

 private:
  SeededRandom random_{42};
  telemetry::Registry metrics_;
  std::unique_ptr<store::MemoryStore> store_;
  std::unique_ptr<ApiServer> server_;
  AnswerPtr last_;
};

// A namespaced kind with a status subresource, defaults and columns, as a CustomResourceDefinition.
inline constexpr std::string_view kFooCrd =
    R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
"metadata":{"name":"foos.example.org"},"spec":{"group":"example.org","scope":"Namespaced","names":{"plural":"foos",
"kind":"Foo","shortNames":["fo"]},"versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},
"additionalPrinterColumns":[{"name":"Cidr","type":"string","jsonPath":".spec.cidr"},
{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}],
"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","required":["cidr"],"properties":{
"cidr":{"type":"string","pattern":"^[0-9./]+$"},"n":{"type":"integer","minimum":1,"default":5},
"mode":{"type":"string","enum":["A","B"]}}},
"status":{"type":"object","properties":{"phase":{"type":"string"}}}}}}}]}})";

inline constexpr std::string_view kFoos = "/apis/example.org/v1/namespaces/default/foos";

// Foo NAME with cidr 1 and further members of metadata: `,"labels":{…}`.
inline std::string foo(std::string_view name, std::string_view metadata = "", std::string_view spec = "") {
  return std::string(R"({"apiVersion":"example.org/v1","kind":"Foo","metadata":{"name":")")
      .append(name)
      .append("\"")
      .append(metadata)
      .append(R"(},"spec":{"cidr":"1")")
      .append(spec)
      .append("}}");
}

}  // namespace margay::server
