// The server against clients written by hand, on a simulated network in virtual time.
#include "base/http/server.h"

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/http/sim_fixture.h"
#include "gtest/gtest.h"

namespace margay::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class ServerTest : public testing::Test {
 protected:
  // Answers at once with method, target and body, unless a test wants otherwise.
  void serve(const std::function<void(ServerLimits&)>& change = {}) {
    ServerLimits limits;
    if (change) change(limits);
    server_ = make_server(sim_.loop, sim_.network, limits,
                          [this](Request request, const PeerInfo& peer, std::unique_ptr<Responder> responder) {
                            requests_.push_back(concat(request.method, ' ', request.target, ' ', request.body));
                            peers_.push_back(peer);
                            if (handler_) return handler_(std::move(request), std::move(responder));
                            responder->send({.status = 200, .headers = {}, .body = requests_.back()});
                          });
    ASSERT_TRUE(server_->listen(sim_endpoint(), nullptr).ok());
  }

  Wire& dial() {
    clients_.emplace_back();
    Wire& wire = clients_.back();
    attempts_.push_back(sim_.network.connect(sim_endpoint(), nullptr, seconds(1), [&wire](auto stream) {
      ASSERT_TRUE(stream.ok()) << stream.error().message;
      wire.adopt(std::move(stream).value());
    }));
    sim_.settle();
    return wire;
  }

  // What the server answers to these bytes on a new connection.
  std::string answer_to(std::string_view text) {
    Wire& wire = dial();
    wire.write(text);
    sim_.settle();
    return wire.received;
  }

  Sim sim_;
  std::function<void(Request, std::unique_ptr<Responder>)> handler_;
  std::vector<std::string> requests_;
  std::vector<PeerInfo> peers_;
  std::deque<Wire> clients_;
  std::vector<std::unique_ptr<loop::Handle>> attempts_;
  std::unique_ptr<Server> server_;
};

std::string answer(std::string_view body) {
  return concat("HTTP/1.1 200 OK\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
}

TEST_F(ServerTest, AnswersWithLength) {
  serve();
  EXPECT_EQ(answer_to("GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n"), answer("GET /a?b "));
  EXPECT_EQ(answer_to("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"), answer("PUT / body"));
  EXPECT_EQ(answer_to("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n"),
            answer("PUT / body"));
  EXPECT_EQ(peers_.at(0).name.substr(0, 10), "127.0.0.1:");
  EXPECT_FALSE(peers_[0].is_unix_socket);
}

TEST_F(ServerTest, RequestsReadTheSameHoweverTheyArrive) {
  serve();
  const std::string text =
      "POST /1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: t\r\n\r\n"
      "\r\nPUT /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\ndefGET /3 HTTP/1.1\r\nHost: x\r\n\r\n";
  for (std::size_t piece = 1; piece < 60; ++piece) {
    sim_.network.conditions.piece_bytes_max = piece;
    EXPECT_EQ(answer_to(text), concat(answer("POST /1 abc"), answer("PUT /2 def"), answer("GET /3 "))) << piece;
  }
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrderOneAtATime) {
  std::deque<std::unique_ptr<Responder>> open;
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) { open.push_back(std::move(responder)); };
  serve();
  Wire& wire = dial();
  wire.write("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
  for (std::size_t i = 0; i < 3; ++i) {
    sim_.settle();
    ASSERT_EQ(open.size(), i + 1);
    open.back()->send({.status = 200, .headers = {}, .body = concat(i)});
    EXPECT_EQ(open.size(), i + 1) << "not from inside send()";
  }
  sim_.settle();
  EXPECT_EQ(wire.received, concat(answer("0"), answer("1"), answer("2")));
  EXPECT_FALSE(wire.is_closed);
}

TEST_F(ServerTest, PipeliningIsHeldBack) {
  std::unique_ptr<Responder> open;
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) {
    open = std::move(responder);
    open->start({.status = 200, .headers = {}});
  };
  sim_.network.conditions.window_bytes = 10'000;
  serve();
  Wire& wire = dial();
  wire.write("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
  wire.write(std::string(1'000'000, 'x'));
  sim_.settle();
  EXPECT_GT(wire.stream->queued_bytes(), 900'000U);
}

TEST_F(ServerTest, HeldBackInputIsTakenAgainAfterTheLastAnswer) {
  std::unique_ptr<Responder> open;
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) { open = std::move(responder); };
  sim_.network.conditions.window_bytes = 10'000;
  serve();
  Wire& wire = dial();
  wire.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  wire.write(std::string(1'000'000, 'x'));
  sim_.settle();
  open->send({});
  sim_.settle();
  EXPECT_EQ(wire.stream->queued_bytes(), 0U) << "read and thrown away";
  EXPECT_TRUE(wire.is_closed_in_order);
}

TEST_F(ServerTest, ManyPipelinedRequestsGoThroughInOneGo) {
  serve();
  std::string text;
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    text += "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    expected += answer("GET / ");
  }
  EXPECT_TRUE(answer_to(text) == expected);
}

