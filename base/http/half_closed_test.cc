// Clients that close their sending side and still read (RFC 9112 section 9.6).
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/http/server.h"
#include "base/http/sim_fixture.h"
#include "gtest/gtest.h"

namespace margay::http {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class HalfClosed : public testing::Test {
 protected:
  void serve() {
    server_ = make_server(sim_.loop, sim_.network, {},
                          [this](const Request& request, const PeerInfo&, std::unique_ptr<Responder> responder) {
                            requests_.push_back(request.target);
                            if (handler_) handler_(request, std::move(responder));
                          });
    ASSERT_TRUE(server_->listen(sim_endpoint(), nullptr).ok());
  }
  Wire& dial() {
    clients_.emplace_back();
    Wire& wire = clients_.back();
    attempts_.push_back(sim_.network.connect(sim_endpoint(), nullptr, seconds(1),
                                             [&wire](auto stream) { wire.adopt(std::move(stream).value()); }));
    sim_.settle();
    return wire;
  }

  Sim sim_;
  std::function<void(Request, std::unique_ptr<Responder>)> handler_;
  std::vector<std::string> requests_;
  std::deque<Wire> clients_;
  std::vector<std::unique_ptr<loop::Handle>> attempts_;
  std::unique_ptr<Server> server_;
};

TEST_F(HalfClosed, ClientGetsAnAnswerThatTakesItsTime) {
  std::unique_ptr<Responder> open;
  int ended = 0;
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) {
    open = std::move(responder);
    open->on_closed([] { FAIL() << "it is still there"; });
    open->on_input_end([&] { ++ended; });
  };
  serve();
  Wire& wire = dial();
  wire.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  wire.stream->shutdown_write();
  sim_.loop.advance(minutes(5));
  ASSERT_TRUE(open->is_open());
  EXPECT_EQ(ended, 1);
  int late = 0;
  open->on_input_end([&] { ++late; });
  open->start({.status = 200, .headers = {}});
  open->write("late");
  sim_.settle();
  EXPECT_EQ(late, 1);
  EXPECT_TRUE(wire.received.ends_with("4\r\nlate\r\n"));
  open->finish();
  sim_.loop.advance(seconds(1));
  EXPECT_TRUE(wire.received.ends_with("0\r\n\r\n"));
  EXPECT_NE(wire.received.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(wire.is_closed_in_order);
  EXPECT_EQ(ended, 1);
}

TEST_F(HalfClosed, ClientThatThenGoesIsNoticed) {
  std::unique_ptr<Responder> open;
  int closed = 0;
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) {
    open = std::move(responder);
    open->on_closed([&] { ++closed; });
  };
  serve();
  Wire& wire = dial();
  wire.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  wire.stream->shutdown_write();
  sim_.settle();
  EXPECT_EQ(closed, 0);
  wire.stream.reset();
  sim_.settle();
  EXPECT_EQ(closed, 1);
  EXPECT_FALSE(open->is_open());
}

TEST_F(HalfClosed, RequestCutShortIsNotServed) {
  serve();
  for (const char* text : {"GET / HTTP/1.1\r\nHo", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"}) {
    Wire& wire = dial();
    wire.write(text);
    wire.stream->shutdown_write();
    sim_.settle();
    EXPECT_TRUE(wire.is_closed) << text;
  }
  EXPECT_TRUE(requests_.empty());
}

}  // namespace
}  // namespace margay::http
