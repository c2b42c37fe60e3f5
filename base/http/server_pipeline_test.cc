// Requests that arrive faster than they are answered, or than their answers are read.
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/http/server.h"
#include "base/http/sim_fixture.h"
#include "gtest/gtest.h"

namespace margay::http {
namespace {

using std::chrono::minutes;

class ServerPipeline : public testing::Test {
 protected:
  ServerPipeline() {
    server_ = make_server(sim_.loop, sim_.network, {},
                          [this](const Request& request, const PeerInfo&, std::unique_ptr<Responder> responder) {
                            targets_.push_back(request.target);
                            handler_(std::move(responder));
                          });
    EXPECT_TRUE(server_->listen(sim_endpoint(), nullptr).ok());
    attempt_ = sim_.network.connect(sim_endpoint(), nullptr, minutes(1),
                                    [this](auto stream) { wire_.adopt(std::move(stream).value()); });
    sim_.settle();
  }

  Sim sim_;
  std::vector<std::string> targets_;
  std::function<void(std::unique_ptr<Responder>)> handler_;
  Wire wire_;
  std::unique_ptr<loop::Handle> attempt_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerPipeline, BytesThatArriveBeforeTheWaitingOnesAreTakenStayBehindThem) {
  std::deque<std::unique_ptr<Responder>> open;
  handler_ = [&](std::unique_ptr<Responder> responder) { open.push_back(std::move(responder)); };
  wire_.write("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /second HT");
  sim_.settle();
  ASSERT_EQ(open.size(), 1U);
  // The answer is complete and the rest of the request arrives in one turn of the loop.
  wire_.write("TP/1.1\r\nHost: x\r\n\r\n");
  sim_.loop.post([&] { open.front()->send({.status = 200, .headers = {}, .body = ""}); });
  sim_.settle();
  EXPECT_EQ(targets_, (std::vector<std::string>{"/1", "/second"}));
}

TEST_F(ServerPipeline, AllThatWasAskedBeforeTheEndIsAnswered) {
  std::deque<std::unique_ptr<Responder>> open;
  handler_ = [&](std::unique_ptr<Responder> responder) {
    if (targets_.back() == "/now") return responder->send({.status = 200, .headers = {}, .body = "now"});
    open.push_back(std::move(responder));
  };
  for (const char* target : {"/1", "/now", "/2", "/now"})
    wire_.write(concat("GET ", target, " HTTP/1.1\r\nHost: x\r\n\r\n"));
  wire_.stream->shutdown_write();
  for (std::size_t i = 0; i < 2; ++i) {
    sim_.loop.advance(minutes(1));
    ASSERT_EQ(open.size(), i + 1);
    open.back()->send({.status = 200, .headers = {}, .body = concat("late", i)});
  }
  sim_.loop.advance(minutes(1));
  EXPECT_EQ(targets_, (std::vector<std::string>{"/1", "/now", "/2", "/now"}));
  std::size_t at = 0;
  for (const char* body : {"late0", "now", "late1", "now"}) {
    at = wire_.received.find(body, at);
    ASSERT_NE(at, std::string::npos) << body << " in " << wire_.received;
  }
  EXPECT_TRUE(wire_.is_closed_in_order);
}

TEST_F(ServerPipeline, RequestsWaitWhileAnswersAreNotRead) {
  constexpr int kRequests = 400;
  const std::string body(100'000, 'b');
  handler_ = [&](std::unique_ptr<Responder> responder) {
    responder->send({.status = 200, .headers = {}, .body = body});
  };
  wire_.stream->pause_reading();
  for (int i = 0; i < kRequests; ++i) wire_.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  sim_.settle();
  EXPECT_LT(targets_.size(), 40U) << "each of them is memory that the client need not have";
  wire_.stream->resume_reading();
  sim_.settle();
  EXPECT_EQ(targets_.size(), static_cast<std::size_t>(kRequests));
  EXPECT_GT(wire_.received.size(), kRequests * body.size());
  EXPECT_FALSE(wire_.is_closed);
}

TEST_F(ServerPipeline, ReaderThatNeverTakesItsAnswersIsGivenUp) {
  handler_ = [&](std::unique_ptr<Responder> responder) {
    responder->send({.status = 200, .headers = {}, .body = std::string(2'000'000, 'b')});
  };
  wire_.stream->pause_reading();
  for (int i = 0; i < 10; ++i) wire_.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  sim_.loop.advance(minutes(10));
  EXPECT_LT(targets_.size(), 3U);
  wire_.stream->resume_reading();
  sim_.settle();
  EXPECT_TRUE(wire_.is_closed);
}

}  // namespace
}  // namespace margay::http
