#include "datastore/server/protobuf_body.h"

#include <gtest/gtest.h>

#include "base/json/value.h"

namespace margay::server {
namespace {

// A length-delimited field of a number below 16 and a content shorter than 128 bytes.
std::string field(int number, const std::string& content) {
  std::string out;
  out.push_back(static_cast<char>(number << 3 | 2));
  out.push_back(static_cast<char>(content.size()));
  return out + content;
}

std::string body(const std::string& api_version, const std::string& kind, const std::string& raw) {
  return std::string("k8s\0", 4) + field(1, field(1, api_version) + field(2, kind)) + field(2, raw);
}

TEST(ProtobufBody, NamespaceAsKubectlSendsIt) {
  const std::string meta =
      field(1, "shop") + field(2, "") + field(11, field(1, "team") + field(2, "a")) + field(8, std::string());
  const auto object = parse_protobuf_body(body("v1", "Namespace", field(1, meta) + field(2, "") + field(3, "")));
  ASSERT_TRUE(object.ok()) << object.error().message;
  EXPECT_EQ(
      json::dump(*object),
      R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","labels":{"team":"a"}},"spec":{},"status":{}})");
}

TEST(ProtobufBody, SecretDataIsBase64InJson) {
  const std::string raw =
      field(1, field(1, "s")) + field(2, field(1, "password") + field(2, "hunter2")) + field(3, "Opaque");
  const auto object = parse_protobuf_body(body("v1", "Secret", raw));
  ASSERT_TRUE(object.ok()) << object.error().message;
  EXPECT_EQ(object->string_at({"data", "password"}), "aHVudGVyMg==");
  EXPECT_EQ(object->string_at({"type"}), "Opaque");
}

TEST(ProtobufBody, OtherKindsAreUnsupported) {
  EXPECT_EQ(parse_protobuf_body(body("v1", "Pod", "")).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(parse_protobuf_body(body("apps/v1", "Namespace", "")).error().code, ErrorCode::kUnsupported);
}

TEST(ProtobufBody, WhatIsNotUnderstoodIsRefusedNotDropped) {
  EXPECT_EQ(parse_protobuf_body(body("v1", "Namespace", field(9, "x"))).error().code, ErrorCode::kInvalid);
}

TEST(ProtobufBody, EveryCutInsideAFieldIsAnError) {
  const std::string raw = field(1, field(1, "shop"));
  const std::string whole = body("v1", "Namespace", raw);
  ASSERT_TRUE(parse_protobuf_body(whole).ok());
  const std::size_t without_raw = whole.size() - raw.size() - 2;  // a whole envelope around nothing
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(parse_protobuf_body(std::string_view(whole).substr(0, size)).ok(), size == without_raw) << size;
  }
}

TEST(ProtobufBody, TextThatIsNotUtf8IsRefused) {
  EXPECT_FALSE(parse_protobuf_body(body("v1", "Namespace", field(1, field(1, "\xff")))).ok());
}

}  // namespace
}  // namespace margay::server
