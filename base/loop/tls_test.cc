// What TLS adds to a stream: who is believed, and what is said when not.
#include <optional>
#include <string>

#include "base/core/text.h"
#include "base/loop/sim_loop.h"
#include "base/loop/sim_network.h"
#include "base/loop/test_certificates.h"
#include "base/loop/tls_engine.h"
#include "gtest/gtest.h"

namespace margay::loop {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const TestAuthority& authority() {
  static const TestAuthority made("margay test authority");
  return made;
}

class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    serve_as({});
    client_config_.ca_pem = authority().ca_pem();
  }

  void serve_as(const TestAuthority::Wish& wish) {
    const TestAuthority::Issued issued = authority().issue(wish);
    server_config_ = TlsServerConfig{issued.certificate_pem, issued.key_pem, {}};
  }

  // Connects and lets everything happen. The error, if any, is what connect() gave.
  std::optional<Error> connect(const Endpoint& endpoint = {Endpoint::Kind::kTcp, "127.0.0.1", 443, ""}) {
    listener_.reset();
    accepted_.reset();
    client_.reset();
    auto listener = network_.listen(endpoint, &server_config_, [this](auto stream) { accept(std::move(stream)); });
    if (!listener) return listener.error();
    listener_ = std::move(listener).value();
    std::optional<Error> error;
    auto attempt = network_.connect(endpoint, &client_config_, seconds(5), [&](auto stream) {
      if (!stream) {
        error = stream.error();
        return;
      }
      client_ = std::move(stream).value();
      client_->start({.on_data = [this](std::string_view bytes) { received_.append(bytes); },
                      .on_drained = {},
                      .on_closed = [this](Status reason) { client_end_ = std::move(reason); }});
    });
    loop_.advance(seconds(6));
    return error;
  }

  void accept(std::unique_ptr<Stream> stream) {
    accepted_ = std::move(stream);
    accepted_->start({.on_data = [this](std::string_view bytes) { server_received_.append(bytes); },
                      .on_drained = {},
                      .on_closed = [this](Status reason) { server_end_ = std::move(reason); }});
  }

  void expect_refused(std::string_view reason,
                      const Endpoint& endpoint = {Endpoint::Kind::kTcp, "127.0.0.1", 443, ""}) {
    const auto error = connect(endpoint);
    ASSERT_TRUE(error) << "expected: " << reason;
    EXPECT_EQ(error->code, ErrorCode::kUnavailable) << error->message;
    EXPECT_NE(error->message.find(reason), std::string::npos) << error->message;
    EXPECT_EQ(accepted_, nullptr);
  }

  SimLoop loop_;
  SimNetwork network_{loop_, 1};
  TlsServerConfig server_config_;
  TlsClientConfig client_config_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Stream> accepted_;
  std::unique_ptr<Stream> client_;
  std::string received_;
  std::string server_received_;
  std::optional<Status> client_end_;
  std::optional<Status> server_end_;
};

