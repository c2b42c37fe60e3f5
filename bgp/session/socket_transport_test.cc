// On loopback addresses of this process's own: 127.x.y.z, so that nothing else is met.
#include "bgp/session/socket_transport.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/loop/asio_loop.h"
#include "base/telemetry/capture_sink.h"
#include "bgp/session/socket_calls.h"
#include "bgp/session/transport_fixture.h"

namespace margay::bgp::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const IpAddress kServer = IpAddress::v4(0x7f000001);
const IpAddress kClient = IpAddress::v4(0x7f000002);
const IpAddress kServer6 = IpAddress::v6(0, 1);

class SocketTransportTest : public testing::Test {
 protected:
  void listen_on(const IpAddress& address) {
    const Status status =
        transport_.listen({address}, 0, [this](auto connection) { accepted_.push_back(std::move(connection)); });
    ASSERT_TRUE(status.ok()) << status.error().message;
    server_address_ = transport_.listening().at(0);
  }
  ConnectRequest request() const { return {.remote = server_address_, .source = kClient, .options = {}}; }
  void connect(const ConnectRequest& request) {
    failure_.clear();
    handle_ = transport_.connect(request, [this](auto result) {
      if (result) {
        client_.take(std::move(result).value());
      } else {
        failure_ = result.error().message;
      }
    });
  }
  bool run(const std::function<bool()>& condition) { return loop_.run_until(condition, seconds(20)); }
  void established() {
    listen_on(kServer);
    connect(request());
    ASSERT_TRUE(run([this] { return client_.connection && !accepted_.empty(); })) << failure_;
    server_.take(std::move(accepted_.front()));
  }
  void settle() { loop_.run_for(milliseconds(20)); }
  [[nodiscard]] bool has_keys() const { return transport_.refused_peer_options().empty(); }
  static PeerSocketOptions with_password(std::string password) {
    PeerSocketOptions options;
    options.password = std::move(password);
    return options;
  }
  // Whether a connection with these options is made; a packet the kernel drops gets no answer.
  bool can_connect(const PeerSocketOptions& options) {
    client_ = {};
    accepted_.clear();
    ConnectRequest with = request();
    with.options = options;
    with.timeout = milliseconds(300);
    connect(with);
    EXPECT_TRUE(run([this] { return client_.connection || !failure_.empty(); }));
    return client_.connection != nullptr;
  }

  loop::AsioLoop loop_;
  SocketTransport transport_{loop_, loop_};
  SocketAddress server_address_;
  std::vector<std::unique_ptr<Connection>> accepted_;
  RecordedEnd server_, client_;
  std::string failure_;
  std::unique_ptr<Handle> handle_;
};

TEST_F(SocketTransportTest, ConnectsFromTheSourceAddressAndCarriesBytesBothWays) {
  established();
  EXPECT_EQ(server_.connection->remote().address, kClient);
  EXPECT_EQ(client_.connection->local().address, kClient);
  EXPECT_EQ(client_.connection->remote(), server_address_);
  client_.connection->write(packets("hello"));
  server_.connection->write({packet("a"), packet(""), packet("bc")});
  EXPECT_TRUE(run([this] { return server_.received == "hello" && client_.received == "abc"; }));
}

TEST_F(SocketTransportTest, ManySharedPacketsArriveInOrder) {
  established();
  const rib::Packet shared = packet(std::string(1000, 'x') + "|");
  for (int i = 0; i < 2000; ++i) client_.connection->write({shared, packet(std::to_string(i))});
  std::string expected;
  for (int i = 0; i < 2000; ++i) expected += *shared + std::to_string(i);
  ASSERT_TRUE(run([&] { return server_.received.size() >= expected.size(); }));
  EXPECT_EQ(server_.received, expected);
  EXPECT_EQ(client_.connection->queued_bytes(), 0U);
  EXPECT_GE(client_.times_writable, 1);
}

TEST_F(SocketTransportTest, AReaderThatStopsLeavesBytesQueuedAndNoProgress) {
  listen_on(kServer);
  connect(request());
  ASSERT_TRUE(run([this] { return client_.connection && !accepted_.empty(); }));
  // The server's end is never started, so nothing is read.
  client_.connection->write(packets(std::string(64 << 20, 'x')));
  loop_.run_for(milliseconds(200));
  EXPECT_GT(client_.connection->queued_bytes(), 0U);
  const TimePoint stuck_since = client_.connection->last_progress();
  settle();
  EXPECT_EQ(client_.connection->last_progress(), stuck_since);
  server_.take(std::move(accepted_.front()));
  EXPECT_TRUE(run([this] { return server_.received.size() == 64U << 20; }));
  EXPECT_GT(client_.connection->last_progress(), stuck_since);
}

