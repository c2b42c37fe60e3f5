#include "base/loop/plain_network.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace margay::loop {
namespace {

constexpr Duration kLimit = std::chrono::seconds(20);

TEST(PlainNetwork, CarriesBytesWithoutTls) {
  AsioLoop loop;
  PlainNetwork network(loop);
  std::unique_ptr<Stream> server, client;
  std::string received;
  const auto listener = network.listen({Endpoint::Kind::kTcp, "127.0.0.1", 0, ""}, nullptr, [&](auto stream) {
    server = std::move(stream);
    server->start({[&](std::string_view bytes) { received.append(bytes); }, {}, {}});
  });
  ASSERT_TRUE(listener.ok());
  const auto handle = network.connect((*listener)->local(), nullptr, kLimit, [&](auto stream) {
    client = std::move(stream).value();
    client->write("hello");
  });
  EXPECT_TRUE(loop.run_until([&] { return received == "hello"; }, kLimit));
}

TEST(PlainNetwork, TlsIsRefusedAndNotFromInside) {
  AsioLoop loop;
  PlainNetwork network(loop);
  const TlsServerConfig server;
  const TlsClientConfig client;
  EXPECT_EQ(network.listen({Endpoint::Kind::kTcp, "127.0.0.1", 0, ""}, &server, [](auto) {}).error().code,
            ErrorCode::kUnsupported);
  std::optional<ErrorCode> code;
  const auto handle = network.connect({Endpoint::Kind::kTcp, "127.0.0.1", 9, ""}, &client, kLimit,
                                      [&](auto stream) { code = stream.error().code; });
  EXPECT_FALSE(code.has_value());
  EXPECT_TRUE(loop.run_until([&] { return code.has_value(); }, kLimit));
  EXPECT_EQ(code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace margay::loop