TEST_F(TlsTest, BytesPassInTheSmallestPieces) {
  network_.conditions.piece_bytes_max = 3;
  ASSERT_FALSE(connect());
  const std::string text(50'000, 'x');
  client_->write(text);
  accepted_->write("answer");
  loop_.advance(seconds(1));
  EXPECT_TRUE(server_received_ == text);
  EXPECT_EQ(received_, "answer");
}

TEST_F(TlsTest, CiphertextIsNotPlaintext) {
  std::string wire;
  const Endpoint endpoint{Endpoint::Kind::kTcp, "127.0.0.1", 1, ""};
  std::unique_ptr<Stream> raw;
  auto listener = network_.listen(endpoint, nullptr, [&](auto stream) {
    raw = std::move(stream);
    raw->start({.on_data = [&](std::string_view bytes) { wire.append(bytes); }, .on_drained = {}, .on_closed = {}});
  });
  auto attempt = network_.connect(endpoint, &client_config_, seconds(5), [](auto) {});
  loop_.advance(seconds(1));
  ASSERT_GT(wire.size(), 100U);
  EXPECT_EQ(wire.substr(0, 2), "\x16\x03") << "a TLS handshake record";
  EXPECT_EQ(wire.find("127.0.0.1"), std::string::npos) << "no SNI for an address";
}

TEST_F(TlsTest, ZoneOfAnAddressIsNotPartOfItsName) {
  const Endpoint zoned{Endpoint::Kind::kTcp, "fe80::1%eth0", 443, ""};
  serve_as({.names = "IP:fe80::1", .is_expired = false});
  EXPECT_FALSE(connect(zoned));
  serve_as({.names = "IP:fe80::2", .is_expired = false});
  expect_refused("mismatch", zoned);
}

TEST_F(TlsTest, NamesAndAddressesAreChecked) {
  const Endpoint by_name{Endpoint::Kind::kTcp, "api.example.org", 443, ""};
  const Endpoint by_address{Endpoint::Kind::kTcp, "10.1.2.3", 443, ""};
  const Endpoint by_path{Endpoint::Kind::kUnix, "", 0, "/socket"};
  serve_as({.names = "DNS:*.example.org,IP:10.1.2.3,DNS:localhost", .is_expired = false});
  EXPECT_FALSE(connect(by_name));
  EXPECT_FALSE(connect(by_address));
  EXPECT_FALSE(connect(by_path)) << "a unix socket is localhost";
  serve_as({.names = "DNS:other.example.com,IP:10.1.2.4", .is_expired = false});
  expect_refused("mismatch", by_name);
  expect_refused("mismatch", by_address);
  expect_refused("mismatch", by_path);
  client_config_.server_name = "other.example.com";
  EXPECT_FALSE(connect(by_name));
  EXPECT_FALSE(connect(by_address));
}

TEST_F(TlsTest, WildcardsCoverOneLabelOnly) {
  serve_as({.names = "DNS:*.example.org", .is_expired = false});
  client_config_.server_name = "a.b.example.org";
  expect_refused("mismatch");
  client_config_.server_name = "example.org";
  expect_refused("mismatch");
}

TEST_F(TlsTest, OnlyTheGivenAuthorityIsBelieved) {
  const TestAuthority other("another authority");
  client_config_.ca_pem = other.ca_pem();
  expect_refused("certificate");
  client_config_.ca_pem = other.ca_pem() + authority().ca_pem();
  EXPECT_FALSE(connect());
  client_config_.ca_pem.clear();
  expect_refused("certificate");
}

// As Go does: what is in the trust store need not be signed by itself, so that an intermediate authority will do.
TEST_F(TlsTest, AnyCertificateInTheTrustStoreIsAnAnchor) {
  client_config_.ca_pem = server_config_.certificate_pem;
  EXPECT_FALSE(connect());
}

TEST_F(TlsTest, NoNameIsNoReasonToAcceptAnyName) {
  const auto context = make_tls_context(client_config_);
  ASSERT_TRUE(context.ok());
  EXPECT_FALSE(TlsEngine::for_client(*context, "").ok());
}

TEST_F(TlsTest, ExpiredCertificatesAreRefused) {
  serve_as({.names = "IP:127.0.0.1", .is_expired = true});
  expect_refused("expired");
}

TEST_F(TlsTest, SkippingVerificationIsPossibleAndExplicit) {
  serve_as({.names = "DNS:wrong", .is_expired = true});
  client_config_.ca_pem.clear();
  client_config_.insecure_skip_verify = true;
  EXPECT_FALSE(connect());
}

TEST_F(TlsTest, ClientCertificatesAreDemandedWhenAClientAuthorityIsSet) {
  server_config_.client_ca_pem = authority().ca_pem();
  const TestAuthority::Issued mine = authority().issue({});
  client_config_.certificate_pem = mine.certificate_pem;
  client_config_.key_pem = mine.key_pem;
  EXPECT_FALSE(connect());
  EXPECT_NE(accepted_, nullptr);
}

TEST_F(TlsTest, ClientsWithoutTheRightCertificateGetNowhere) {
  server_config_.client_ca_pem = authority().ca_pem();
  const TestAuthority::Issued stranger = TestAuthority("another authority").issue({});
  for (const bool has_certificate : {false, true}) {
    client_end_.reset();
    client_config_.certificate_pem = has_certificate ? stranger.certificate_pem : "";
    client_config_.key_pem = has_certificate ? stranger.key_pem : "";
    // In TLS 1.3 the client is done before the server has looked: it learns by the connection's end.
    const auto error = connect();
    EXPECT_TRUE(error || (client_end_ && !client_end_->ok()));
    EXPECT_EQ(accepted_, nullptr);
  }
}

TEST_F(TlsTest, CheckedCertificateTellsWhoThePeerIs) {
  server_config_.client_ca_pem = authority().ca_pem();
  const TestAuthority::Issued user =
      authority().issue({.common_name = "nöde-a", .organizations = {"system:nodes", "system:masters"}});
  client_config_.certificate_pem = user.certificate_pem;
  client_config_.key_pem = user.key_pem;
  ASSERT_FALSE(connect());
  ASSERT_NE(accepted_, nullptr);
  const auto shown = accepted_->peer_certificate();
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->common_name, "nöde-a");
  EXPECT_EQ(shown->organizations, (std::vector<std::string>{"system:nodes", "system:masters"}));
  EXPECT_GT(shown->not_after, WallTime(std::chrono::hours(24 * 365 * 50)));
  EXPECT_TRUE(client_->peer_certificate());
  client_config_.insecure_skip_verify = true;
  ASSERT_FALSE(connect());
  EXPECT_FALSE(client_->peer_certificate()) << "not checked";
}

