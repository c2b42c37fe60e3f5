// One HTTP request over a unix socket, without a client: for local APIs of processes under test.
#pragma once

#include <string>

namespace margay::test {

// The body of the answer, whatever its status; "" when nobody answers.
std::string unix_http(const std::string& socket_path, const std::string& method, const std::string& path);

}  // namespace margay::test
