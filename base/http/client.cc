#include "base/http/client.h"

#include <utility>

#include "base/http/client_pool.h"

namespace margay::http {
namespace {

// The state is there as long as the exchange is under way, and the pool as long as the state.
class ExchangeImpl final : public Exchange {
 public:
  ExchangeImpl(ClientPool& pool, Request request, ExchangeOptions options, ExchangeEvents events) : pool_(pool) {
    pool_.start(std::move(request), options, std::move(events), link_);
  }
  ~ExchangeImpl() override {
    if (link_.state != nullptr) pool_.abandon(*link_.state);
  }
  void pause() override {
    if (link_.state == nullptr || std::exchange(link_.state->is_paused, true)) return;
    if (link_.state->connection != nullptr) link_.state->connection->on_pause();
  }
  void resume() override {
    if (link_.state == nullptr || !std::exchange(link_.state->is_paused, false)) return;
    if (link_.state->connection != nullptr) link_.state->connection->on_resume();
  }
  [[nodiscard]] bool may_have_been_sent() const override { return link_.was_sent; }

 private:
  ClientPool& pool_;
  ExchangeLink link_;
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
    return std::make_unique<ExchangeImpl>(*pool_, std::move(request), options, std::move(events));
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
