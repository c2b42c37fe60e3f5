#include "base/http/codec.h"

#include <string>

#include "base/core/text.h"
#include "base/http/head_reader.h"
#include "gtest/gtest.h"

namespace margay::http {
namespace {

// Feeds a head in pieces of this size; what follows it is left in `rest`.
HeadReader::State feed(HeadReader& reader, std::string_view text, std::size_t piece, std::string& rest) {
  auto state = HeadReader::State::kMore;
  while (!text.empty() && state == HeadReader::State::kMore) {
    std::string_view bytes = text.substr(0, piece);
    text.remove_prefix(bytes.size());
    state = reader.take(bytes);
    rest = concat(bytes, text);
  }
  return state;
}

TEST(HeadReader, TakesTheHeadAndNoByteMoreHoweverItArrives) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n";
  const std::string text = concat(head, "body\r\n\r\n");
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    HeadReader reader(1000);
    std::string rest;
    ASSERT_EQ(feed(reader, text, piece, rest), HeadReader::State::kComplete) << piece;
    EXPECT_EQ(reader.text(), head);
    EXPECT_EQ(rest, "body\r\n\r\n");
  }
}

TEST(HeadReader, SkipsAFewEmptyLinesFirst) {
  std::string rest;
  HeadReader reader(1000);
  EXPECT_EQ(feed(reader, "\r\n\r\nGET / HTTP/1.0\r\n\r\n", 3, rest), HeadReader::State::kComplete);
  EXPECT_EQ(reader.text(), "GET / HTTP/1.0\r\n\r\n");
  HeadReader other(1000);
  EXPECT_EQ(feed(other, "\r\n\r\n\r\n\r\n\r\n\r\n\r\n", 3, rest), HeadReader::State::kMalformed);
}

TEST(HeadReader, RefusesBareLineFeedsAndContinuedFields) {
  for (const char* bad :
       {"GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\n\r\n", "\n", "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n"}) {
    for (const std::size_t piece : {1U, 2U, 100U}) {
      HeadReader reader(1000);
      std::string rest;
      EXPECT_EQ(feed(reader, bad, piece, rest), HeadReader::State::kMalformed) << quoted(bad) << piece;
    }
  }
}

TEST(HeadReader, HasALimit) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const std::size_t piece : {1U, 5U, 100U}) {
    std::string rest;
    HeadReader exact(head.size());
    EXPECT_EQ(feed(exact, head, piece, rest), HeadReader::State::kComplete);
    HeadReader tight(head.size() - 1);
    EXPECT_EQ(feed(tight, head, piece, rest), HeadReader::State::kTooLarge);
    HeadReader endless(100);
    EXPECT_EQ(feed(endless, std::string(1000, 'a'), piece, rest), HeadReader::State::kTooLarge);
  }
}

TEST(HeadReader, CanBeUsedAgain) {
  HeadReader reader(100);
  std::string rest;
  EXPECT_EQ(feed(reader, "A\r\n\r\n", 2, rest), HeadReader::State::kComplete);
  reader.reset();
  EXPECT_FALSE(reader.has_begun());
  EXPECT_EQ(feed(reader, "B\r\n\r\n", 2, rest), HeadReader::State::kComplete);
  EXPECT_EQ(reader.text(), "B\r\n\r\n");
}

TEST(RequestHead, IsRead) {
  const auto parsed = parse_request_head(
      "PATCH /apis/x?y=%20z HTTP/1.1\r\nHost: h:1\r\nContent-Length: 12\r\nX-Odd:\t v w \t\r\nExpect: "
      "100-Continue\r\n\r\n");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->request.method, "PATCH");
  EXPECT_EQ(parsed->request.target, "/apis/x?y=%20z");
  EXPECT_EQ(parsed->request.headers.get("x-odd"), "v w");
  EXPECT_EQ(parsed->framing, (Framing{Framing::Kind::kLength, 12}));
  EXPECT_TRUE(parsed->is_keep_alive);
  EXPECT_TRUE(parsed->expects_continue);
}

TEST(RequestHead, TellsWhetherTheConnectionStays) {
  struct Case {
    const char* head;
    bool is_keep_alive;
  };
  const Case cases[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: y , close\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed, x-close\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: ,, ,\r\n\r\n", true},
      {"GET / HTTP/1.0\r\nConnection: x\r\nConnection: Keep-Alive\r\n\r\n", true},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false},
      {"GET / HTTP/1.0\r\n\r\n", false},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
  };
  for (const Case& each : cases) {
    const auto parsed = parse_request_head(each.head);
    ASSERT_TRUE(parsed.ok()) << each.head;
    EXPECT_EQ(parsed->is_keep_alive, each.is_keep_alive) << each.head;
  }
}

