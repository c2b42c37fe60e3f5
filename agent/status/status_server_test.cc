#include "agent/status/status_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/text.h"
#include "base/file/file.h"
#include "base/file/temp_dir.h"
#include "base/http/client.h"
#include "base/loop/sim_loop.h"
#include "base/loop/sim_network.h"
#include "base/loop/test_certificates.h"

namespace margay::status {
namespace {

using ::testing::HasSubstr;

class StatusServerTest : public ::testing::Test {
 protected:
  StatusServerTest() {
    settings.process.health_host = "localhost";
    settings.process.prometheus_metrics_host = "127.0.0.1";
  }

  void apply() {
    server.apply(settings);
    loop.run_until_idle();
  }
  void enable(std::uint16_t health_port, std::uint16_t metrics_port) {
    settings.process.health_enabled = true;
    settings.process.health_port = Port(health_port);
    settings.process.prometheus_metrics_enabled = true;
    settings.process.prometheus_metrics_port = Port(metrics_port);
    apply();
  }
  // "200 body", or "no connection".
  std::string get(const std::string& endpoint, const std::string& target, const std::string& method = "GET") {
    http::ClientConfig config{.endpoint = *loop::Endpoint::parse(endpoint), .tls = {}, .host_header = "node"};
    const auto client = http::make_client(loop, network, std::move(config));
    std::string answer;
    bool is_over = false;
    const auto exchange =
        client->start({.method = method, .target = target, .headers = {}, .body = ""}, {},
                      {.on_head = [&](const http::ResponseHead& head) { answer = concat(head.status, " "); },
                       .on_body = [&](std::string_view bytes) { answer += bytes; },
                       .on_done =
                           [&](const Status& outcome) {
                             if (!outcome.ok()) answer = "no connection";
                             is_over = true;
                           }});
    loop.run_until([&] { return is_over; }, std::chrono::seconds(20));
    return answer;
  }

