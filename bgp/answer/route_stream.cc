#include "bgp/answer/route_stream.h"

#include <string>
#include <utility>

#include "base/json/value.h"
#include "bgp/speaker/snapshot_json.h"

namespace margay::bgp {
namespace {

// Beyond this the client is waited for.
constexpr std::size_t kQueuedMax = 256 * 1024;

}  // namespace

RouteStream::RouteStream(loop::Loop& loop, RouteSource source, std::unique_ptr<http::Responder> responder)
    : loop_(loop), source_(std::move(source)), responder_(std::move(responder)) {}

void RouteStream::start(std::function<void()> on_end) {
  on_end_ = std::move(on_end);
  // The responder is ours: its callbacks must not own us.
  const std::weak_ptr<RouteStream> weak = weak_from_this();
  responder_->on_drained([weak] {
    const auto self = weak.lock();
    if (self != nullptr && std::exchange(self->waits_, false)) self->go_on();
  });
  responder_->on_closed([weak] {
    if (const auto self = weak.lock()) self->end();
  });
  http::ResponseHead head;
  head.status = 200;
  head.headers.set("Content-Type", "application/json");
  responder_->start(std::move(head));
  responder_->write("{\"routes\":[");
  go_on();
}

void RouteStream::go_on() {
  loop_.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->ask();
  });
}

void RouteStream::ask() {
  if (on_end_ == nullptr) return;
  source_([weak = weak_from_this()](const RoutePiece& piece) {
    if (const auto self = weak.lock()) self->write(piece);
  });
}

void RouteStream::write(const RoutePiece& piece) {
  if (on_end_ == nullptr) return;
  std::string text;
  for (const RouteSnapshot& route : piece.routes) {
    if (!std::exchange(is_first_, false)) text.push_back(',');
    json::dump_to(text, to_json(route));
  }
  if (!piece.has_more) text.append("]}\n");
  if (!text.empty()) responder_->write(std::move(text));
  if (!piece.has_more) {
    responder_->finish();
    return end();
  }
  if (responder_->queued_bytes() > kQueuedMax) {
    waits_ = true;
  } else {
    go_on();
  }
}

void RouteStream::end() {
  if (const auto on_end = std::exchange(on_end_, nullptr)) on_end();
}

}  // namespace margay::bgp