TEST_F(TlsTest, OptionalCertificateMayBeMissingButNotWrong) {
  server_config_.client_ca_pem = authority().ca_pem();
  server_config_.is_client_certificate_optional = true;
  ASSERT_FALSE(connect());
  ASSERT_NE(accepted_, nullptr);
  EXPECT_FALSE(accepted_->peer_certificate());
  for (const TestAuthority::Issued& wrong :
       {TestAuthority("another authority").issue({}), authority().issue({.is_expired = true})}) {
    client_end_.reset();
    client_config_.certificate_pem = wrong.certificate_pem;
    client_config_.key_pem = wrong.key_pem;
    const auto error = connect();
    EXPECT_TRUE(error || (client_end_ && !client_end_->ok()));
    EXPECT_EQ(accepted_, nullptr);
  }
}

TEST_F(TlsTest, RenewedSettingsAreUsedFromTheNextConnectionOn) {
  const TestAuthority next("the next authority");
  const TestAuthority::Issued issued = next.issue({});
  auto renewed = std::make_shared<TlsServerConfig>(TlsServerConfig{issued.certificate_pem, issued.key_pem, {}});
  std::shared_ptr<const TlsServerConfig> current;
  int asked = 0;
  server_config_.renewed = [&] {
    ++asked;
    return current;
  };
  ASSERT_FALSE(connect());
  EXPECT_EQ(asked, 1);
  const Endpoint endpoint{Endpoint::Kind::kTcp, "127.0.0.1", 443, ""};
  const auto error_of_next = [&] {
    std::optional<Error> error;
    std::unique_ptr<Stream> kept;
    auto attempt = network_.connect(endpoint, &client_config_, seconds(5), [&](auto stream) {
      if (stream.ok()) {
        kept = std::move(stream).value();
      } else {
        error = stream.error();
      }
    });
    loop_.advance(seconds(6));
    return error;
  };
  current = renewed;
  EXPECT_TRUE(error_of_next()) << "the client does not trust it yet";
  client_config_.ca_pem = next.ca_pem();
  EXPECT_FALSE(error_of_next());
  current = std::make_shared<TlsServerConfig>(TlsServerConfig{"nonsense", issued.key_pem, {}});
  EXPECT_FALSE(error_of_next()) << "what cannot be used changes nothing";
  EXPECT_FALSE(check_tls(*current).ok());
  EXPECT_TRUE(check_tls(*renewed).ok());
  EXPECT_TRUE(check_tls(client_config_).ok());
}

