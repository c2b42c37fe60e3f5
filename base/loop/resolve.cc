#include "base/loop/resolve.h"

#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "base/core/text.h"

namespace margay::loop {
namespace {

using Addresses = Result<std::vector<SocketAddress>>;

// Shared between the lookup's thread and the handle. The handle ends before its loop does, so that under the lock a
// living handle means a living loop.
struct Lookup {
  std::mutex mutex;
  Loop* loop = nullptr;  // null: given up
  Resolved done;         // the loop's thread only
};

// Names have none: there is nothing more to look up.
bool has_zone(const Endpoint& endpoint) { return endpoint.host_without_zone().size() < endpoint.host.size(); }

void deliver(const std::shared_ptr<Lookup>& lookup, Addresses addresses) {
  const std::lock_guard lock(lookup->mutex);
  if (lookup->loop == nullptr) return;
  lookup->loop->post([lookup, addresses = std::move(addresses)]() mutable {
    if (lookup->loop == nullptr) return;
    Resolved done = std::move(lookup->done);
    done(std::move(addresses));
  });
}

void start_thread(const std::shared_ptr<Lookup>& lookup, const std::string& host, std::uint16_t port) {
  try {
    std::thread([lookup, host, port] { deliver(lookup, look_up(host, port, false)); }).detach();
  } catch (const std::system_error& failure) {
    deliver(lookup, Error{ErrorCode::kUnavailable,
                          concat("look up ", quoted(host), ": no thread: ", std::string_view(failure.what()))});
  }
}

class LookupHandle final : public Handle {
 public:
  explicit LookupHandle(std::shared_ptr<Lookup> lookup) : lookup_(std::move(lookup)) {}
  // What `done` owns ends here, on the loop's thread, not with the lookup on its own.
  ~LookupHandle() override {
    const Resolved dropped = std::move(lookup_->done);
    const std::lock_guard lock(lookup_->mutex);
    lookup_->loop = nullptr;
  }

 private:
  std::shared_ptr<Lookup> lookup_;
};

}  // namespace

std::unique_ptr<Handle> resolve(Loop& loop, const Endpoint& endpoint, Resolved done) {
  auto lookup = std::make_shared<Lookup>();
  lookup->loop = &loop;
  lookup->done = std::move(done);
  if (endpoint.kind == Endpoint::Kind::kUnix) {
    deliver(lookup, std::vector<SocketAddress>{unix_address(endpoint.path)});
  } else if (auto numeric = look_up(endpoint.host, endpoint.port, true); numeric.ok() || has_zone(endpoint)) {
    deliver(lookup, std::move(numeric));
  } else {
    start_thread(lookup, endpoint.host, endpoint.port);
  }
  return std::make_unique<LookupHandle>(std::move(lookup));
}

}  // namespace margay::loop
