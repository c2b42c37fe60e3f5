// A kubectl, old or new, and a margay-apiserver in memory. Not part of any library.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "test/support/api_servers.h"

namespace margay::test {

class KubectlTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { start({}); }

  void start(const MargayServerOptions& options) {
    binary_ = GetParam() == "old" ? old_kubectl() : new_kubectl();
    if (binary_.empty()) GTEST_SKIP() << "no kubectl on this machine";
    if (GetParam() == "new" && binary_ == old_kubectl()) GTEST_SKIP() << "no second kubectl on this machine";
    std::string why;
    server_ = start_memory_server(options, &why);
    if (server_ == nullptr) GTEST_SKIP() << why;
  }

  std::vector<std::string> command(const std::vector<std::string>& arguments) {
    std::vector<std::string> argv{binary_, "--kubeconfig", server_->kubeconfig()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
  }
  ProgramResult run(const std::vector<std::string>& arguments, const std::string& input = "",
                    std::map<std::string, std::string> environment = {}) {
    environment["HOME"] = home_.path();
    return run_program({command(arguments), environment, input, ""});
  }
  // The output of a call that has to succeed.
  std::string output(const std::vector<std::string>& arguments, const std::string& input = "",
                     const std::map<std::string, std::string>& environment = {}) {
    const ProgramResult result = run(arguments, input, environment);
    EXPECT_EQ(result.exit_status, 0) << join(arguments, " ") << "\n" << result.out << result.err;
    return result.out;
  }
  static std::string pool(const std::string& name) {
    return concat("apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata:\n  name: ", name,
                  "\nspec:\n  cidr: 10.20.0.0/16\n  ipipMode: CrossSubnet\n  natOutgoing: true\n");
  }
  static bool has(const std::string& text, std::string_view piece) { return text.find(piece) != std::string::npos; }

  std::string binary_;
  TempDir home_;
  std::unique_ptr<ApiServer> server_;
};

inline auto kubectl_versions() { return testing::Values("old", "new"); }
inline std::string kubectl_name(const testing::TestParamInfo<std::string>& info) { return info.param; }

}  // namespace margay::test
