#include "datastore/kube/server_pool.h"

#include <algorithm>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "datastore/kube/retry.h"

namespace margay::kube {
namespace {

constexpr int kUnansweredProbesMax = 2;
constexpr int kServerErrorMin = 500;

}  // namespace

ServerPool::ServerPool(loop::Loop& loop, Random& random, const std::vector<ServerUrl>& servers, HttpFactory make_http,
                       std::function<http::Headers()> probe_headers, const ServerPoolOptions& options)
    : loop_(loop),
      random_(random),
      make_http_(std::move(make_http)),
      probe_headers_(std::move(probe_headers)),
      options_(options),
      endpoints_(servers.size(), options.first_server) {
  MARGAY_CHECK(!servers.empty());
  servers_.reserve(servers.size());  // references to them are kept
  for (const ServerUrl& url : servers) {
    servers_.emplace_back();
    servers_.back().url = url;
    servers_.back().http = make_http_(url);
  }
  probe_timer_ = loop_.make_timer([this] { probe_again(); });
  silence_timer_ = loop_.make_timer([this] { check_silence(); });
}

ServerPool::~ServerPool() = default;

ServerPool::Lease::~Lease() { pool_.servers_[server_].leases.erase(this); }

std::unique_ptr<ServerPool::Lease> ServerPool::send(http::Request request, const http::ExchangeOptions& options,
                                                    User& user) {
  Server& server = servers_[endpoints_.current()];
  auto lease = std::make_unique<Lease>(*this, endpoints_.current(), user);
  if (server.leases.empty()) server.heard = loop_.now();
  server.leases.insert(lease.get());
  if (!silence_timer_->is_armed()) silence_timer_->arm(options_.silence_max);
  request.target.insert(0, server.url.path_prefix);
  lease->exchange_ =
      server.http->start(std::move(request), options,
                         {.on_head = [to = lease.get()](http::ResponseHead head) { to->on_head(std::move(head)); },
                          .on_body =
                              [&server, this, to = lease.get()](std::string_view bytes) {
                                server.heard = loop_.now();
                                to->user_.on_body(bytes);
                              },
                          .on_done = [to = lease.get()](Status outcome) { to->finish(std::move(outcome)); }});
  return lease;
}

void ServerPool::Lease::on_head(http::ResponseHead head) {
  has_head_ = true;
  pool_.on_answer(server_, head.status);
  user_.on_head(std::move(head));
}

// The user may destroy this lease: nothing is touched after telling it.
void ServerPool::Lease::finish(Status outcome) {
  may_have_been_sent_ = exchange_->may_have_been_sent();
  exchange_.reset();
  pool_.servers_[server_].leases.erase(this);
  pool_.on_end(*this, outcome);
  user_.on_done(std::move(outcome));
}

void ServerPool::on_answer(std::size_t index, int status) {
  servers_[index].heard = loop_.now();
  if (status >= kServerErrorMin) return suspect(index);
  servers_[index].unanswered_probes = 0;
  endpoints_.on_success(index);
}

void ServerPool::on_end(const Lease& lease, const Status& outcome) {
  if (outcome.ok() || outcome.error().code == ErrorCode::kLimitExceeded) return;
  const bool is_unreachable = !lease.has_head_ && outcome.error().code != ErrorCode::kTimeout;
  if (is_unreachable) leave(lease.server());
  suspect(lease.server());
}

void ServerPool::leave(std::size_t index) {
  const std::size_t before = endpoints_.current();
  endpoints_.on_failure(index);
  tell_failover(before);
}

void ServerPool::tell_failover(std::size_t before) {
  if (endpoints_.current() == before || !on_failover_) return;
  on_failover_(servers_[before].url, servers_[endpoints_.current()].url);
}

// Has it asked whether it is ready, unless that is under way.
void ServerPool::suspect(std::size_t index) {
  endpoints_.on_suspicion(index);
  if (!probe_timer_->is_armed()) probe_timer_->arm(Duration::zero());
}

void ServerPool::probe_again() {
  const std::vector<std::size_t> wanted = endpoints_.to_probe();
  for (const std::size_t index : wanted) start_probe(index);
  if (!wanted.empty()) {
    probe_timer_->arm(jittered_backoff(options_.probe_interval, options_.probe_interval * 2, 1, random_));
  }
}

void ServerPool::start_probe(std::size_t index) {
  Server& server = servers_[index];
  if (server.probe != nullptr) return;
  if (server.probe_http == nullptr) server.probe_http = make_http_(server.url);
  server.probe_status = 0;
  http::Request request{
      .method = "GET", .target = concat(server.url.path_prefix, "/readyz"), .headers = {}, .body = {}};
  request.headers = probe_headers_();
  server.probe = server.probe_http->start(
      std::move(request), {.head_timeout = options_.probe_timeout, .body_idle_timeout = options_.probe_timeout},
      {.on_head = [&server](const http::ResponseHead& head) { server.probe_status = head.status; },
       .on_body = {},
       .on_done = [this, index](const Status&) { on_probe_done(index); }});
}

// Any answer but a 5xx will do: a server that wants to know who asks is alive.
void ServerPool::on_probe_done(std::size_t index) {
  Server& server = servers_[index];
  server.probe.reset();
  if (server.probe_status != 0) server.unanswered_probes = 0;
  if (server.probe_status != 0 && server.probe_status < kServerErrorMin) {
    server.heard = loop_.now();
    const std::size_t before = endpoints_.current();
    endpoints_.on_success(index);
    return tell_failover(before);
  }
  leave(index);
  if (server.probe_status == 0 && ++server.unanswered_probes >= kUnansweredProbesMax) give_up_leases(index);
}

// Telling one user may end other leases, or begin new ones, which are left alone; or it ends the pool.
void ServerPool::give_up_leases(std::size_t index) {
  const std::weak_ptr<const int> alive = alive_;
  const std::set<Lease*> doomed = servers_[index].leases;
  for (Lease* lease : doomed) {
    if (alive.expired()) return;
    if (!servers_[index].leases.contains(lease)) continue;
    lease->finish(Error{ErrorCode::kUnavailable, "the server does not answer any more"});
  }
}

void ServerPool::check_silence() {
  bool is_busy = false;
  for (std::size_t index = 0; index < servers_.size(); ++index) {
    if (servers_[index].leases.empty()) continue;
    is_busy = true;
    if (loop_.now() - servers_[index].heard >= options_.silence_max) suspect(index);
  }
  if (is_busy) silence_timer_->arm(options_.silence_max);
}

}  // namespace margay::kube
