// Certificates that are rotated while a client runs: real ones, made on the spot, in real files.
#include "datastore/kube/tls_source.h"

#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/file/temp_dir.h"
#include "base/http/server.h"
#include "base/loop/sim_loop.h"
#include "base/loop/sim_network.h"
#include "base/loop/test_certificates.h"
#include "base/telemetry/capture_sink.h"
#include "datastore/kube/kubeconfig.h"
#include "datastore/kube/make_client.h"
#include "gtest/gtest.h"

namespace margay::kube {
namespace {

using loop::TestAuthority;
using std::chrono::seconds;

constexpr const char* kKubeconfig = R"(
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:6443', certificate-authority: ca.pem}}]
users: [{name: u, user: {client-certificate: client.pem, client-key: client.key}}]
)";

class TlsRotation : public testing::Test {
 protected:
  TlsRotation() {
    put("kubeconfig", kKubeconfig);
    put("ca.pem", first_.ca_pem());
    put_user(first_.issue({.common_name = "before"}));
    serve(first_, first_);
  }

  void put(const std::string& name, const std::string& text) {
    ASSERT_TRUE(file::write_file_atomically(dir_.at(name), text).ok());
  }
  void put_user(const TestAuthority::Issued& user) {
    put("client.pem", user.certificate_pem);
    put("client.key", user.key_pem);
  }
  // A server whose certificate is of one authority and which demands clients of another.
  void serve(const TestAuthority& own, const TestAuthority& clients) {
    server_.reset();
    server_ = http::make_server(
        loop_, network_, {}, [](http::Request, const http::PeerInfo& peer, std::unique_ptr<http::Responder> responder) {
          http::Response response;
          response.body = peer.certificate ? peer.certificate->common_name : "nobody";
          responder->send(std::move(response));
        });
    const TestAuthority::Issued issued = own.issue({});
    const loop::TlsServerConfig tls{issued.certificate_pem, issued.key_pem, clients.ca_pem()};
    ASSERT_TRUE(server_->listen(*loop::Endpoint::parse("tcp://127.0.0.1:6443"), &tls).ok());
  }
  void make_client() {
    const auto config = choose_connection({.kubeconfig = dir_.at("kubeconfig")}, {});
    ASSERT_TRUE(config.ok()) << config.error().message;
    ClientOptions options;
    options.retry.attempts_max = 1;
    options.log = telemetry::Logger(output_);
    client_ = kube::make_client(loop_, network_, random_, *config, options);
  }
  // Who the server says we are on a connection of its own, or the error.
  std::string who() {
    loop_.advance(seconds(70));  // earlier connections are given up
    std::string told = "no answer";
    const auto call = client_->get_path(
        "/", [&](ApiResult<std::string> body) { told = body.ok() ? *body : concat("error: ", body.error().message); });
    loop_.advance(seconds(70));
    return told;
  }

  TestAuthority first_{"first authority"};
  TestAuthority second_{"second authority"};
  file::TempDir dir_ = file::TempDir::make().value();
  loop::SimLoop loop_;
  loop::SimNetwork network_{loop_, 1};
  SeededRandom random_{1};
  telemetry::CaptureSink sink_;
  telemetry::LogOutput output_{sink_, telemetry::no_clock, telemetry::Level::kInfo};
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(TlsRotation, NewCertificateIsShownOnTheNextConnection) {
  make_client();
  EXPECT_EQ(who(), "before");
  put_user(first_.issue({.common_name = "after"}));
  EXPECT_EQ(who(), "after");
  EXPECT_TRUE(sink_.has("TLS files read again"));
}

TEST_F(TlsRotation, NewAuthorityIsTrustedOnTheNextConnection) {
  make_client();
  EXPECT_EQ(who(), "before");
  serve(second_, first_);
  EXPECT_NE(who().find("certificate"), std::string::npos) << "not trusted yet";
  put("ca.pem", second_.ca_pem());
  EXPECT_EQ(who(), "before");
}

TEST_F(TlsRotation, BrokenFilesLeaveTheOldOnesInUseWithAWarning) {
  make_client();
  EXPECT_EQ(who(), "before");
  put("client.pem", "-----BEGIN CERTIFICATE-----\nhalf");
  EXPECT_EQ(who(), "before");
  EXPECT_TRUE(sink_.has("cannot be used"));
  put("ca.pem", "");
  EXPECT_EQ(who(), "before") << "an empty file is not the system's trust";
  ASSERT_EQ(::unlink(dir_.at("client.key").c_str()), 0);
  EXPECT_EQ(who(), "before");
  EXPECT_TRUE(sink_.has("cannot be read"));
  const std::size_t warnings = sink_.lines().size();
  EXPECT_EQ(who(), "before");
  EXPECT_EQ(sink_.lines().size(), warnings) << "once for each change";
  put("ca.pem", first_.ca_pem());
  put_user(first_.issue({.common_name = "after"}));
  EXPECT_EQ(who(), "after");
}

TEST_F(TlsRotation, HalfOfANewPairWaitsForTheOtherHalf) {
  make_client();
  const TestAuthority::Issued next = first_.issue({.common_name = "after"});
  put("client.pem", next.certificate_pem);
  EXPECT_EQ(who(), "before");
  put("client.key", next.key_pem);
  EXPECT_EQ(who(), "after");
}

TEST_F(TlsRotation, InlineCertificatesStay) {
  int readings = 0;
  loop::TlsClientConfig tls;
  tls.ca_pem = first_.ca_pem();
  TlsSource source(
      tls, {}, [&](const std::string&) { return ++readings, Result<std::string>(std::string()); }, {}, TimePoint());
  EXPECT_EQ(source.current(TimePoint(seconds(100)))->ca_pem, first_.ca_pem());
  EXPECT_EQ(readings, 0);
}

}  // namespace
}  // namespace margay::kube