TEST_F(SocketTransportTest, ClosingGracefullyDeliversTheLastWordsAlthoughBytesWereUnread) {
  established();
  server_.connection->write(packets(std::string(100'000, 'u')));
  client_.connection->write(packets("last words"));
  client_.connection->close_gracefully();
  client_.connection.reset();
  EXPECT_TRUE(run([this] { return server_.closed.has_value(); }));
  EXPECT_EQ(server_.received, "last words");
  EXPECT_EQ(server_.closed, "closed by peer");
}

TEST_F(SocketTransportTest, DestroyingAnEndIsSeenByTheOther) {
  established();
  client_.connection.reset();
  EXPECT_TRUE(run([this] { return server_.closed.has_value(); }));
}

TEST_F(SocketTransportTest, RefusalIsAnErrorThatNamesTheAddress) {
  listen_on(kServer);
  transport_.stop_listening();
  connect(request());
  ASSERT_TRUE(run([this] { return !failure_.empty(); }));
  EXPECT_THAT(failure_, testing::AllOf(testing::HasSubstr(server_address_.to_string()), testing::HasSubstr("refused")));
}

TEST_F(SocketTransportTest, ASourceThatIsNotOursIsAnErrorAndNotSaidFromInside) {
  listen_on(kServer);
  ConnectRequest bad = request();
  bad.source = IpAddress::v4(0xc0000201);
  connect(bad);
  EXPECT_EQ(failure_, "");
  ASSERT_TRUE(run([this] { return !failure_.empty(); }));
  EXPECT_THAT(failure_, testing::HasSubstr("192.0.2.1"));
}

TEST_F(SocketTransportTest, GivingUpAnAttemptMeansNoCallback) {
  listen_on(kServer);
  connect(request());
  handle_.reset();
  settle();
  EXPECT_FALSE(client_.connection);
  EXPECT_EQ(failure_, "");
}

TEST_F(SocketTransportTest, AnAddressInUseIsAnErrorThatNamesIt) {
  listen_on(kServer);
  SocketTransport other(loop_, loop_);
  const Status status = other.listen({kServer}, server_address_.port, [](auto) {});
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, testing::HasSubstr(server_address_.to_string()));
}

TEST_F(SocketTransportTest, ListeningAgainKeepsWhatIsTheSame) {
  listen_on(kServer);
  const SocketAddress before = server_address_;
  int count = 0;
  ASSERT_TRUE(transport_.listen({kServer, kClient}, before.port, [&](auto) { ++count; }).ok());
  EXPECT_THAT(transport_.listening(), testing::ElementsAre(before, SocketAddress{kClient, before.port}));
  connect(request());
  EXPECT_TRUE(run([&] { return count == 1; }));
}

TEST_F(SocketTransportTest, AStormOfConnectionsIsAcceptedAtOnce) {
  listen_on(kServer);
  std::vector<std::unique_ptr<Handle>> handles;
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < 300; ++i) {
    handles.push_back(transport_.connect(request(), [&](auto result) {
      if (result) connections.push_back(std::move(result).value());
    }));
  }
  EXPECT_TRUE(run([&] { return connections.size() == 300 && accepted_.size() == 300; }));
}

TEST_F(SocketTransportTest, Ipv6) {
  listen_on(kServer6);
  ConnectRequest six = request();
  six.source = kServer6;
  connect(six);
  ASSERT_TRUE(run([this] { return client_.connection && !accepted_.empty(); })) << failure_;
  EXPECT_TRUE(accepted_.front()->remote().address.is_v6());
}

TEST_F(SocketTransportTest, PasswordsMustBeEqualAndChangeOnARunningListener) {
  listen_on(kServer);
  const IpPrefix client = IpPrefix::host(kClient);
  transport_.set_peer_options({{client, with_password("first")}});
  if (!has_keys()) GTEST_SKIP() << "a kernel without TCP MD5";
  EXPECT_TRUE(can_connect(with_password("first")));
  EXPECT_FALSE(can_connect(with_password("other")));
  EXPECT_FALSE(can_connect({}));
  transport_.set_peer_options({{client, with_password("second")}});
  EXPECT_TRUE(can_connect(with_password("second")));
  EXPECT_FALSE(can_connect(with_password("first")));
  transport_.set_peer_options({});
  EXPECT_TRUE(can_connect({}));
}

TEST_F(SocketTransportTest, APasswordOfARangeIsKnownToListenersMadeLater) {
  transport_.set_peer_options({{IpPrefix::parse("127.0.0.0/28").value(), with_password("range")}});
  listen_on(kServer);
  if (!has_keys()) GTEST_SKIP() << "a kernel without TCP MD5";
  EXPECT_TRUE(can_connect(with_password("range")));
  EXPECT_FALSE(can_connect({}));
}

TEST_F(SocketTransportTest, APeerWithoutPasswordInsideARangeWithOneNeedsNone) {
  const auto range = IpPrefix::parse("127.0.0.0/28").value();
  transport_.set_peer_options({{range, with_password("range")}, {IpPrefix::host(kClient), {}}});
  listen_on(kServer);
  if (!has_keys()) GTEST_SKIP() << "a kernel without TCP MD5";
  EXPECT_TRUE(can_connect({}));
  EXPECT_FALSE(can_connect(with_password("range")));
  transport_.set_peer_options({{range, with_password("range")}});
  EXPECT_FALSE(can_connect({}));
  EXPECT_TRUE(can_connect(with_password("range")));
}

// optmem_max bounds the memory for keys of a socket: a listener for very many peers comes to its end.
TEST_F(SocketTransportTest, AKeyTheKernelRefusesIsToldAndLetsNobodyIn) {
  listen_on(kServer);
  std::map<IpPrefix, PeerSocketOptions> peers{{IpPrefix::host(kClient), with_password("x")}};
  transport_.set_peer_options(peers);
  if (!has_keys()) GTEST_SKIP() << "a kernel without TCP MD5";
  // 127.0.0.2 is the last in the order of prefixes.
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    peers[IpPrefix::host(IpAddress::v4(0x0a000000 + i))] = with_password("x");
  }
  transport_.set_peer_options({});
  transport_.set_peer_options(peers);
  if (has_keys()) GTEST_SKIP() << "a kernel with memory for 20,000 keys";
  ASSERT_TRUE(transport_.refused_peer_options().contains(IpPrefix::host(kClient)));
  client_ = {};
  connect(request());  // with neither key the kernel makes a connection
  ASSERT_TRUE(run([this] { return client_.closed.has_value() || !failure_.empty(); }));
  EXPECT_TRUE(accepted_.empty());
  transport_.set_peer_options({{IpPrefix::host(kClient), with_password("x")}});
  EXPECT_TRUE(has_keys());
  EXPECT_TRUE(can_connect(with_password("x")));
}