TEST_F(ServerTest, ClosesWhenTheClientWants) {
  serve();
  for (const char* text : {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
    EXPECT_EQ(answer_to(text), "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nGET / ");
    EXPECT_TRUE(clients_.back().is_closed_in_order);
  }
}

TEST_F(ServerTest, HeadHasTheLengthButNoBody) {
  serve();
  EXPECT_EQ(answer_to("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
  handler_ = [](const Request&, std::unique_ptr<Responder> responder) {
    responder->start({.status = 200, .headers = {}});
    responder->write("unseen");
    responder->finish();
  };
  EXPECT_EQ(answer_to("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_FALSE(clients_.back().is_closed);
}

TEST_F(ServerTest, NoContentHasNoLengthAndNoBody) {
  handler_ = [](const Request&, std::unique_ptr<Responder> responder) {
    responder->send({.status = 204, .headers = {}, .body = "unseen"});
  };
  serve();
  EXPECT_EQ(answer_to("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_F(ServerTest, StreamsInChunks) {
  std::unique_ptr<Responder> open;
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) {
    open = std::move(responder);
    open->start({.status = 200, .headers = {}});
  };
  serve();
  Wire& wire = dial();
  wire.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  sim_.settle();
  EXPECT_EQ(wire.received, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  wire.received.clear();
  open->write("hello");
  open->write("");
  sim_.settle();
  EXPECT_EQ(wire.received, "5\r\nhello\r\n");
  sim_.loop.advance(minutes(60));
  open->write(std::string(300, 'x'));
  open->finish();
  EXPECT_FALSE(open->is_open());
  sim_.settle();
  EXPECT_EQ(wire.received, concat("5\r\nhello\r\n12c\r\n", std::string(300, 'x'), "\r\n0\r\n\r\n"));
  EXPECT_FALSE(wire.is_closed);
}

TEST_F(ServerTest, OldClientsGetStreamsUntilClose) {
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) {
    responder->start({.status = 200, .headers = {}});
    responder->write("a");
    responder->write("b");
    responder->finish();
  };
  serve();
  EXPECT_EQ(answer_to("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nab");
  EXPECT_TRUE(clients_.back().is_closed_in_order);
}

TEST_F(ServerTest, QueuedBytesAndTheDrainedCueFollowTheReader) {
  sim_.network.conditions.window_bytes = 1000;
  std::unique_ptr<Responder> open;
  int drained = 0;
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) {
    open = std::move(responder);
    open->on_drained([&] { ++drained; });
    open->start({.status = 200, .headers = {}});
  };
  serve();
  Wire& wire = dial();
  wire.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  sim_.settle();
  EXPECT_EQ(drained, 1);
  wire.stream->pause_reading();
  open->write(std::string(50'000, 'x'));
  sim_.settle();
  EXPECT_GT(open->queued_bytes(), 40'000U);
  EXPECT_EQ(drained, 1);
  wire.stream->resume_reading();
  sim_.settle();
  EXPECT_EQ(open->queued_bytes(), 0U);
  EXPECT_EQ(drained, 2);
}

TEST_F(ServerTest, DrainedCueMayReplaceItselfOrEndTheResponse) {
  std::unique_ptr<Responder> open;
  std::string log;
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) {
    open = std::move(responder);
    open->on_drained([&, owned = std::string(100, 'x')] {
      log += "first ";
      open->on_drained([&] {
        log += "second ";
        open.reset();
      });
      open->write("more");
      EXPECT_EQ(owned.size(), 100U);
    });
    open->start({.status = 200, .headers = {}});
  };
  serve();
  EXPECT_TRUE(answer_to("GET / HTTP/1.1\r\nHost: x\r\n\r\n").ends_with("4\r\nmore\r\n"));
  EXPECT_EQ(log, "first second ");
  EXPECT_TRUE(clients_.back().is_closed);
}

TEST_F(ServerTest, ClientThatGoesAwayIsNoticedOnce) {
  std::unique_ptr<Responder> open;
  int closed = 0;
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) {
    open = std::move(responder);
    open->on_closed([&] { ++closed; });
    open->start({.status = 200, .headers = {}});
  };
  serve();
  Wire& wire = dial();
  wire.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  sim_.settle();
  EXPECT_TRUE(open->is_open());
  wire.stream.reset();
  sim_.settle();
  EXPECT_EQ(closed, 1);
  EXPECT_FALSE(open->is_open());
  open->write("x");
  open->finish();
  open->abort();
  EXPECT_EQ(open->queued_bytes(), 0U);
  int late = 0;
  open->on_closed([&] { ++late; });
  EXPECT_EQ(late, 0);
  sim_.settle();
  EXPECT_EQ(late, 1);
}

TEST_F(ServerTest, ResetWhileAnsweringIsNoticedToo) {
  std::unique_ptr<Responder> open;
  bool is_closed = false;
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) {
    open = std::move(responder);
    open->on_closed([&] {
      open.reset();
      is_closed = true;
    });
  };
  serve();
  dial().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  sim_.settle();
  sim_.network.reset_all();
  sim_.settle();
  EXPECT_TRUE(is_closed);
}

TEST_F(ServerTest, OnClosedIsNotForCompleteResponses) {
  std::unique_ptr<Responder> open;
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) {
    open = std::move(responder);
    open->on_closed([] { FAIL(); });
    open->send({});
  };
  serve();
  Wire& wire = dial();
  wire.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  sim_.settle();
  wire.stream.reset();
  sim_.settle();
  EXPECT_FALSE(open->is_open());
}

TEST_F(ServerTest, UnansweredRequestsGet500) {
  handler_ = [](const Request&, const std::unique_ptr<Responder>&) {};
  serve();
  const std::string text = answer_to("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(text.starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
  EXPECT_NE(text.find("HTTP/1.1 500", 1), std::string::npos) << "the connection goes on";
}

TEST_F(ServerTest, UnfinishedAndAbortedStreamsAreCutShort) {
  for (const bool is_aborted : {false, true}) {
    handler_ = [&](const Request&, std::unique_ptr<Responder> responder) {
      responder->start({.status = 200, .headers = {}});
      responder->write("part");
      if (is_aborted) responder->abort();
    };
    serve();
    const std::string text = answer_to("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_FALSE(text.ends_with("0\r\n\r\n"));
    EXPECT_TRUE(clients_.back().is_closed);
    server_.reset();
  }
}

TEST_F(ServerTest, ContinueIsSentToThoseWhoWaitForIt) {
  serve();
  Wire& wire = dial();
  wire.write("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  sim_.settle();
  EXPECT_EQ(wire.received, "HTTP/1.1 100 Continue\r\n\r\n");
  wire.write("body");
  sim_.settle();
  EXPECT_TRUE(wire.received.ends_with(answer("PUT / body")));
}

TEST_F(ServerTest, TooLargeIsRefusedBeforeItIsRead) {
  serve([](ServerLimits& limits) { limits.body_bytes_max = 100; });
  const std::string declared =
      answer_to("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(declared.starts_with("HTTP/1.1 413 ")) << declared;
  EXPECT_NE(declared.find("Connection: close\r\n"), std::string::npos);
  const std::string chunked = answer_to(
      concat("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n", std::string(101, 'x'), "\r\n"));
  EXPECT_TRUE(chunked.starts_with("HTTP/1.1 413 ")) << chunked;
  EXPECT_TRUE(answer_to(concat("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n", std::string(100, 'x')))
                  .starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(requests_.size(), 1U);
}

TEST_F(ServerTest, RefusalIsSeenThoughTheBodyKeepsComing) {
  sim_.network.conditions.window_bytes = 1000;
  serve([](ServerLimits& limits) { limits.body_bytes_max = 100; });
  const std::string text =
      answer_to(concat("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", std::string(1'000'000, 'x')));
  EXPECT_TRUE(text.starts_with("HTTP/1.1 413 "));
  EXPECT_EQ(clients_.back().stream->queued_bytes(), 0U);
}

TEST_F(ServerTest, BadRequestsAreRefusedAndTheConnectionEnds) {
  struct Case {
    const char* text;
    const char* status;
  };
  const Case cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/1.1\nHost: x\n\n", "400"},
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", "400"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "501"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", "417"},
  };
  for (const Case& each : cases) {
    serve();
    const std::string text = answer_to(concat(each.text, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_TRUE(text.starts_with(concat("HTTP/1.1 ", each.status, " "))) << each.text << text;
    EXPECT_EQ(text.find("HTTP/1.1 200"), std::string::npos) << "nothing after it is believed";
    EXPECT_TRUE(clients_.back().is_closed);
    server_.reset();
  }
  EXPECT_EQ(requests_.size(), 0U);
}

TEST_F(ServerTest, EndlessHeadsAreRefused) {
  serve([](ServerLimits& limits) { limits.head_bytes_max = 1000; });
  EXPECT_TRUE(
      answer_to(concat("GET / HTTP/1.1\r\nHost: x\r\nX: ", std::string(2000, 'x'))).starts_with("HTTP/1.1 431 "));
}

TEST_F(ServerTest, SlowHeadsAndBodiesTimeOut) {
  serve();
  Wire& head = dial();
  Wire& body = dial();
  Wire& mute = dial();
  body.write("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
  for (int second = 0; second < 8; ++second) {
    head.write("G");
    body.write("x");
    sim_.loop.advance(seconds(1));
  }
  EXPECT_EQ(concat(head.received, body.received, mute.received), "");
  sim_.loop.advance(seconds(3));
  EXPECT_TRUE(head.received.starts_with("HTTP/1.1 408 ")) << head.received;
  EXPECT_TRUE(head.is_closed);
  EXPECT_EQ(mute.received, "");
  EXPECT_TRUE(mute.is_closed);
  EXPECT_FALSE(body.is_closed);
  for (int second = 0; second < 50; ++second) {
    body.write("x");
    sim_.loop.advance(seconds(1));
  }
  EXPECT_TRUE(body.received.starts_with("HTTP/1.1 408 ")) << body.received;
}

TEST_F(ServerTest, LaterHeadsHaveAsLittleTimeAsTheFirst) {
  serve();
  Wire& wire = dial();
  wire.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  sim_.loop.advance(seconds(100));
  wire.received.clear();
  wire.write("GET");
  sim_.loop.advance(seconds(9));
  EXPECT_EQ(wire.received, "");
  sim_.loop.advance(seconds(2));
  EXPECT_TRUE(wire.received.starts_with("HTTP/1.1 408 ")) << wire.received;
}

TEST_F(ServerTest, IdleConnectionsAreClosedLater) {
  serve();
  Wire& wire = dial();
  wire.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  sim_.loop.advance(seconds(119));
  EXPECT_FALSE(wire.is_closed);
  sim_.loop.advance(seconds(2));
  EXPECT_TRUE(wire.is_closed);
}

TEST_F(ServerTest, HandlerMayTakeItsTime) {
  std::unique_ptr<Responder> open;
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) { open = std::move(responder); };
  serve();
  Wire& wire = dial();
  wire.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  sim_.loop.advance(minutes(60));
  EXPECT_TRUE(open->is_open());
  open->send({});
  sim_.settle();
  EXPECT_EQ(wire.received, answer(""));
}

TEST_F(ServerTest, ConnectionsOverTheLimitAreClosedAtOnce) {
  serve([](ServerLimits& limits) { limits.connections_max = 2; });
  dial();
  dial();
  EXPECT_TRUE(dial().is_closed);
  EXPECT_FALSE(clients_[1].is_closed);
  clients_[0].stream.reset();
  sim_.settle();
  EXPECT_FALSE(dial().is_closed);
}

TEST_F(ServerTest, ClientThatOnlyStoppedSendingGetsItsAnswer) {
  sim_.network.conditions.window_bytes = 1000;
  handler_ = [](const Request&, std::unique_ptr<Responder> responder) {
    responder->send({.status = 200, .headers = {}, .body = std::string(100'000, 'x')});
  };
  serve();
  Wire& wire = dial();
  wire.stream->pause_reading();
  wire.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  wire.stream->shutdown_write();
  sim_.settle();
  wire.stream->resume_reading();
  sim_.loop.advance(seconds(1));
  EXPECT_GT(wire.received.size(), 100'000U);
  EXPECT_TRUE(wire.is_closed);
}

TEST_F(ServerTest, ReaderThatTakesNothingIsGivenUp) {
  sim_.network.conditions.window_bytes = 1000;
  handler_ = [](const Request&, std::unique_ptr<Responder> responder) {
    responder->send({.status = 200, .headers = {}, .body = std::string(100'000, 'x')});
  };
  serve();
  Wire& wire = dial();
  wire.stream->pause_reading();
  wire.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  sim_.loop.advance(minutes(10));
  wire.stream->resume_reading();
  sim_.settle();
  EXPECT_TRUE(wire.is_closed);
  EXPECT_LT(wire.received.size(), 10'000U);
}

TEST_F(ServerTest, StopClosesTheIdleAndLetsAnswersFinish) {
  std::unique_ptr<Responder> open;
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) { open = std::move(responder); };
  serve();
  Wire& idle = dial();
  Wire& busy = dial();
  busy.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  sim_.settle();
  bool is_stopped = false;
  server_->stop(seconds(30), [&] { is_stopped = true; });
  EXPECT_FALSE(is_stopped);
  sim_.settle();
  EXPECT_TRUE(idle.is_closed);
  EXPECT_FALSE(is_stopped);
  open->send({});
  sim_.settle();
  EXPECT_EQ(busy.received, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  busy.stream.reset();
  sim_.settle();
  EXPECT_TRUE(is_stopped);
}

TEST_F(ServerTest, StopEndsWhatDoesNotFinishInTime) {
  std::unique_ptr<Responder> open;
  bool is_closed = false;
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) {
    open = std::move(responder);
    open->on_closed([&] { is_closed = true; });
    open->start({.status = 200, .headers = {}});
  };
  serve();
  Wire& wire = dial();
  wire.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  sim_.settle();
  bool is_stopped = false;
  server_->stop(seconds(5), [&] {
    is_stopped = true;
    server_.reset();
  });
  sim_.loop.advance(milliseconds(4990));
  EXPECT_FALSE(is_stopped || is_closed);
  sim_.loop.advance(milliseconds(20));
  EXPECT_TRUE(is_stopped && is_closed);
  EXPECT_TRUE(wire.is_closed);
}

TEST_F(ServerTest, StopWithNothingOpenIsDoneOnTheNextTurn) {
  serve();
  bool is_stopped = false;
  server_->stop(seconds(5), [&] { is_stopped = true; });
  EXPECT_FALSE(is_stopped);
  sim_.loop.run_until_idle();
  EXPECT_TRUE(is_stopped);
}

TEST_F(ServerTest, MayBeDestroyedInsideItsHandler) {
  std::unique_ptr<Responder> open;
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) {
    open = std::move(responder);
    open->on_closed([] { FAIL(); });
    server_.reset();
    EXPECT_FALSE(open->is_open());
    open->send({});
  };
  serve();
  EXPECT_EQ(answer_to("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), "");
  EXPECT_TRUE(clients_.back().is_closed);
  EXPECT_EQ(requests_.size(), 1U);
}

TEST_F(ServerTest, RespondersMayOutliveTheServer) {
  std::unique_ptr<Responder> open;
  handler_ = [&](const Request&, std::unique_ptr<Responder> responder) { open = std::move(responder); };
  serve();
  dial().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  sim_.settle();
  server_.reset();
  sim_.settle();
  EXPECT_FALSE(open->is_open());
  open->send({});
  open.reset();
}

}  // namespace
}  // namespace margay::http
