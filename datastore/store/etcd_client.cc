#include "datastore/store/etcd_client.h"

#include <algorithm>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "datastore/store/etcd_codec.h"

namespace margay::store::etcd {
namespace {

// Watches hold a connection each; everything else takes turns on the rest.
constexpr std::size_t kConnectionsMax = 32;
constexpr Duration kProbeInterval = std::chrono::seconds(10);
constexpr std::size_t kLineBytesMax = 512UL * 1024 * 1024;

}  // namespace

struct Client::Member {
  std::string name;
  std::unique_ptr<http::Client> http;
  bool is_down = false;
  std::unique_ptr<http::Exchange> health_check;
  int health_status = 0;
};

struct Client::Call {
  std::string path;
  std::string body;
  Safety safety;
  Callback<void(Result<std::string>)> done;
  std::size_t attempts = 0;
  std::size_t member = 0;
  std::unique_ptr<http::Exchange> exchange;
  int status = 0;
  std::string answer;
};

Client::Client(loop::Loop& loop, loop::Network& network, ClientConfig config)
    : loop_(loop),
      config_(std::move(config)),
      deferred_(loop),
      health_timer_(loop.make_timer([this] { check_health(); })) {
  MARGAY_CHECK(!config_.endpoints.empty());
  for (const loop::Endpoint& endpoint : config_.endpoints) {
    http::ClientConfig settings;
    settings.endpoint = endpoint;
    settings.tls = config_.tls;
    settings.connections_max = kConnectionsMax;
    settings.idle_connections_max = kConnectionsMax;
    settings.connect_timeout = config_.timeout;
    auto member = std::make_unique<Member>();
    member->name = endpoint.to_string();
    member->http = http::make_client(loop_, network, std::move(settings));
    members_.push_back(std::move(member));
  }
}

Client::~Client() = default;

http::Request Client::request(std::string path, std::string body) {
  http::Request request{"POST", std::move(path), {}, std::move(body)};
  request.headers.add("Content-Type", "application/json");
  return request;
}

// The preferred member, or the next one that is up; when all are down, the preferred one all the same.
std::size_t Client::pick() const {
  for (std::size_t i = 0; i < members_.size(); ++i)
    if (const std::size_t member = (preferred_ + i) % members_.size(); !members_[member]->is_down) return member;
  return preferred_;
}

void Client::mark_down(std::size_t member) {
  members_[member]->is_down = true;
  preferred_ = (member + 1) % members_.size();
  if (!health_timer_->is_armed()) health_timer_->arm(config_.health_interval);
}

void Client::check_health() {
  bool is_any_down = false;
  for (const auto& member : members_) {
    if (!member->is_down) continue;
    is_any_down = true;
    http::ExchangeOptions options{config_.timeout, config_.timeout};
    http::ExchangeEvents events;
    Member* const checked = member.get();
    events.on_head = [checked](const http::ResponseHead& head) { checked->health_status = head.status; };
    events.on_done = [checked](const Status& outcome) {
      if (outcome.ok() && std::exchange(checked->health_status, 0) == 200) checked->is_down = false;
    };
    member->health_check = member->http->start({"GET", "/health", {}, ""}, options, std::move(events));
  }
  if (is_any_down) health_timer_->arm(config_.health_interval);
}

void Client::call(std::string path, std::string body, Safety safety, Callback<void(Result<std::string>)> done) {
  const std::uint64_t id = next_id_++;
  auto call = std::make_unique<Call>();
  call->path = std::move(path);
  call->body = std::move(body);
  call->safety = safety;
  call->done = std::move(done);
  calls_.emplace(id, std::move(call));
  attempt(id);
}

void Client::attempt(std::uint64_t id) {
  Call& call = *calls_.at(id);
  call.member = pick();
  call.status = 0;
  call.answer.clear();
  ++call.attempts;
  http::ExchangeEvents events;
  events.on_head = [&call](const http::ResponseHead& head) { call.status = head.status; };
  events.on_body = [&call](std::string_view bytes) { call.answer.append(bytes); };
  // The exchange must not be destroyed inside its own callback.
  events.on_done = [this, id](const Status& outcome) { deferred_.run([this, id, outcome] { finished(id, outcome); }); };
  call.exchange = members_[call.member]->http->start(request(call.path, call.body), {config_.timeout, config_.timeout},
                                                     std::move(events));
}

void Client::finished(std::uint64_t id, const Status& outcome) {
  Call& call = *calls_.at(id);
  if (outcome.ok() && call.status == 200) return complete(id, std::move(call.answer));
  const Error error = outcome.ok() ? decode_error(call.status, call.answer) : outcome.error();
  const bool is_member_at_fault = error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kTimeout;
  if (!is_member_at_fault) return complete(id, error);
  const bool may_be_done = call.safety == Safety::kChange && call.exchange->may_have_been_sent();
  mark_down(call.member);
  if (may_be_done || call.attempts >= members_.size()) return complete(id, error.within(members_[call.member]->name));
  attempt(id);
}

void Client::complete(std::uint64_t id, Result<std::string> result) {
  const auto node = calls_.extract(id);
  node.mapped()->done(std::move(result));
}

class Client::StreamImpl final : public Client::Stream {
 public:
  StreamImpl(Client& client, http::Request request, StreamEvents events)
      : client_(client),
        member_(client.pick()),
        events_(std::move(events)),
        probe_timer_(client.loop_.make_timer([this] { probe(); })) {
    http::ExchangeEvents exchange_events;
    exchange_events.on_head = [this](const http::ResponseHead& head) { status_ = head.status; };
    exchange_events.on_body = [this](std::string_view bytes) { on_body(bytes); };
    exchange_events.on_done = [this](const Status& outcome) { on_done(outcome); };
    exchange_ = client.members_[member_]->http->start(std::move(request), {client.config_.timeout, std::nullopt},
                                                      std::move(exchange_events));
    probe_timer_->arm(kProbeInterval);
  }
  ~StreamImpl() override {
    if (is_destroyed_ != nullptr) *is_destroyed_ = true;
  }

