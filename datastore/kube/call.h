// Call: one call of the client's: its wait for the rate limit, its attempts, its deadline.
//
//   Queued ─token─▶ Sent ─answer good─▶ Over
//     ▲               │ 401, token file has another token: at once
//     ╰──── Backoff ◀─┘ may be sent again (retry.h)            else, or the deadline: Over
#pragma once

#include <memory>
#include <string>

#include "base/core/random.h"
#include "base/loop/loop.h"
#include "datastore/kube/receiver.h"
#include "datastore/kube/request_metrics.h"
#include "datastore/kube/retry.h"
#include "datastore/kube/server_pool.h"
#include "datastore/kube/token_bucket.h"
#include "datastore/kube/token_source.h"

namespace margay::kube {

class Call;

// What all calls of a client share.
struct CallContext {
  loop::Loop& loop;
  Random& random;
  TokenBucket& bucket;
  TokenSource& tokens;
  ServerPool& servers;
  RequestMetrics& metrics;
  RetryPolicy retry;
  std::function<void(const http::ResponseHead& head)> on_head;  // of every answer
  // The call is over or abandoned: takes it out of the client's hands. It must not die before the loop's next turn.
  std::function<void(Call& call)> retire;
};

struct CallSpec {
  http::Request request;
  http::ExchangeOptions exchange;
  std::optional<Duration> deadline;  // of all attempts together
  bool is_write = false;
  bool is_watch = false;               // one attempt, but for a refused token
  std::optional<Error> early_failure;  // the call cannot be made at all
};

class Call final : private ServerPool::User {
 public:
  Call(CallContext& context, CallSpec spec, std::unique_ptr<Receiver> receiver);
  ~Call() override;

  // The caller's handle nulls itself through this when the call is over.
  Call** handle = nullptr;

  // No callback runs afterwards; nothing of the client is touched any more.
  void detach();

 private:
  enum class Phase { kEarlyFailure, kQueued, kSent, kBackoff, kOver };

  void begin_attempt();
  void send();
  void on_timer();
  void on_deadline();
  void on_head(http::ResponseHead head) override;
  void on_body(std::string_view bytes) override;
  void on_done(Status outcome) override;
  void attempt_failed(ApiError error, bool may_have_been_sent);
  void finish(std::optional<ApiError> error);

  CallContext* context_;
  CallSpec spec_;
  std::unique_ptr<Receiver> receiver_;
  Phase phase_ = Phase::kQueued;
  int attempt_ = 0;
  bool has_refreshed_token_ = false;
  std::string token_;
  http::ResponseHead head_;
  std::string error_body_;
  std::unique_ptr<ServerPool::Lease> lease_;
  std::unique_ptr<loop::Timer> timer_;
  std::unique_ptr<loop::Timer> deadline_timer_;
  TimePoint deadline_{};
  TimePoint sent_at_{};
};

}  // namespace margay::kube
