#include "bgp/main/route_stream.h"

#include <string>
#include <utility>
#include <vector>

#include "base/json/value.h"
#include "bgp/speaker/snapshot_json.h"

namespace margay::bgpd {
namespace {

// Beyond this the client is waited for.
constexpr std::size_t kQueuedMax = 256 * 1024;

}  // namespace

RouteStream::RouteStream(loop::Loop& loop, std::unique_ptr<bgp::RouteCursor> cursor,
                         std::unique_ptr<http::Responder> responder)
    : loop_(loop), cursor_(std::move(cursor)), responder_(std::move(responder)) {}

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
    if (const auto self = weak.lock()) self->write_piece();
  });
}

void RouteStream::write_piece() {
  if (on_end_ == nullptr) return;
  std::vector<bgp::RouteSnapshot> routes;
  const bool has_more = cursor_->next(routes);
  std::string text;
  for (const bgp::RouteSnapshot& route : routes) {
    if (!std::exchange(is_first_, false)) text.push_back(',');
    json::dump_to(text, bgp::to_json(route));
  }
  if (!has_more) text.append("]}\n");
  if (!text.empty()) responder_->write(std::move(text));
  if (!has_more) {
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

}  // namespace margay::bgpd
