// What is particular to real sockets.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/loop/asio_loop.h"
#include "base/loop/asio_network.h"
#include "base/loop/socket_address.h"
#include "base/loop/unique_fd.h"
#include "gtest/gtest.h"

namespace margay::loop {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class NetworkTest : public testing::Test {
 protected:
  NetworkTest() {
    char name[] = "/tmp/margay-net-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~NetworkTest() override { (void)::rmdir(folder_.c_str()); }

  [[nodiscard]] std::string path() const { return concat(folder_, "/socket"); }
  [[nodiscard]] Endpoint unix_endpoint() const { return {Endpoint::Kind::kUnix, "", 0, path()}; }
  bool run(const std::function<bool()>& condition) { return loop_.run_until(condition, seconds(20)); }

  Result<std::unique_ptr<Stream>> dial(const Endpoint& endpoint, Duration timeout = seconds(10)) {
    std::optional<Result<std::unique_ptr<Stream>>> outcome;
    auto attempt = network_.connect(endpoint, nullptr, timeout, [&](auto stream) { outcome = std::move(stream); });
    EXPECT_TRUE(run([&] { return outcome.has_value(); }));
    return std::move(*outcome);
  }

  std::string folder_;
  AsioLoop loop_;
  AsioNetwork network_{loop_};
};

TEST_F(NetworkTest, UnixSocketIsPrivateAndGoesWithItsListener) {
  auto listener = network_.listen(unix_endpoint(), nullptr, [](auto) {});
  ASSERT_TRUE(listener.ok()) << listener.error().message;
  struct stat found {};
  ASSERT_EQ(::stat(path().c_str(), &found), 0);
  EXPECT_TRUE(S_ISSOCK(found.st_mode));
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  EXPECT_EQ(listener.value()->local(), unix_endpoint());
  std::move(listener).value().reset();
  EXPECT_NE(::stat(path().c_str(), &found), 0);
}

TEST_F(NetworkTest, StaleSocketIsReplacedButALiveOneIsNot) {
  {
    const UniqueFd stale = std::move(open_socket(AF_UNIX)).value();
    const SocketAddress address = unix_address(path());
    ASSERT_EQ(::bind(stale.get(), address.data(), address.size), 0);
  }
  auto first = network_.listen(unix_endpoint(), nullptr, [](auto) {});
  ASSERT_TRUE(first.ok()) << first.error().message;
  const auto second = network_.listen(unix_endpoint(), nullptr, [](auto) {});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
  EXPECT_TRUE(dial(unix_endpoint()).ok()) << "the first still listens";
}

TEST_F(NetworkTest, OtherFilesAreNotRemoved) {
  { const UniqueFd file(::creat(path().c_str(), 0600)); }
  const auto listener = network_.listen(unix_endpoint(), nullptr, [](auto) {});
  ASSERT_FALSE(listener.ok());
  EXPECT_EQ(listener.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(::unlink(path().c_str()), 0);
}

TEST_F(NetworkTest, SocketFileOfASuccessorIsLeftAlone) {
  auto first = std::move(network_.listen(unix_endpoint(), nullptr, [](auto) {})).value();
  ASSERT_EQ(::unlink(path().c_str()), 0);
  auto second = std::move(network_.listen(unix_endpoint(), nullptr, [](auto) {})).value();
  first.reset();
  EXPECT_TRUE(dial(unix_endpoint()).ok());
}

TEST_F(NetworkTest, ListeningNeedsAnAddress) {
  for (const char* host : {"localhost", "999.1.1.1", ""}) {
    const auto listener = network_.listen({Endpoint::Kind::kTcp, host, 0, ""}, nullptr, [](auto) {});
    ASSERT_FALSE(listener.ok()) << host;
    EXPECT_EQ(listener.error().code, ErrorCode::kInvalid) << listener.error().message;
  }
  const auto missing = network_.listen({Endpoint::Kind::kUnix, "", 0, "/nonexistent/folder/s"}, nullptr, [](auto) {});
  EXPECT_FALSE(missing.ok());
}

TEST_F(NetworkTest, PortIsChosenAndTakenPortsAreRefused) {
  auto listener = network_.listen({Endpoint::Kind::kTcp, "127.0.0.1", 0, ""}, nullptr, [](auto) {});
  ASSERT_TRUE(listener.ok());
  const Endpoint local = listener.value()->local();
  EXPECT_NE(local.port, 0);
  const auto again = network_.listen(local, nullptr, [](auto) {});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
}

TEST_F(NetworkTest, NamesAreLookedUpAndAllAddressesTried) {
  std::vector<std::unique_ptr<Stream>> accepted;
  auto listener = network_.listen({Endpoint::Kind::kTcp, "127.0.0.1", 0, ""}, nullptr,
                                  [&](auto stream) { accepted.push_back(std::move(stream)); });
  ASSERT_TRUE(listener.ok());
  // localhost may be ::1 first, where nobody listens.
  const auto stream = dial({Endpoint::Kind::kTcp, "localhost", listener.value()->local().port, ""});
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_TRUE(stream.value()->peer_name().starts_with("127.0.0.1:")) << stream.value()->peer_name();
  ASSERT_TRUE(run([&] { return !accepted.empty(); }));
  EXPECT_TRUE(accepted[0]->peer_name().starts_with("127.0.0.1:"));
}

TEST_F(NetworkTest, Ipv6Works) {
  auto listener = network_.listen({Endpoint::Kind::kTcp, "::1", 0, ""}, nullptr, [](auto) {});
  if (!listener.ok()) GTEST_SKIP() << "no IPv6 here: " << listener.error().message;
  const auto stream = dial(listener.value()->local());
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_TRUE(stream.value()->peer_name().starts_with("[::1]:"));
}

TEST_F(NetworkTest, ZoneOfAnIpv6AddressIsItsInterface) {
  const auto addresses = look_up("fe80::1%lo", 4711, true);
  ASSERT_TRUE(addresses.ok()) << addresses.error().message;
  EXPECT_EQ(addresses->front().to_string(), "[fe80::1%lo]:4711");
  EXPECT_EQ(addresses->front().to_endpoint(), *Endpoint::parse("tcp://[fe80::1%lo]:4711"));
}

TEST_F(NetworkTest, ZoneWithoutInterfaceIsNamed) {
  const Endpoint endpoint{Endpoint::Kind::kTcp, "fe80::1%nosuchlink", 4711, ""};
  const auto listener = network_.listen(endpoint, nullptr, [](auto) {});
  ASSERT_FALSE(listener.ok());
  EXPECT_EQ(listener.error().code, ErrorCode::kInvalid);
  EXPECT_NE(listener.error().message.find("no network interface \"nosuchlink\""), std::string::npos)
      << listener.error().message;
  const auto stream = dial(endpoint);
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().code, ErrorCode::kUnavailable) << "it may appear";
  EXPECT_NE(stream.error().message.find("no network interface \"nosuchlink\""), std::string::npos)
      << stream.error().message;
  const auto escaped = dial({Endpoint::Kind::kTcp, "fe80::1%25lo", 4711, ""});
  EXPECT_NE(escaped.error().message.find("%25 is for URLs"), std::string::npos) << escaped.error().message;
}

// A name with an empty label fails without a question to any name server.
TEST_F(NetworkTest, UnknownNamesAreUnavailable) {
  const auto stream = dial({Endpoint::Kind::kTcp, "no..such..host", 1, ""});
  ASSERT_FALSE(stream.ok());
  EXPECT_TRUE(stream.error().code == ErrorCode::kUnavailable || stream.error().code == ErrorCode::kTimeout);
  EXPECT_NE(stream.error().message.find("no..such..host"), std::string::npos);
}

// A firewall's rule, no free port, no IPv6: what stands in the way of a connection may be gone the next time.
TEST_F(NetworkTest, WhatTheKernelRefusesToConnectIsUnavailable) {
  const auto stream = dial({Endpoint::Kind::kTcp, "fe80::1", 9, ""});  // link-local, but of no link
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().code, ErrorCode::kUnavailable) << stream.error().message;
}

TEST_F(NetworkTest, MissingSocketIsUnavailable) {
  const auto stream = dial(unix_endpoint());
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().code, ErrorCode::kUnavailable);
}

