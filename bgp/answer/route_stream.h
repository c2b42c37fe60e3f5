// RouteStream: the answer to GET /routes, written a piece at a time as the client takes it: neither the answer nor a
// turn of the loop grows with the number of routes.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/core/task.h"
#include "base/http/server.h"
#include "base/loop/loop.h"
#include "bgp/speaker/snapshot.h"

namespace margay::bgp {

struct RoutePiece {
  std::vector<RouteSnapshot> routes;
  bool has_more = false;
};
// Gives the next piece to `done`, on the stream's loop, now or later; asked for the next only then.
using RouteSource = std::function<void(Callback<void(RoutePiece)> done)>;

class RouteStream : public std::enable_shared_from_this<RouteStream> {
 public:
  RouteStream(loop::Loop& loop, RouteSource source, std::unique_ptr<http::Responder> responder);
  // `on_end` when the answer is complete or the client has gone; the owner may let go of it then.
  void start(std::function<void()> on_end);

 private:
  void ask();
  void write(const RoutePiece& piece);
  void go_on();
  void end();

  loop::Loop& loop_;
  RouteSource source_;
  std::unique_ptr<http::Responder> responder_;
  std::function<void()> on_end_;
  bool is_first_ = true;
  bool waits_ = false;  // for the client to take what was written
};

}  // namespace margay::bgp
