// Containerd: containerd and runc from Debian in a folder and in namespaces of their own (processes and mounts; the
// network is that of the calling thread), with one image: busybox, whose web server answers on port 8080. Pods are run
// through its CRI, as a kubelet does, so that it calls the CNI plugins. All of it ends with the object, or the test.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "test/support/process.h"

namespace margay::test {

struct SandboxOptions {
  std::string pod_namespace = "default";
  std::string pod_name;
  std::string pod_uid;
  std::uint32_t attempt = 0;                            // of the same pod
  std::map<std::uint16_t, std::uint16_t> host_ports{};  // TCP: on the host, in the pod
  std::map<std::string, std::string> annotations{};
};

class Containerd {
 public:
  // `conflist`: the CNI configuration. Null when this machine cannot; `why` says what is missing.
  static std::unique_ptr<Containerd> start(const std::string& conflist, std::string* why);

  // Its ID; the error is what containerd says of it.
  Result<std::string> run_sandbox(const SandboxOptions& options);
  Status stop_sandbox(const std::string& id);
  Status remove_sandbox(const std::string& id);
  [[nodiscard]] std::string logs() const;

 private:
  explicit Containerd(const std::string& conflist);
  bool import_image(std::string* why);
  // One call of the CRI: gRPC by curl.
  Result<std::string> call(const std::string& method, const std::string& message);

  TempDir dir_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace margay::test