TEST(RequestHead, TargetBecomesOriginForm) {
  const auto target_of = [](std::string_view target, std::string_view method) {
    const auto parsed = parse_request_head(concat(method, ' ', target, " HTTP/1.1\r\nHost: a\r\n\r\n"));
    return parsed.ok() ? parsed->request.target : concat("refused ", parsed.error().status);
  };
  EXPECT_EQ(target_of("http://host:80/a?b", "GET"), "/a?b");
  EXPECT_EQ(target_of("HTTP://host", "GET"), "/");
  EXPECT_EQ(target_of("http://host?q", "GET"), "/?q");
  EXPECT_EQ(target_of("*", "OPTIONS"), "*");
  EXPECT_EQ(target_of("*", "GET"), "refused 400");
  EXPECT_EQ(target_of("host:443", "CONNECT"), "refused 400");
  EXPECT_EQ(target_of("a", "GET"), "refused 400");
}

TEST(RequestHead, RefusesWhatCouldBeReadInTwoWays) {
  struct Case {
    const char* why;
    const char* lines;
    int status;
  };
  const Case cases[] = {
      {"length and chunked", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", 400},
      {"chunked and length", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 400},
      {"two lengths", "Content-Length: 3\r\nContent-Length: 4\r\n", 400},
      {"two lengths in one", "Content-Length: 3, 4\r\n", 400},
      {"length with sign", "Content-Length: +3\r\n", 400},
      {"negative length", "Content-Length: -3\r\n", 400},
      {"hexadecimal length", "Content-Length: 0x3\r\n", 400},
      {"empty length", "Content-Length:\r\n", 400},
      {"length over 2^64", "Content-Length: 18446744073709551616\r\n", 400},
      {"other coding", "Transfer-Encoding: gzip\r\n", 501},
      {"coding before chunked", "Transfer-Encoding: gzip, chunked\r\n", 501},
      {"chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
      {"chunked in quotes", "Transfer-Encoding: \"chunked\"\r\n", 501},
      {"chunked with a tail", "Transfer-Encoding: chunked;x\r\n", 501},
      {"chunked, identity", "Transfer-Encoding: chunked, identity\r\n", 501},
      {"blank before the colon", "Content-Length : 3\r\n", 400},
      {"no colon", "Content-Length\r\n", 400},
      {"no name", ": 3\r\n", 400},
      {"NUL in a value", nullptr, 400},
      {"CR in a value", "X: a\rb\r\n", 400},
      {"second host", "Host: b\r\n", 400},
      {"unknown expectation", "Expect: 200-ok\r\n", 417},
  };
  for (const Case& each : cases) {
    const std::string lines = each.lines == nullptr ? std::string("X: a\0b\r\n", 8) : each.lines;
    const auto parsed = parse_request_head(concat("POST / HTTP/1.1\r\nHost: a\r\n", lines, "\r\n"));
    ASSERT_FALSE(parsed.ok()) << each.why;
    EXPECT_EQ(parsed.error().status, each.status) << each.why;
  }
}

TEST(RequestHead, RefusesBadStartLines) {
  struct Case {
    const char* line;
    int status;
  };
  const Case cases[] = {
      {"GET / HTTP/2.0", 505},    {"GET / HTTP/1.2", 505}, {"GET /", 400},
      {"GET  / HTTP/1.1", 400},   {"/ HTTP/1.1", 400},     {"GE(T / HTTP/1.1", 400},
      {"GET /a b HTTP/1.1", 505}, {"GET / http/1.1", 505}, {"GET /\x01 HTTP/1.1", 400},
      {"PRI * HTTP/2.0", 505},    {"\x16\x03\x01", 400},   {"GET / HTTP/1.1 ", 505},
  };
  for (const Case& each : cases) {
    const auto parsed = parse_request_head(concat(each.line, "\r\nHost: a\r\n\r\n"));
    ASSERT_FALSE(parsed.ok()) << each.line;
    EXPECT_EQ(parsed.error().status, each.status) << quoted(each.line) << parsed.error().message;
  }
  EXPECT_FALSE(parse_request_head("GET / HTTP/1.1\r\n\r\n").ok()) << "1.1 needs Host";
  EXPECT_FALSE(parse_request_head("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").ok());
  EXPECT_TRUE(parse_request_head("GET / HTTP/1.0\r\n\r\n").ok());
}

TEST(ResponseHead, TellsTheBodysFraming) {
  struct Case {
    const char* head;
    const char* method;
    Framing framing;
    bool is_keep_alive;
  };
  using Kind = Framing::Kind;
  const Case cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "GET", {Kind::kLength, 5}, true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", {Kind::kNone, 0}, true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", "GET", {Kind::kChunked, 0}, true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n", "GET", {Kind::kChunked, 0}, false},
      {"HTTP/1.1 200 OK\r\n\r\n", "GET", {Kind::kUntilClose, 0}, false},
      {"HTTP/1.1 200 OK\r\n\r\n", "HEAD", {Kind::kNone, 0}, true},
      {"HTTP/1.1 204 No Content\r\n\r\n", "DELETE", {Kind::kNone, 0}, true},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", "GET", {Kind::kNone, 0}, true},
      {"HTTP/1.1 100 Continue\r\n\r\n", "PUT", {Kind::kNone, 0}, true},
      {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", "GET", {Kind::kLength, 5}, false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n\r\n", "GET", {Kind::kLength, 5}, true},
      {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "GET", {Kind::kLength, 0}, true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: a\r\nConnection: b, close\r\n\r\n",
       "GET",
       {Kind::kLength, 0},
       false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: not-close\r\n\r\n", "GET", {Kind::kLength, 0}, true},
      {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: a\r\nConnection: keep-alive\r\n\r\n",
       "GET",
       {Kind::kLength, 0},
       true},
      {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive, close\r\n\r\n",
       "GET",
       {Kind::kLength, 0},
       false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", "GET", {Kind::kLength, 5}, true},
  };
  for (const Case& each : cases) {
    const auto parsed = parse_response_head(each.head, each.method);
    ASSERT_TRUE(parsed.ok()) << each.head << parsed.error().message;
    EXPECT_EQ(parsed->framing, each.framing) << each.method << ' ' << each.head;
    EXPECT_EQ(parsed->is_keep_alive, each.is_keep_alive) << each.head;
  }
}

TEST(ResponseHead, RefusesWhatIsNotHttp) {
  for (const char* bad :
       {"HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 020 OK\r\n\r\n", "HTTP/1.1 000 OK\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n", "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: br\r\n\r\n", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad field\r\n\r\n", "\x15\x03\x01\r\n\r\n"}) {
    const auto parsed = parse_response_head(bad, "GET");
    ASSERT_FALSE(parsed.ok()) << bad;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalid);
  }
}

TEST(FormatRequest, WritesFramingItself) {
  Request request{.method = "POST", .target = "/a", .headers = {}, .body = "12345"};
  request.headers.add("Accept", "*/*");
  request.headers.add("content-length", "999");
  request.headers.add("Transfer-Encoding", "chunked");
  request.headers.add("Connection", "upgrade");
  EXPECT_EQ(format_request_head(request, "host:1").value(),
            "POST /a HTTP/1.1\r\nHost: host:1\r\nAccept: */*\r\nContent-Length: 5\r\n\r\n");
  request = {.method = "GET", .target = "/", .headers = {}, .body = {}};
  request.headers.add("Host", "mine");
  EXPECT_EQ(format_request_head(request, "host").value(), "GET / HTTP/1.1\r\nHost: mine\r\n\r\n");
  request = {.method = "PUT", .target = "/", .headers = {}, .body = {}};
  EXPECT_NE(format_request_head(request, "host")->find("Content-Length: 0\r\n"), std::string::npos);
}

TEST(FormatRequest, RefusesToWriteADifferentMessage) {
  const auto is_refused = [](std::string method, std::string target, std::string name, std::string value) {
    Request request{.method = std::move(method), .target = std::move(target), .headers = {}, .body = {}};
    request.headers.add(std::move(name), std::move(value));
    return !format_request_head(request, "h").ok();
  };
  EXPECT_FALSE(is_refused("GET", "/", "A", "b"));
  EXPECT_TRUE(is_refused("GE T", "/", "A", "b"));
  EXPECT_TRUE(is_refused("", "/", "A", "b"));
  EXPECT_TRUE(is_refused("GET", "/a b", "A", "b"));
  EXPECT_TRUE(is_refused("GET", "/\r\nX: y", "A", "b"));
  EXPECT_TRUE(is_refused("GET", "", "A", "b"));
  EXPECT_TRUE(is_refused("GET", "/", "A b", "b"));
  EXPECT_TRUE(is_refused("GET", "/", "A", "b\r\nC: d"));
  EXPECT_TRUE(is_refused("GET", "/", "A", std::string("\0", 1)));
}

TEST(FormatResponse, LeavesOutWhatWouldBreakIt) {
  ResponseHead head{.status = 200, .headers = {}};
  head.headers.add("Content-Type", "a/b");
  head.headers.add("X", "1\r\nY: 2");
  head.headers.add("Content-Length", "7");
  EXPECT_EQ(format_response_head(head, {Framing::Kind::kLength, 3}, true),
            "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(format_response_head({404, {}}, {Framing::Kind::kChunked, 0}, false),
            "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
}

TEST(FormatResponse, ReadsBack) {
  for (const int status : {200, 201, 204, 304, 404, 500, 599}) {
    const std::string text = format_response_head({status, {}}, {}, true);
    const auto parsed = parse_response_head(text, "GET");
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(parsed->head.status, status);
  }
}

TEST(FormatChunk, SizeIsHexadecimal) {
  EXPECT_EQ(format_chunk_size(1), "1\r\n");
  EXPECT_EQ(format_chunk_size(255), "ff\r\n");
  EXPECT_EQ(format_chunk_size(0x1234abcd), "1234abcd\r\n");
}

}  // namespace
}  // namespace margay::http
