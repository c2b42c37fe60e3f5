// tool_output: what a command line tool (ipset, ip, conntrack) says of the kernel, for tests that compare with it.
#pragma once

#include <string>
#include <vector>

namespace margay::netlink {

// Both its outputs; runs in the calling thread's network namespace, waits for its end. "cannot run x" if it is not
// there.
std::string tool_output(const std::vector<std::string>& argv);
// The same of words separated by blanks, line for line; stops at the first line that prints anything.
std::string tool_output(const char* script);

}  // namespace margay::netlink