TEST_F(TlsTest, BadSettingsAreInvalid) {
  const TestAuthority::Issued issued = authority().issue({});
  const TestAuthority::Issued other = authority().issue({});
  const std::string half = issued.certificate_pem.substr(0, issued.certificate_pem.size() / 2);
  const TlsClientConfig bad_clients[] = {
      {.ca_pem = "nonsense", .certificate_pem = {}, .key_pem = {}, .server_name = {}},
      {.ca_pem = half, .certificate_pem = {}, .key_pem = {}, .server_name = {}},
      {.ca_pem = authority().ca_pem() + half, .certificate_pem = {}, .key_pem = {}, .server_name = {}},
      {.ca_pem = {}, .certificate_pem = issued.certificate_pem, .key_pem = {}, .server_name = {}},
      {.ca_pem = {}, .certificate_pem = issued.certificate_pem, .key_pem = other.key_pem, .server_name = {}},
      {.ca_pem = {}, .certificate_pem = issued.key_pem, .key_pem = issued.key_pem, .server_name = {}},
      {.ca_pem = {},
       .certificate_pem = issued.certificate_pem,
       .key_pem = TestAuthority::encrypted(issued.key_pem),
       .server_name = {}},
  };
  for (const TlsClientConfig& config : bad_clients) {
    const auto context = make_tls_context(config);
    ASSERT_FALSE(context.ok());
    EXPECT_EQ(context.error().code, ErrorCode::kInvalid) << context.error().message;
  }
  for (const TlsServerConfig& config : {TlsServerConfig{"", "", ""}, TlsServerConfig{issued.certificate_pem, "", ""},
                                        TlsServerConfig{issued.certificate_pem, other.key_pem, ""},
                                        TlsServerConfig{issued.certificate_pem, issued.key_pem, "nonsense"}}) {
    server_config_ = config;
    const auto error = connect();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, ErrorCode::kInvalid) << error->message;
  }
}

TEST_F(TlsTest, BadClientSettingsAreToldByConnectLater) {
  client_config_.ca_pem = "nonsense";
  std::optional<Error> error;
  auto attempt = network_.connect({Endpoint::Kind::kTcp, "127.0.0.1", 1, ""}, &client_config_, seconds(5),
                                  [&](auto stream) { error = stream.error(); });
  EXPECT_FALSE(error);
  loop_.run_until_idle();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kInvalid);
}

TEST_F(TlsTest, PlainSpeakersAreNotAccepted) {
  const Endpoint endpoint{Endpoint::Kind::kTcp, "127.0.0.1", 1, ""};
  int accepted = 0;
  auto listener = network_.listen(endpoint, &server_config_, [&](auto) { ++accepted; });
  std::unique_ptr<Stream> raw;
  bool is_closed = false;
  auto attempt = network_.connect(endpoint, nullptr, seconds(5), [&](auto stream) {
    raw = std::move(stream).value();
    raw->start(
        {.on_data = [](std::string_view) {}, .on_drained = {}, .on_closed = [&](const Status&) { is_closed = true; }});
    raw->write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  });
  loop_.advance(milliseconds(100));
  EXPECT_TRUE(is_closed);
  EXPECT_EQ(accepted, 0);
}