  loop::SimLoop loop;
  loop::SimNetwork network{loop, 1};
  Health health{loop};
  telemetry::Registry registry;
  int scrapes = 0;
  config::Settings settings;
  StatusServer server{{loop, network}, health, registry, [this] { ++scrapes; }};
};

TEST_F(StatusServerTest, ProbesAnswer) {
  const Heartbeat heartbeat = health.heartbeat("control");
  const Readiness datastore = health.readiness("datastore");
  enable(9099, 9091);
  EXPECT_EQ(get("tcp://127.0.0.1:9099", "/livez"), "200 ok\n");
  EXPECT_EQ(get("tcp://127.0.0.1:9099", "/liveness"), "200 ok\n");
  EXPECT_EQ(get("tcp://127.0.0.1:9099", "/readyz"),
            "503 [+]control ok\n[-]datastore failed: not reported yet\nreadyz check failed\n");
  datastore.set(true, "12 kinds");
  heartbeat.beat(loop.now());
  EXPECT_EQ(get("tcp://127.0.0.1:9099", "/readiness"), "200 ok\n");
  EXPECT_EQ(get("tcp://127.0.0.1:9099", "/readyz?verbose"),
            "200 [+]control ok\n[+]datastore ok: 12 kinds\nreadyz check passed\n");
  EXPECT_THAT(get("tcp://127.0.0.1:9099", "/"), HasSubstr("404"));
  EXPECT_THAT(get("tcp://127.0.0.1:9099", "/livez", "POST"), HasSubstr("405"));
}

TEST_F(StatusServerTest, MetricsAreRenderedWhenAskedFor) {
  registry.gauge({"margay_test", "A test.", ""}).set(7);
  enable(9099, 9091);
  EXPECT_THAT(get("tcp://127.0.0.1:9091", "/metrics"), HasSubstr("margay_test 7"));
  EXPECT_EQ(scrapes, 1);
  EXPECT_THAT(get("tcp://127.0.0.1:9091", "/"), HasSubstr("404"));
}

TEST_F(StatusServerTest, NothingListensUnlessItIsAskedFor) {
  apply();
  EXPECT_EQ(get("tcp://127.0.0.1:9099", "/livez"), "no connection");
  EXPECT_FALSE(server.health_server().listening());
}

TEST_F(StatusServerTest, PlacesChangeWhileItRuns) {
  enable(9099, 9091);
  EXPECT_EQ(get("tcp://127.0.0.1:9099", "/livez"), "200 ok\n");
  enable(9199, 9091);
  EXPECT_EQ(get("tcp://127.0.0.1:9099", "/livez"), "no connection");
  EXPECT_EQ(get("tcp://127.0.0.1:9199", "/livez"), "200 ok\n");
  settings.process.health_enabled = false;
  apply();
  EXPECT_EQ(get("tcp://127.0.0.1:9199", "/livez"), "no connection");
  EXPECT_THAT(get("tcp://127.0.0.1:9091", "/metrics"), HasSubstr("200"));
  loop.advance(std::chrono::seconds(10));
}

TEST_F(StatusServerTest, ATakenPortIsTriedAgain) {
  auto other = http::make_server(loop, network, {}, [](http::Request, const http::PeerInfo&, auto) {});
  ASSERT_TRUE(other->listen(*loop::Endpoint::parse("tcp://127.0.0.1:9099"), nullptr).ok());
  settings.process.health_host = "127.0.0.1";
  enable(9099, 9091);
  EXPECT_FALSE(server.health_server().listening());
  EXPECT_NE(server.health_server().last_error(), "");
  other.reset();
  loop.advance(std::chrono::seconds(6));
  EXPECT_EQ(get("tcp://127.0.0.1:9099", "/livez"), "200 ok\n");
  EXPECT_EQ(server.health_server().last_error(), "");
}

TEST_F(StatusServerTest, TimeoutsComeFromTheSettings) {
  const Heartbeat dataplane = health.heartbeat("dataplane"), bgp = health.heartbeat("bgp");
  settings.process.dataplane_watchdog_timeout = std::chrono::seconds(3);
  settings.process.health_timeout_overrides = {{"bgp", std::chrono::seconds(5)}};
  apply();
  loop.advance(std::chrono::seconds(4));
  bgp.beat(loop.now());
  EXPECT_FALSE(health.liveness().is_ok);
  settings.process.health_timeout_overrides = {{"dataplane", std::chrono::seconds(60)}};
  apply();
  EXPECT_TRUE(health.liveness().is_ok);
}

TEST_F(StatusServerTest, TlsIsNeverLeftOutByMistake) {
  file::TempDir directory = std::move(file::TempDir::make()).value();
  const auto identity = loop::TestAuthority("metrics").issue({});
  ASSERT_TRUE(file::write_file_atomically(directory.at("cert"), identity.certificate_pem).ok());
  ASSERT_TRUE(file::write_file_atomically(directory.at("key"), identity.key_pem).ok());
  auto& process = settings.process;
  process.prometheus_metrics_cert_file = directory.at("cert");
  enable(9099, 9091);
  EXPECT_FALSE(server.metrics_server().listening()) << "a certificate without its key";
  process.prometheus_metrics_key_file = directory.at("key");
  process.prometheus_metrics_client_auth = "RequireAndVerifyClientCert";
  apply();
  EXPECT_FALSE(server.metrics_server().listening()) << "nobody to check clients with";
  EXPECT_THAT(server.metrics_server().last_error(), HasSubstr("no authority"));
  process.prometheus_metrics_client_auth = "NoClientCert";
  apply();
  EXPECT_TRUE(server.metrics_server().listening());
}

TEST_F(StatusServerTest, CertificatesThatCannotBeReadAreTriedAgain) {
  file::TempDir directory = std::move(file::TempDir::make()).value();
  settings.process.prometheus_metrics_cert_file = directory.path() + "/cert";
  settings.process.prometheus_metrics_key_file = directory.path() + "/key";
  enable(9099, 9091);
  EXPECT_FALSE(server.metrics_server().listening());
  EXPECT_THAT(server.metrics_server().last_error(), HasSubstr(directory.path()));
  settings.process.prometheus_metrics_cert_file.clear();
  settings.process.prometheus_metrics_key_file.clear();
  apply();
  EXPECT_THAT(get("tcp://127.0.0.1:9091", "/metrics"), HasSubstr("200"));
}

}  // namespace
}  // namespace margay::status
