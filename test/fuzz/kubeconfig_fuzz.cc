// kubeconfig files: anything may stand in them; what comes out is a configuration with servers, or a message.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/core/check.h"
#include "datastore/kube/kubeconfig.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = margay::kube::Kubeconfig::parse(text, "/etc/kubeconfig");
  if (!config.ok()) {
    MARGAY_CHECK(!config.error().message.empty());
    return 0;
  }
  const auto no_files = [](const std::string& path) -> margay::Result<std::string> {
    return margay::Error{margay::ErrorCode::kNotFound, path};
  };
  for (const auto& [name, context] : config->contexts) {
    const auto connection = config->resolve(name, no_files);
    MARGAY_CHECK(connection.ok() ? !connection->servers.empty() : !connection.error().message.empty());
  }
  return 0;
}
