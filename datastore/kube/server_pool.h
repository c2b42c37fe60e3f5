// ServerPool: the API servers of one client: which one a request goes to, and how we notice that one is gone.
//
// Requests go to the current server of the EndpointSet. A server that cannot be reached is left at once. One that is
// slow, answers 5xx, or is silent while requests (watches) are under way is asked for /readyz, over a connection of its
// own; a server that leaves two such probes in a row unanswered is taken for dead, and what is under way on it fails
// (half-closed connections).
// One loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "base/core/random.h"
#include "base/http/client.h"
#include "base/loop/loop.h"
#include "datastore/kube/config.h"
#include "datastore/kube/endpoint_set.h"

namespace margay::kube {

using HttpFactory = std::function<std::unique_ptr<http::Client>(const ServerUrl& server)>;

struct ServerPoolOptions {
  std::size_t first_server = 0;
  Duration probe_interval = std::chrono::seconds(1);  // while a server is suspect or bad; up to twice this
  Duration probe_timeout = std::chrono::seconds(5);
  Duration silence_max = std::chrono::seconds(15);  // before a server with requests under way is suspect
};

class ServerPool {
 public:
  // Whoever sends a request. After on_done nothing more comes.
  class User {
   public:
    virtual ~User() = default;
    virtual void on_head(http::ResponseHead head) = 0;
    virtual void on_body(std::string_view bytes) = 0;
    virtual void on_done(Status outcome) = 0;
  };

  // An exchange with one server. Destroying it, also from inside one of the user's methods, abandons the exchange.
  class Lease {
   public:
    Lease(ServerPool& pool, std::size_t server, User& user) : pool_(pool), server_(server), user_(user) {}
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    [[nodiscard]] std::size_t server() const { return server_; }
    // Asked from on_done: false when the server cannot have seen the request.
    [[nodiscard]] bool may_have_been_sent() const { return may_have_been_sent_; }

   private:
    friend class ServerPool;
    void on_head(http::ResponseHead head);
    void finish(Status outcome);

    ServerPool& pool_;
    std::size_t server_;
    User& user_;
    std::unique_ptr<http::Exchange> exchange_;
    bool has_head_ = false;
    bool may_have_been_sent_ = true;
  };

  // `loop` and `random` outlive the pool, the pool its leases. `probe_headers` are those of an ordinary request.
  ServerPool(loop::Loop& loop, Random& random, const std::vector<ServerUrl>& servers, HttpFactory make_http,
             std::function<http::Headers()> probe_headers, const ServerPoolOptions& options);
  ~ServerPool();

  // `request.target` is a path of the API; the server's own prefix is put before it. `user` outlives the lease and is
  // not called from inside.
  std::unique_ptr<Lease> send(http::Request request, const http::ExchangeOptions& options, User& user);

  [[nodiscard]] const ServerUrl& url(std::size_t server) const { return servers_[server].url; }
  [[nodiscard]] std::size_t current() const { return endpoints_.current(); }
  // Runs whenever the current server has changed. It must not end the pool.
  void set_on_failover(std::function<void(const ServerUrl& from, const ServerUrl& to)> task) {
    on_failover_ = std::move(task);
  }

 private:
  struct Server {
    ServerUrl url;
    std::unique_ptr<http::Client> http;
    std::set<Lease*> leases;
    TimePoint heard{};
    std::unique_ptr<http::Client> probe_http;  // of its own, so that a probe never waits behind watches
    std::unique_ptr<http::Exchange> probe;
    int probe_status = 0;
    int unanswered_probes = 0;
  };

  void on_answer(std::size_t index, int status);
  void on_end(const Lease& lease, const Status& outcome);
  void on_probe_done(std::size_t index);
  void leave(std::size_t index);
  void tell_failover(std::size_t before);
  void suspect(std::size_t index);
  void give_up_leases(std::size_t index);
  void start_probe(std::size_t index);
  void probe_again();
  void check_silence();

  loop::Loop& loop_;
  Random& random_;
  HttpFactory make_http_;
  std::function<http::Headers()> probe_headers_;
  ServerPoolOptions options_;
  EndpointSet endpoints_;
  std::vector<Server> servers_;
  std::unique_ptr<loop::Timer> probe_timer_;
  std::unique_ptr<loop::Timer> silence_timer_;
  std::function<void(const ServerUrl&, const ServerUrl&)> on_failover_;
  std::shared_ptr<const int> alive_ = std::make_shared<int>();  // ends with the pool
};

}  // namespace margay::kube
