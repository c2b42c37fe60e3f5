#include "datastore/store/etcd_codec.h"

#include "base/core/base64.h"
#include "base/json/value.h"
#include "gtest/gtest.h"

namespace margay::store::etcd {
namespace {

std::string b64(std::string_view text) { return base64_encode(text); }

TEST(EtcdCodec, RangeEndIsTheFirstKeyBehindThePrefix) {
  EXPECT_EQ(range_end("/a/"), "/a0");
  EXPECT_EQ(range_end(std::string("a\xff\xff")), "b");
  EXPECT_EQ(range_end("\xff"), std::string(1, '\0'));
}

TEST(EtcdCodec, PutComparesBeforeItWrites) {
  EXPECT_EQ(encode_put("/k", "v", {Precondition::Kind::kAbsent, 0}),
            "{\"compare\":[{\"key\":\"L2s=\",\"target\":\"CREATE\",\"result\":\"EQUAL\",\"create_revision\":\"0\"}],"
            "\"success\":[{\"request_put\":{\"key\":\"L2s=\",\"value\":\"dg==\"}}],"
            "\"failure\":[{\"request_range\":{\"key\":\"L2s=\",\"keys_only\":true}}]}");
  EXPECT_NE(encode_put("/k", "v", {Precondition::Kind::kRevision, 7})
                .find("\"target\":\"MOD\",\"result\":\"EQUAL\",\"mod_revision\":\"7\""),
            std::string::npos);
  EXPECT_NE(encode_remove("/k", 9).find("\"request_delete_range\":{\"key\":\"L2s=\"}"), std::string::npos);
}

TEST(EtcdCodec, RangeReplyIsRead) {
  const auto reply =
      decode_range("{\"header\":{\"revision\":\"12\"},\"kvs\":[{\"key\":\"" + b64("/a") +
                   "\",\"mod_revision\":\"5\",\"value\":\"" + b64("x\ny") + "\"}],\"more\":true,\"count\":\"3\"}");
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->revision, 12U);
  EXPECT_EQ(reply->count, 3U);
  ASSERT_EQ(reply->entries.size(), 1U);
  EXPECT_EQ(reply->entries[0].key, "/a");
  EXPECT_EQ(*reply->entries[0].value, "x\ny");
  EXPECT_EQ(reply->entries[0].revision, 5U);
}

TEST(EtcdCodec, AnswersThatAreNoneAreUnavailable) {
  for (const char* body : {"", "{", "[]", "{}", "null", "{\"header\":{\"revision\":\"x\"}}", "<html>"}) {
    EXPECT_EQ(decode_range(body).error().code, ErrorCode::kUnavailable) << body;
    EXPECT_EQ(decode_txn(body).error().code, ErrorCode::kUnavailable) << body;
  }
}

TEST(EtcdCodec, WatchRepliesAreToldApart) {
  const auto created = decode_watch("{\"result\":{\"header\":{\"revision\":\"9\"},\"created\":true}}");
  EXPECT_TRUE(created->is_created);
  EXPECT_EQ(created->revision, 9U);
  const auto canceled = decode_watch("{\"result\":{\"header\":{},\"canceled\":true,\"compact_revision\":\"526\"}}");
  EXPECT_TRUE(canceled->is_canceled);
  EXPECT_EQ(canceled->compacted, 526U);
  EXPECT_EQ(decode_watch("{\"error\":{\"message\":\"lost\"}}").error().message, "etcd: lost");
  const auto events = decode_watch(
      "{\"result\":{\"header\":{\"revision\":\"9\"},\"events\":["
      "{\"kv\":{\"key\":\"L2E=\",\"mod_revision\":\"8\",\"value\":\"MQ==\"}},"
      "{\"type\":\"DELETE\",\"kv\":{\"key\":\"L2E=\",\"mod_revision\":\"9\"},"
      "\"prev_kv\":{\"key\":\"L2E=\",\"value\":\"MQ==\"}}]}}");
  ASSERT_EQ(events->changes.size(), 2U);
  EXPECT_EQ(*events->changes[0].value, "1");
  EXPECT_EQ(events->changes[0].previous, nullptr);
  EXPECT_EQ(events->changes[1].value, nullptr);
  EXPECT_EQ(*events->changes[1].previous, "1");
  EXPECT_EQ(events->changes[1].revision, 9U);
}

TEST(EtcdCodec, ErrorsSayWhatToDoNext) {
  struct Case {
    int status;
    const char* body;
    ErrorCode code;
  };
  for (const Case& c :
       {Case{400, "{\"message\":\"mvcc: required revision has been compacted\",\"code\":11}", ErrorCode::kGone},
        Case{503, "{\"message\":\"no leader\",\"code\":14}", ErrorCode::kUnavailable},
        Case{429, "too many", ErrorCode::kUnavailable},
        Case{400, "{\"message\":\"etcdserver: request is too large\",\"code\":3}", ErrorCode::kLimitExceeded},
        Case{401, "", ErrorCode::kPermissionDenied}, Case{404, "page not found", ErrorCode::kInternal}})
    EXPECT_EQ(decode_error(c.status, c.body).code, c.code) << c.body;
}

}  // namespace
}  // namespace margay::store::etcd