 private:
  // on_line() may destroy this.
  void on_body(std::string_view bytes) {
    buffer_.append(bytes);
    bool is_destroyed = false;
    is_destroyed_ = &is_destroyed;
    std::size_t start = 0;
    for (std::size_t end = buffer_.find('\n'); end != std::string::npos; end = buffer_.find('\n', start)) {
      const std::string line = buffer_.substr(start, end - start);
      start = end + 1;
      if (status_ == 200 && !line.empty()) events_.on_line(line);
      if (is_destroyed) return;
    }
    is_destroyed_ = nullptr;
    buffer_.erase(0, start);
    if (buffer_.size() > kLineBytesMax) end({ErrorCode::kLimitExceeded, "etcd sends a line without end"});
  }
  void on_done(const Status& outcome) {
    const Error error = !outcome.ok()    ? outcome.error()
                        : status_ != 200 ? decode_error(status_, buffer_)
                                         : Error{ErrorCode::kUnavailable, "etcd ended the watch"};
    if (!outcome.ok()) client_.mark_down(member_);
    end(error);
  }
  // A machine that is gone without a word, or cut off from the other members, says nothing on the stream either.
  void probe() {
    http::ExchangeEvents events;
    events.on_head = [this](const http::ResponseHead& head) { probe_status_ = head.status; };
    events.on_done = [this](const Status& outcome) {
      probe_timer_->arm(kProbeInterval);
      if (outcome.ok() && std::exchange(probe_status_, 0) == 200) return;
      client_.mark_down(member_);
      end({ErrorCode::kUnavailable, "the member does not answer"});
    };
    probe_ = client_.members_[member_]->http->start(
        {"GET", "/health", {}, ""}, {client_.config_.timeout, client_.config_.timeout}, std::move(events));
  }
  void end(const Error& error) {
    status_ = 0;
    if (auto on_end = std::exchange(events_.on_end, {})) on_end(error.within(client_.members_[member_]->name));
  }

  Client& client_;
  std::size_t member_;
  StreamEvents events_;
  int status_ = 0;
  std::string buffer_;
  bool* is_destroyed_ = nullptr;
  int probe_status_ = 0;
  std::unique_ptr<http::Exchange> exchange_;
  std::unique_ptr<http::Exchange> probe_;
  std::unique_ptr<loop::Timer> probe_timer_;
};

std::unique_ptr<Client::Stream> Client::stream(std::string path, std::string body, StreamEvents events) {
  return std::make_unique<StreamImpl>(*this, request(std::move(path), std::move(body)), std::move(events));
}

}  // namespace margay::store::etcd
