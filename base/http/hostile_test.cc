// Peers that send anything at all: nothing crashes, every exchange and connection comes to an end, others are served.
#include <memory>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/http/client.h"
#include "base/http/server.h"
#include "base/http/sim_fixture.h"
#include "gtest/gtest.h"

namespace margay::http {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kRequests =
    "POST /1?a=b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;e=\"q\"\r\nabc\r\n0\r\nT: t\r\n\r\n"
    "PUT /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\ndef"
    "GET http://h/3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
constexpr std::string_view kResponses =
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n"
    "5\r\nhello\r\n6;x\r\n world\r\n0\r\nT: t\r\n\r\n";

// A few bytes changed, removed, repeated or put in.
std::string mutated(std::string_view original, Random& random) {
  constexpr std::string_view kInteresting("\r\n\0 :;,\t0f\xff/", 12);
  std::string text(original);
  for (std::uint64_t changes = 1 + random.below(6); changes > 0; --changes) {
    const std::size_t at = random.below(text.size());
    const char c =
        random.below(2) == 0 ? kInteresting[random.below(kInteresting.size())] : static_cast<char>(random.next());
    switch (random.below(5)) {
      case 0: text[at] = c; break;
      case 1: text.erase(at, 1 + random.below(8)); break;
      case 2: text.insert(at, 1, c); break;
      case 3: text.insert(at, text.substr(at, random.below(40))); break;
      default: text.resize(at + 1); break;
    }
    if (text.empty()) text = "x";
  }
  return text;
}

TEST(Hostile, ServerSurvivesMutatedRequests) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    SeededRandom random(seed);
    Sim sim;
    sim.network.conditions.piece_bytes_max = 1 + random.below(100);
    auto server = make_server(sim.loop, sim.network, {},
                              [](Request request, const PeerInfo&, std::unique_ptr<Responder> responder) {
                                responder->send({.status = 200, .headers = {}, .body = std::move(request.body)});
                              });
    ASSERT_TRUE(server->listen(sim_endpoint(), nullptr).ok());
    Wire wires[2];
    std::vector<std::unique_ptr<loop::Handle>> attempts;
    for (Wire& wire : wires) {
      attempts.push_back(sim.network.connect(sim_endpoint(), nullptr, seconds(1),
                                             [&wire](auto stream) { wire.adopt(std::move(stream).value()); }));
    }
    sim.loop.run_until_idle();
    wires[0].write(mutated(kRequests, random));
    wires[1].write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    sim.settle();
    EXPECT_TRUE(wires[1].received.starts_with("HTTP/1.1 200 OK\r\n")) << "seed " << seed;
    sim.loop.advance(minutes(10));
    EXPECT_TRUE(wires[0].is_closed) << "seed " << seed;
    EXPECT_LE(sim.network.connection_count(), 2U);
  }
}

TEST(Hostile, ClientSurvivesMutatedResponses) {
  int complete = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    SeededRandom random(seed);
    Sim sim;
    sim.network.conditions.piece_bytes_max = 1 + random.below(100);
    Wire wire;
    auto listener = sim.network.listen(sim_endpoint(), nullptr, [&](auto stream) {
      wire.adopt(std::move(stream));
      wire.write(mutated(kResponses, random));
      if (random.below(2) == 0) wire.stream->shutdown_write();
    });
    auto client = make_client(sim.loop, sim.network, {.endpoint = sim_endpoint(), .tls = {}, .host_header = {}});
    Outcome outcome;
    auto exchange = client->start({}, {}, outcome.events());
    sim.loop.advance(minutes(10));
    ASSERT_TRUE(outcome.is_done) << "seed " << seed;
    EXPECT_TRUE(outcome.log == "done " || outcome.log == "head done " || outcome.log == "head body done ")
        << outcome.log;
    if (!outcome.error) ++complete;
  }
  EXPECT_GT(complete, 10) << "some mutations do no harm";
  EXPECT_LT(complete, 300);
}

}  // namespace
}  // namespace margay::http
