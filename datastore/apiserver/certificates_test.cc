#include "datastore/apiserver/certificates.h"

#include <string>
#include <utility>

#include "base/file/file.h"
#include "base/file/temp_dir.h"
#include "base/loop/test_certificates.h"
#include "base/telemetry/capture_sink.h"
#include "gtest/gtest.h"

namespace margay::apiserver {
namespace {

using loop::TestAuthority;
using std::chrono::seconds;

class CertificatesTest : public testing::Test {
 protected:
  CertificatesTest() {
    put("ca", authority_.ca_pem());
    put_server(authority_.issue({}));
  }
  void put(const std::string& name, const std::string& text) {
    ASSERT_TRUE(file::write_file_atomically(dir_.at(name), text).ok());
  }
  void put_server(const TestAuthority::Issued& issued) {
    put("cert", issued.certificate_pem);
    put("key", issued.key_pem);
  }
  Result<std::unique_ptr<Certificates>> read() {
    return Certificates::read({dir_.at("cert"), dir_.at("key"), dir_.at("ca")}, telemetry::Logger(output_), now_);
  }
  std::string next_certificate(Certificates& certificates) {
    now_ += seconds(1);
    return certificates.renew(now_)->certificate_pem;
  }

  TestAuthority authority_{"an authority"};
  file::TempDir dir_ = file::TempDir::make().value();
  TimePoint now_{};
  telemetry::CaptureSink sink_;
  telemetry::LogOutput output_{sink_, telemetry::no_clock, telemetry::Level::kInfo};
};

TEST_F(CertificatesTest, FollowTheirFiles) {
  auto certificates = read();
  ASSERT_TRUE(certificates.ok()) << certificates.error().message;
  Certificates& kept = **certificates;
  EXPECT_EQ(kept.settings()->client_ca_pem, authority_.ca_pem());
  EXPECT_TRUE(kept.settings()->is_client_certificate_optional);
  int changes = 0;
  kept.set_on_changed([&] { ++changes; });
  const auto first = kept.settings();
  now_ += seconds(1);
  EXPECT_EQ(kept.renew(now_), first) << "the same settings, not equal ones: nothing is made anew";
  const TestAuthority::Issued next = authority_.issue({});
  put("cert", next.certificate_pem);
  EXPECT_EQ(next_certificate(kept), first->certificate_pem) << "the key is still the old one";
  EXPECT_TRUE(sink_.has("cannot be used"));
  put("key", next.key_pem);
  EXPECT_EQ(next_certificate(kept), next.certificate_pem);
  EXPECT_EQ(changes, 1);
  const TestAuthority other("another authority");
  put("ca", other.ca_pem());
  EXPECT_EQ(next_certificate(kept), next.certificate_pem);
  EXPECT_EQ(kept.settings()->client_ca_pem, other.ca_pem());
  EXPECT_EQ(changes, 2);
}

TEST_F(CertificatesTest, WhatIsBrokenLeavesTheLastGoodOnes) {
  auto certificates = read();
  ASSERT_TRUE(certificates.ok());
  const auto good = (*certificates)->settings();
  for (const char* broken : {"nonsense", "", "-----BEGIN CERTIFICATE-----\n"}) {
    put("cert", broken);
    EXPECT_EQ(next_certificate(**certificates), good->certificate_pem) << broken;
  }
  put_server(authority_.issue({}));
  put("ca", "");
  EXPECT_EQ(next_certificate(**certificates), good->certificate_pem);
  EXPECT_TRUE(sink_.has("authorities is empty"));
}

TEST_F(CertificatesTest, AtTheStartEveryMistakeIsAnError) {
  put("ca", "");
  EXPECT_FALSE(read().ok());
  put("ca", "nonsense");
  EXPECT_FALSE(read().ok());
  put("ca", authority_.ca_pem());
  ASSERT_TRUE(read().ok());
  put("key", authority_.issue({}).key_pem);
  EXPECT_FALSE(read().ok()) << "not this certificate's";
  EXPECT_FALSE(Certificates::read({dir_.at("cert"), dir_.at("nowhere"), ""}, {}, now_).ok());
}

}  // namespace
}  // namespace margay::apiserver
