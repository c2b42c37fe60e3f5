// API servers for the tests of margay-controllers. A kube-apiserver takes many seconds to start and to learn our kinds:
// one serves all tests of a program, and is emptied between them. A margay-apiserver starts in a moment: each test has
// its own, with faults on demand.
#pragma once

#include <memory>
#include <string>

#include "test/support/api_servers.h"
#include "test/support/sync_client.h"

namespace margay::test {

// "memory" or "kubernetes". Null: `why` says what this machine lacks. Of "kubernetes" there is one until the program
// ends.
std::shared_ptr<ApiServer> controllers_server(const std::string& name, std::string* why);

// Removes what margay-controllers and its tests make, also what finalizers keep. Nobody may be writing.
void empty_server(SyncClient& client);

// PUT /debug/faults of a margay-apiserver with --enable-fault-injection: `rules` as in datastore/server/faults.h, with
// commas between.
void set_faults(const ApiServer& server, const std::string& rules);
// Cuts every watch and list under way.
void drop_watches(const ApiServer& server);

}  // namespace margay::test
