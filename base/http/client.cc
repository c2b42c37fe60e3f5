#include "base/http/client.h"

#include <utility>

#include "base/http/client_pool.h"

namespace margay::http {
namespace {

// The state is there as long as the exchange is under way, and the pool as long as the state.
class ExchangeImpl final : public Exchange {
 public:
  ExchangeImpl(ClientPool& pool, ExchangeState& state) : pool_(pool), state_(&state) { state.handle = &state_; }
  ~ExchangeImpl() override {
    if (state_ != nullptr) pool_.abandon(*state_);
  }
  void pause() override {
    if (state_ == nullptr || std::exchange(state_->is_paused, true)) return;
    if (state_->connection != nullptr) state_->connection->on_pause();
  }
  void resume() override {
    if (state_ == nullptr || !std::exchange(state_->is_paused, false)) return;
    if (state_->connection != nullptr) state_->connection->on_resume();
  }

 private:
  ClientPool& pool_;
  ExchangeState* state_;
};

class ClientImpl final : public Client {
 public:
  ClientImpl(loop::Loop& loop, loop::Network& network, ClientConfig config)
      : loop_(loop), pool_(std::make_unique<ClientPool>(loop, network, std::move(config))) {}
  // A callback of the pool's may be what destroys this.
  ~ClientImpl() override {
    pool_->shut_down();
    loop_.post([pool = std::move(pool_)] {});
  }
  std::unique_ptr<Exchange> start(Request request, ExchangeOptions options, ExchangeEvents events) override {
    return std::make_unique<ExchangeImpl>(*pool_, pool_->start(std::move(request), options, std::move(events)));
  }

 private:
  loop::Loop& loop_;
  std::unique_ptr<ClientPool> pool_;
};

}  // namespace

std::unique_ptr<Client> make_client(loop::Loop& loop, loop::Network& network, ClientConfig config) {
  return std::make_unique<ClientImpl>(loop, network, std::move(config));
}

}  // namespace margay::http