TEST_F(NetworkTest, FullBacklogIsWaitedForUntilTheTimeout) {
  const UniqueFd listener = std::move(open_socket(AF_UNIX)).value();
  const SocketAddress address = unix_address(path());
  ASSERT_EQ(::bind(listener.get(), address.data(), address.size), 0);
  ASSERT_EQ(::listen(listener.get(), 0), 0);
  std::vector<UniqueFd> fillers;
  while (true) {
    UniqueFd filler = std::move(open_socket(AF_UNIX)).value();
    if (::connect(filler.get(), address.data(), address.size) != 0) break;
    fillers.push_back(std::move(filler));
  }
  const auto timed_out = dial(unix_endpoint(), milliseconds(30));
  ASSERT_FALSE(timed_out.ok());
  EXPECT_EQ(timed_out.error().code, ErrorCode::kTimeout);
  std::optional<bool> is_connected;
  auto attempt =
      network_.connect(unix_endpoint(), nullptr, seconds(10), [&](auto stream) { is_connected = stream.ok(); });
  loop_.run_for(milliseconds(20));
  EXPECT_FALSE(is_connected);
  std::vector<UniqueFd> accepted;
  for (std::size_t i = 0; i < fillers.size(); ++i) accepted.emplace_back(::accept(listener.get(), nullptr, nullptr));
  ASSERT_TRUE(run([&] { return is_connected.has_value(); }));
  EXPECT_TRUE(*is_connected);
  ::unlink(path().c_str());
}