TEST_F(TlsTest, PlainServersAreUnavailable) {
  const Endpoint endpoint{Endpoint::Kind::kTcp, "127.0.0.1", 1, ""};
  std::unique_ptr<Stream> raw;
  auto listener = network_.listen(endpoint, nullptr, [&](auto stream) {
    raw = std::move(stream);
    raw->start({});
    raw->write("220 mail.example.org ESMTP\r\n");
  });
  std::optional<Error> error;
  auto attempt = network_.connect(endpoint, &client_config_, seconds(5), [&](auto stream) { error = stream.error(); });
  loop_.advance(milliseconds(100));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kUnavailable);
}

TEST_F(TlsTest, SilentPeersTimeOutOnBothSides) {
  const Endpoint endpoint{Endpoint::Kind::kTcp, "127.0.0.1", 1, ""};
  std::unique_ptr<Stream> raw;
  auto plain = network_.listen(endpoint, nullptr, [&](auto stream) { raw = std::move(stream); });
  std::optional<Error> error;
  auto attempt = network_.connect(endpoint, &client_config_, seconds(5), [&](auto stream) { error = stream.error(); });
  loop_.advance(milliseconds(4999));
  EXPECT_FALSE(error);
  loop_.advance(milliseconds(1));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kTimeout);

  const Endpoint secure{Endpoint::Kind::kTcp, "127.0.0.1", 2, ""};
  auto listener = network_.listen(secure, &server_config_, [](auto) { FAIL(); });
  bool is_closed = false;
  std::unique_ptr<Stream> mute;
  auto dial = network_.connect(secure, nullptr, seconds(5), [&](auto stream) {
    mute = std::move(stream).value();
    mute->start({.on_data = {}, .on_drained = {}, .on_closed = [&](const Status&) { is_closed = true; }});
  });
  loop_.advance(seconds(9));
  EXPECT_FALSE(is_closed);
  loop_.advance(seconds(2));
  EXPECT_TRUE(is_closed);
}

TEST_F(TlsTest, EndInOrderIsToldApartFromACut) {
  ASSERT_FALSE(connect());
  client_->shutdown_write();
  loop_.advance(milliseconds(10));
  ASSERT_TRUE(server_end_);
  EXPECT_TRUE(server_end_->ok());
  accepted_.reset();
  loop_.advance(milliseconds(10));
  ASSERT_TRUE(client_end_);
  EXPECT_FALSE(client_end_->ok()) << "no close_notify: the end may be forged";
}

TEST_F(TlsTest, ResetIsAnError) {
  ASSERT_FALSE(connect());
  network_.reset_all();
  loop_.advance(milliseconds(10));
  ASSERT_TRUE(client_end_ && server_end_);
  EXPECT_EQ(client_end_->error().code, ErrorCode::kUnavailable);
}

TEST_F(TlsTest, DataBeforeTheEndIsNotLostInAPause) {
  ASSERT_FALSE(connect());
  client_->pause_reading();
  accepted_->write(std::string(300'000, 'x'));
  accepted_->shutdown_write();
  loop_.advance(milliseconds(10));
  EXPECT_EQ(received_, "");
  client_->resume_reading();
  loop_.advance(milliseconds(10));
  EXPECT_EQ(received_.size(), 300'000U);
  ASSERT_TRUE(client_end_);
  EXPECT_TRUE(client_end_->ok());
}

TEST_F(TlsTest, EncryptionStaysOnlyALittleAheadOfTheSocket) {
  ASSERT_FALSE(connect());
  client_->pause_reading();
  accepted_->write(std::string(5'000'000, 'x'));
  loop_.advance(milliseconds(10));
  EXPECT_GT(accepted_->queued_bytes(), 4'000'000U);
  EXPECT_LT(accepted_->queued_bytes(), 5'100'000U);
  client_->resume_reading();
  loop_.advance(milliseconds(10));
  EXPECT_EQ(received_.size(), 5'000'000U);
}

}  // namespace
}  // namespace margay::loop