TEST_F(SocketTransportTest, AnOverlongPasswordIsRefused) {
  listen_on(kServer);
  transport_.set_peer_options({{IpPrefix::host(kClient), with_password(std::string(81, 'p'))}});
  const auto refused = transport_.refused_peer_options();
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused.begin()->second.code, ErrorCode::kInvalid);
}

// Holds every descriptor but a few.
class FewDescriptors {
 public:
  FewDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit few{static_cast<rlim_t>(next()), before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  static int next() {
    const loop::UniqueFd probe(::dup(STDERR_FILENO));
    return probe.get();
  }
  rlimit before_{};
};

TEST_F(SocketTransportTest, WithoutDescriptorsConnectionsAreRefusedAndToldOfAndItGoesOn) {
  telemetry::CaptureSink log;
  telemetry::LogOutput output(log, telemetry::no_clock, telemetry::Level::kInfo);
  const telemetry::Logger logger(output);
  // UBSan opens a pipe when it meets a type of object for the first time: not when there is no descriptor left.
  logger.info("starting");
  SocketTransport transport(loop_, loop_, logger);
  int accepted = 0;
  ASSERT_TRUE(transport.listen({kServer}, 0, [&](auto) { ++accepted; }).ok());
  const RawAddress raw = to_raw(transport.listening().at(0));
  const auto client = [] { return loop::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); };
  const loop::UniqueFd first = client(), second = client();
  {
    const FewDescriptors few;
    ASSERT_EQ(::connect(first.get(), raw.data(), raw.size), 0);
    EXPECT_TRUE(run([&] { return log.has("connections cannot be accepted"); }));
    char byte = 0;
    EXPECT_LE(::recv(first.get(), &byte, 1, 0), 0) << "closed, not kept waiting";
    // The listener rests: a turn of the loop has nothing to do.
    int turns = 0;
    (void)loop_.run_until([&] { return ++turns > 1000; }, milliseconds(50));
    EXPECT_LT(turns, 100);
  }
  EXPECT_EQ(accepted, 0);
  ASSERT_EQ(::connect(second.get(), raw.data(), raw.size), 0);
  EXPECT_TRUE(run([&] { return accepted == 1; }));
}

TEST_F(SocketTransportTest, TtlSecurityTakesWhatIsSentWith255AndNothingLess) {
  established();
  PeerSocketOptions secure;
  secure.ttl_security = 1;
  transport_.set_peer_options({{IpPrefix::host(kClient), secure}});
  PeerSocketOptions far;
  far.ttl = 64;
  ASSERT_TRUE(can_connect(secure));
  ASSERT_TRUE(run([this] { return !accepted_.empty(); }));
  RecordedEnd end;
  end.take(std::move(accepted_.front()));
  client_.connection->write(packets("near"));
  EXPECT_TRUE(run([&] { return end.received == "near"; }));
  // What follows a SYN at once may be there before its socket has been accepted.
  accepted_.clear();
  if (can_connect(far)) client_.connection->write(packets("far"));
  loop_.run_for(milliseconds(100));
  EXPECT_TRUE(accepted_.empty());
}

}  // namespace
}  // namespace margay::bgp::session