// The undefined-behaviour sanitizer opens a pipe to look at memory: without descriptors it sees errors everywhere.
#ifdef __SANITIZE_ADDRESS__
constexpr bool kMayRunOutOfDescriptors = false;
#else
constexpr bool kMayRunOutOfDescriptors = true;
#endif

// Takes all descriptors the process may have, until it is destroyed.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = 200;
    setrlimit(RLIMIT_NOFILE, &low);
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken_.emplace_back(fd);
  }
  ~NoDescriptors() {
    taken_.clear();
    setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<UniqueFd> taken_;
};

TEST_F(NetworkTest, AcceptingGoesOnWhenDescriptorsAreBack) {
  if (!kMayRunOutOfDescriptors) GTEST_SKIP() << "not under this sanitizer";
  int accepted = 0;
  auto listener = network_.listen(unix_endpoint(), nullptr, [&](auto) { ++accepted; });
  ASSERT_TRUE(listener.ok());
  const UniqueFd client = std::move(open_socket(AF_UNIX)).value();
  const SocketAddress address = unix_address(path());
  {
    const NoDescriptors none;
    ASSERT_EQ(::connect(client.get(), address.data(), address.size), 0);
    rusage before{};
    rusage after{};
    getrusage(RUSAGE_SELF, &before);
    loop_.run_for(milliseconds(250));
    getrusage(RUSAGE_SELF, &after);
    EXPECT_EQ(accepted, 0);
    const long calls = after.ru_nvcsw - before.ru_nvcsw;
    EXPECT_LT(calls, 100) << "no busy loop";
  }
  ASSERT_TRUE(run([&] { return accepted == 1; }));
}

TEST_F(NetworkTest, ConnectingWithoutDescriptorsIsAnError) {
  if (!kMayRunOutOfDescriptors) GTEST_SKIP() << "not under this sanitizer";
  auto listener = network_.listen(unix_endpoint(), nullptr, [](auto) {});
  const NoDescriptors none;
  const auto stream = dial(unix_endpoint());
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().code, ErrorCode::kLimitExceeded);
}

TEST_F(NetworkTest, WritingToAClosedPeerKillsNobody) {
  std::unique_ptr<Stream> accepted;
  auto listener = network_.listen(unix_endpoint(), nullptr, [&](auto stream) { accepted = std::move(stream); });
  auto stream = std::move(dial(unix_endpoint())).value();
  ASSERT_TRUE(run([&] { return accepted != nullptr; }));
  std::optional<Status> end;
  stream->start({.on_data = {}, .on_drained = {}, .on_closed = [&](Status reason) { end = std::move(reason); }});
  accepted.reset();
  for (int i = 0; i < 3; ++i) {
    stream->write("to nobody");
    loop_.run_for(milliseconds(1));
  }
  EXPECT_TRUE(end);
}

TEST_F(NetworkTest, AnswerSentBeforeAResetIsStillRead) {
  std::unique_ptr<Stream> accepted;
  auto listener = network_.listen({Endpoint::Kind::kTcp, "127.0.0.1", 0, ""}, nullptr,
                                  [&](auto stream) { accepted = std::move(stream); });
  const Endpoint local = listener.value()->local();
  const UniqueFd peer = std::move(open_socket(AF_INET)).value();
  const SocketAddress address = look_up(local.host, local.port, true)->front();
  (void)::connect(peer.get(), address.data(), address.size);
  ASSERT_TRUE(run([&] { return accepted != nullptr; }));
  std::string received;
  int closed = 0;
  accepted->start({.on_data = [&](std::string_view bytes) { received.append(bytes); },
                   .on_drained = {},
                   .on_closed = [&](const Status&) { ++closed; }});
  accepted->pause_reading();
  ASSERT_EQ(::send(peer.get(), "413", 3, 0), 3);
  ::shutdown(peer.get(), SHUT_RDWR);
  for (int i = 0; i < 3; ++i) {
    accepted->write(std::string(1000, 'x'));
    loop_.run_for(milliseconds(2));
  }
  accepted->resume_reading();
  ASSERT_TRUE(run([&] { return closed == 1; }));
  EXPECT_EQ(received, "413");
}

TEST_F(NetworkTest, LookupAbandonedWithItsLoopIsHarmless) {
  for (int i = 0; i < 10; ++i) {
    std::optional<AsioLoop> loop(std::in_place);
    AsioNetwork network(*loop);
    auto attempt = network.connect({Endpoint::Kind::kTcp, "localhost", 1, ""}, nullptr, seconds(1), [](auto) {});
    if (i % 2 == 0) loop->run_for(milliseconds(1));
    attempt.reset();
    // The network ends after its loop here, which it may: it holds nothing of it.
  }
}

}  // namespace
}  // namespace margay::loop
