// `netctl get pods` with 10,000 pods in a live margay-apiserver, from fork to exit; kubectl beside it where there is
// one.

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "test/bench/pod_list.h"
#include "test/bench/programs.h"
#include "test/bench/session.h"
#include "test/support/api_servers.h"

namespace margay::bench {
namespace {

constexpr std::size_t kPods = 10'000;
constexpr std::size_t kWriters = 16;
constexpr int kWarmUps = 1;
constexpr int kRuns = 5;
const kube::ResourceType kPodType{"", "v1", "pods", "Pod", true};

// In one namespace, as the server wants objects that are new.
std::vector<json::Value> pods() {
  auto list = json::parse(pod_list(kPods), {.bytes_max = SIZE_MAX});
  MARGAY_CHECK(list.ok());
  std::vector<json::Value> out;
  for (json::Value& item : *(*list)["items"].as_array()) {
    item["metadata"]["namespace"] = "default";
    item["metadata"].make_object().erase("resourceVersion");
    item["metadata"].make_object().erase("ownerReferences");
    out.push_back(std::move(item));
  }
  return out;
}

void fill(Session& session) {
  const std::vector<json::Value> objects = pods();
  std::vector<kube::OperationPtr> slots(kWriters);
  std::size_t started = 0;
  std::size_t finished = 0;
  std::function<void(std::size_t)> next = [&](std::size_t slot) {
    if (started == objects.size()) return;
    slots[slot] = session.client->create(kPodType, "default", objects[started++], {}, [&, slot](auto result) {
      if (!result.ok()) std::printf("%s\n", result.error().message.c_str());
      MARGAY_CHECK(result.ok());
      ++finished;
      session.loop.post([&next, slot] { next(slot); });
    });
  };
  for (std::size_t slot = 0; slot < kWriters; ++slot) next(slot);
  MARGAY_CHECK(session.loop.run_until([&] { return finished == objects.size(); }, std::chrono::minutes(5)));
  session.loop.run_for(Duration::zero());  // what is still posted refers to this frame
}

void run() {
  std::string why;
  // TCP, because kubectl speaks nothing else.
  const auto server = test::start_memory_server({.flags = {}, .unix_socket = false}, &why);
  if (server == nullptr) {
    std::printf("skipped: %s\n", why.c_str());
    return;
  }
  Session session(server->kubeconfig());
  fill(session);
  const auto measure = [&](const std::string& name, const std::string& program, std::vector<std::string> words) {
    const std::string title = concat(name, " ", join(words, " "), ", ", kPods, " pods");
    words.insert(words.begin(), {program, "--kubeconfig", server->kubeconfig()});
    measure_program(title, std::move(words), kWarmUps, kRuns);
  };
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"get", "pods"}, {"get", "pods", "-o", "name"}, {"get", "pods", "-o", "json"}}) {
    measure("netctl", test::program_path("netctl"), words);
    if (const std::string kubectl = test::new_kubectl(); !kubectl.empty()) measure("kubectl", kubectl, words);
  }
}

}  // namespace
}  // namespace margay::bench

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  margay::bench::run();
  return 0;
}
