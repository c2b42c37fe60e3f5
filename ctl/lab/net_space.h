// NetSpace: a network namespace with a name, as ip-netns(8) makes them: a file in /run/netns that the namespace is
// mounted on. It outlives the process that made it. Needs root; calls block.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace margay::lab {

std::string path_of_space(std::string_view name);
// With the loopback interface up. kAlreadyExists.
Status create_space(const std::string& name);
// None there is fine.
Status remove_space(const std::string& name);
bool has_space(const std::string& name);
// Names that begin so, in order.
std::vector<std::string> spaces_with(std::string_view prefix);
// Runs `task` on a thread inside and waits for it; sockets made there stay there.
Status run_in_space(const std::string& name, const std::function<Status()>& task);

}  // namespace margay::lab
