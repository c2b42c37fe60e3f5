#include "test/integration/shared_server.h"

#include <vector>

#include "base/core/check.h"
#include "base/core/text.h"
#include "datastore/watch/resource_of.h"

namespace margay::test {
namespace {

using model::Kind;

// Sources before what is made of them.
constexpr Kind kMadeKinds[] = {Kind::kKubernetesNetworkPolicy,
                               Kind::kAdminNetworkPolicy,
                               Kind::kService,
                               Kind::kPod,
                               Kind::kNode,
                               Kind::kLease,
                               Kind::kKubeControllersConfiguration,
                               Kind::kNetworkPolicy,
                               Kind::kGlobalNetworkPolicy,
                               Kind::kStagedNetworkPolicy,
                               Kind::kTier,
                               Kind::kClusterInformation,
                               Kind::kHostEndpoint,
                               Kind::kCalicoNodeStatus,
                               Kind::kIpamBlock,
                               Kind::kBlockAffinity,
                               Kind::kIpamHandle,
                               Kind::kIpPool};

// "" when it is not there.
std::string value_of(const std::string& config, std::string_view key) {
  const std::size_t at = config.find(key);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + key.size();
  return config.substr(begin, config.find('\n', begin) - begin);
}

void debug_request(const ApiServer& server, const std::string& method, const std::string& path,
                   const std::string& body) {
  const std::string config = read_text(server.kubeconfig());
  std::vector<std::string> argv{"curl",
                                "-sSk",
                                "--fail",
                                "-X",
                                method,
                                "-H",
                                "Content-Type: application/json",
                                "-H",
                                concat("Authorization: Bearer ", value_of(config, "token: ")),
                                "-d",
                                body};
  const std::string place = value_of(config, "server: ");
  constexpr std::string_view kUnix = "unix://";
  if (place.starts_with(kUnix)) {
    argv.insert(argv.end(), {"--unix-socket", place.substr(kUnix.size()), "http://localhost" + path});
  } else {
    argv.push_back(place + path);
  }
  const auto done = run_program({.argv = argv, .environment = {}, .stdin_text = {}, .output_path = {}});
  if (done.exit_status != 0) write_text("/dev/stderr", done.out + done.err);
  MARGAY_CHECK(done.exit_status == 0);
}

bool is_servers_own(Kind kind, std::string_view name_space, std::string_view name) {
  if (kind == Kind::kService) return name_space == "default" && name == "kubernetes";
  return kind == Kind::kLease && !name.starts_with("margay-");
}

// Whether it was to be removed.
bool remove_object(SyncClient& client, Kind kind, const json::Value& object) {
  const kube::ResourceType type = watch::resource_of(kind);
  const kube::ObjectName name{std::string(object.string_at({"metadata", "namespace"})),
                              std::string(object.string_at({"metadata", "name"}))};
  if (is_servers_own(kind, name.name_space, name.name)) return false;
  if (object.find({"metadata", "finalizers"}) != nullptr) {
    (void)client.patch(type, name, kube::PatchType::kMerge, R"({"metadata":{"finalizers":null}})");
  }
  const auto removed = client.remove(type, name, {.grace_period_seconds = 0});
  MARGAY_CHECK(removed.ok() || removed.error().code == ErrorCode::kNotFound);
  return true;
}

bool remove_all(SyncClient& client) {
  bool was_empty = true;
  for (const Kind kind : kMadeKinds) {
    const auto listed = client.list(watch::resource_of(kind), "");
    MARGAY_CHECK(listed.ok());
    for (const json::Value& object : listed->items) was_empty = !remove_object(client, kind, object) && was_empty;
  }
  return was_empty;
}

}  // namespace

std::shared_ptr<ApiServer> controllers_server(const std::string& name, std::string* why) {
  if (name == "memory") return start_memory_server({.flags = {"--enable-fault-injection"}}, why);
  static std::string what_is_missing;
  static const std::shared_ptr<ApiServer> shared = start_kube_apiserver(&what_is_missing);
  *why = what_is_missing;
  return shared;
}

// Again until a pass finds nothing: a program that was killed may have had a request under way.
void empty_server(SyncClient& client) {
  while (!remove_all(client)) {
  }
}

void set_faults(const ApiServer& server, const std::string& rules) {
  debug_request(server, "PUT", "/debug/faults", concat(R"({"rules":[)", rules, "]}"));
}

void drop_watches(const ApiServer& server) { debug_request(server, "POST", "/debug/faults/drop-watches", ""); }

}  // namespace margay::test
