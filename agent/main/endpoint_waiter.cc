#include "agent/main/endpoint_waiter.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/core/text.h"

namespace margay::agent {

class EndpointWaiter::Handle final : public ReadinessWait {
 public:
  Handle(const std::shared_ptr<Waits>& waits, std::uint64_t id) : waits_(waits), id_(id) {}
  ~Handle() override {
    if (const auto waits = waits_.lock()) waits->erase(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

 private:
  std::weak_ptr<Waits> waits_;
  std::uint64_t id_;
};

EndpointWaiter::EndpointWaiter(loop::Loop& loop, const EndpointBook& book, const EndpointBook::Workloads& workloads)
    : loop_(loop), book_(book), workloads_(workloads), look_timer_(loop.make_timer([this] { look(); })) {}

EndpointWaiter::~EndpointWaiter() = default;

std::unique_ptr<ReadinessWait> EndpointWaiter::wait(const NewEndpoint& endpoint, Duration timeout,
                                                    Callback<void(Status)> done) {
  const std::uint64_t id = ++last_;
  auto waiting = std::make_unique<Waiting>();
  waiting->endpoint = endpoint;
  waiting->done = std::move(done);
  waiting->began = loop_.now();
  waiting->timer = loop_.make_timer([this, id] {
    const auto at = waits_->find(id);
    if (at != waits_->end()) end(id, Error{ErrorCode::kTimeout, missing(at->second->endpoint)});
  });
  waiting->timer->arm(timeout);
  waits_->emplace(id, std::move(waiting));
  look_timer_->arm({});  // it may be there already, but nobody is told from inside this call
  return std::make_unique<Handle>(waits_, id);
}

std::string EndpointWaiter::missing(const NewEndpoint& endpoint) const {
  const model::ObjectKey key = calculation_key(endpoint);
  if (!workloads_.contains(key)) return concat(key.to_string(), " is not known as a workload of this node yet");
  const EndpointState* state = book_.find(key);
  if (state == nullptr) return concat(key.to_string(), " has not reached the dataplane");
  if (state->stage != EndpointStage::kProgrammed) {
    return concat(key.to_string(), ": ", to_string(state->stage), state->message.empty() ? "" : ": ", state->message);
  }
  // Which version of the object that is does not matter: a later one may be on its way.
  if (state->container != endpoint.container) return concat(key.to_string(), ": the kernel has an earlier container's");
  for (const IpPrefix& address : endpoint.addresses) {
    if (std::find(state->addresses.begin(), state->addresses.end(), address) == state->addresses.end()) {
      return concat(key.to_string(), ": the kernel does not have ", address.to_string(), " yet");
    }
  }
  return {};
}

void EndpointWaiter::look() {
  std::vector<std::uint64_t> ready;
  for (const auto& [id, waiting] : *waits_) {
    if (missing(waiting->endpoint).empty()) ready.push_back(id);
  }
  for (const std::uint64_t id : ready) end(id, ok_status());
}

// The callback may destroy the handle, or begin another wait.
void EndpointWaiter::end(std::uint64_t id, const Status& outcome) {
  const auto at = waits_->find(id);
  if (at == waits_->end()) return;
  const std::unique_ptr<Waiting> waiting = std::move(at->second);
  waits_->erase(at);
  if (outcome.ok()) ready_seconds_.observe(std::chrono::duration<double>(loop_.now() - waiting->began).count());
  waiting->done(outcome);
}

}  // namespace margay::agent
