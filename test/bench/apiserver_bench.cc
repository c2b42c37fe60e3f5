// margay-apiserver as its clients see it: writes per second (memory and etcd), lists, and the time from a write to the
// watch event in a consumer's hands, over a unix socket. Server and client are two processes, as in production. The
// same writes straight to etcd's gateway say what etcd leaves room for.

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "datastore/store/etcd_client.h"
#include "datastore/store/etcd_codec.h"
#include "test/bench/measure.h"
#include "test/bench/session.h"
#include "test/support/api_servers.h"

namespace margay::bench {
namespace {

using json::Object;
using json::Value;

constexpr Duration kHangs = std::chrono::seconds(120);
const kube::ResourceType kSets{"projectcalico.org", "v3", "globalnetworksets", "GlobalNetworkSet", false};

Value network_set(const std::string& name, std::size_t number) {
  return Object{{"apiVersion", "projectcalico.org/v3"},
                {"kind", "GlobalNetworkSet"},
                {"metadata", Object{{"name", name}, {"labels", Object{{"number", concat(number)}}}}},
                {"spec", Object{{"nets", json::Array{Value("192.0.2.0/24"), Value("198.51.100.0/24")}}}}};
}

// Starts the write number `number` and calls `done` once it is done. What it returns is kept until then.
using StartWrite = std::function<kube::OperationPtr(std::size_t number, std::function<void()> done)>;

// `writers` writes under way at a time, `total` in all.
void measure_writes(const std::string& title, loop::AsioLoop& loop, const StartWrite& start, std::size_t writers,
                    std::size_t total) {
  std::vector<kube::OperationPtr> slots(writers);
  std::size_t started = 0;
  std::size_t finished = 0;
  Samples round_trips;
  std::function<void(std::size_t)> next = [&](std::size_t slot) {
    if (started == total) return;
    const auto begin = Clock::now();
    slots[slot] = start(started++, [&, slot, begin] {
      round_trips.add(seconds_since(begin));
      ++finished;
      loop.post([&next, slot] { next(slot); });
    });
  };
  const auto begin = Clock::now();
  for (std::size_t slot = 0; slot < writers; ++slot) next(slot);
  // What is still posted refers to this frame: it runs before the marker does.
  bool is_drained = false;
  MARGAY_CHECK(loop.run_until([&] { return finished == total; }, kHangs));
  const double rate = static_cast<double>(total) / seconds_since(begin);
  loop.post([&] { is_drained = true; });
  MARGAY_CHECK(loop.run_until([&] { return is_drained; }, kHangs));
  print_figure(concat("creates, ", title, ", ", writers, " at a time"), rate, "/s");
  print_samples(concat("  one create, ", title, ", ", writers, " at a time"), round_trips, 1e6, "us");
}

void measure_creates(const std::string& title, Session& session, std::size_t writers, std::size_t total) {
  const auto start = [&](std::size_t number, std::function<void()> done) {
    const std::string name = concat(title.front(), "-", writers, "-", number);
    return session.client->create(kSets, "", network_set(name, number), {}, [done = std::move(done)](auto result) {
      MARGAY_CHECK(result.ok());
      done();
    });
  };
  measure_writes(title, session.loop, start, writers, total);
}

// Transactions as the server's store sends them, with nothing in between.
void measure_gateway(const test::Etcd& etcd, std::size_t writers, std::size_t total) {
  loop::AsioLoop loop;
  loop::AsioNetwork network(loop);
  const auto endpoint = loop::Endpoint::parse(concat("tcp://", etcd.client_url().substr(std::size("http://") - 1)));
  MARGAY_CHECK(endpoint.ok());
  store::etcd::Client client(loop, network, {.endpoints = {*endpoint}, .tls = {}});
  const auto start = [&](std::size_t number, std::function<void()> done) -> kube::OperationPtr {
    const std::string name = concat("direct-", writers, "-", number);
    const std::string key = concat("/direct/", name);
    client.call("/v3/kv/txn", store::etcd::encode_put(key, json::dump(network_set(name, number)), {}),
                store::etcd::Safety::kChange, [done = std::move(done)](const Result<std::string>& answer) {
                  MARGAY_CHECK(answer.ok());
                  done();
                });
    return nullptr;
  };
  measure_writes("etcd's gateway itself", loop, start, writers, total);
}

// Every object there is, in one answer.
void measure_list(const std::string& title, Session& session, std::size_t runs) {
  Samples seconds;
  std::size_t items = 0;
  for (std::size_t i = 0; i < runs; ++i) {
    bool is_done = false;
    items = 0;
    const auto begin = Clock::now();
    const kube::OperationPtr list = session.client->list(kSets, "", {},
                                                         {.on_item = [&](std::string_view) { ++items; },
                                                          .on_done =
                                                              [&](auto outcome) {
                                                                MARGAY_CHECK(outcome.ok());
                                                                is_done = true;
                                                              }});
    MARGAY_CHECK(session.loop.run_until([&] { return is_done; }, kHangs));
    seconds.add(seconds_since(begin));
  }
  print_samples(concat("list of ", items, " objects, ", title), seconds, 1e3, "ms");
}

// From sending an update, and from its answer, to the event in the watcher's callback; same process, same clock.
void measure_watch(Session& session, std::size_t total) {
  Samples from_request;
  Samples from_answer;
  Clock::time_point requested;
  Clock::time_point answered;
  std::size_t events = 0;
  bool is_open = false;
  bool has_answer = false;
  Clock::time_point event_at;
  Value version;
  const kube::OperationPtr watch = session.client->watch(kSets, "", {.field_selector = "metadata.name=watched"},
                                                         {.on_open = [&] { is_open = true; },
                                                          .on_event =
                                                              [&](const kube::WatchEvent& event) {
                                                                if (event.kind == kube::WatchEvent::Kind::kBookmark)
                                                                  return;
                                                                event_at = Clock::now();
                                                                ++events;
                                                              },
                                                          .on_done = [](auto) {}});
  MARGAY_CHECK(session.loop.run_until([&] { return is_open; }, kHangs));
  for (std::size_t i = 0; i < total; ++i) {
    const std::size_t wanted = events + 1;
    has_answer = false;
    const auto done = [&](auto result) {
      MARGAY_CHECK(result.ok());
      answered = Clock::now();
      version = *result->find({"metadata", "resourceVersion"});
      has_answer = true;
    };
    Value object = network_set("watched", i);
    if (i > 0) object["metadata"]["resourceVersion"] = version;
    requested = Clock::now();
    const kube::OperationPtr write = i == 0 ? session.client->create(kSets, "", object, {}, done)
                                            : session.client->update(kSets, {"", "watched"}, object, {}, done);
    MARGAY_CHECK(session.loop.run_until([&] { return events == wanted && has_answer; }, kHangs));
    from_request.add(std::chrono::duration<double>(event_at - requested).count());
    from_answer.add(std::max(0.0, std::chrono::duration<double>(event_at - answered).count()));
  }
  print_samples("watch event, from sending the update", from_request, 1e6, "us");
  print_samples("watch event, after the update's answer", from_answer, 1e6, "us");
}

void run() {
  std::string why;
  if (const auto server = test::start_memory_server({.flags = {}, .unix_socket = true}, &why)) {
    Session session(server->kubeconfig());
    measure_creates("memory, unix socket", session, 1, 5'000);
    measure_creates("memory, unix socket", session, 16, 20'000);
    measure_list("memory, unix socket", session, 9);
    measure_watch(session, 5'000);
  } else {
    std::printf("memory: skipped: %s\n", why.c_str());
  }
  if (const auto server = test::start_etcd_server({.flags = {}, .unix_socket = true}, &why)) {
    Session session(server->kubeconfig());
    measure_creates("etcd (no fsync), unix socket", session, 1, 1'000);
    measure_creates("etcd (no fsync), unix socket", session, 16, 5'000);
    const auto etcd = test::Etcd::start(&why);
    measure_gateway(*etcd, 1, 1'000);
    measure_gateway(*etcd, 16, 5'000);
  } else {
    std::printf("etcd: skipped: %s\n", why.c_str());
  }
}

}  // namespace
}  // namespace margay::bench

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  margay::bench::run();
  return 0;
}
