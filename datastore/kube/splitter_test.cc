// NestingScanner, ListSplitter and WatchSplitter against whole-document parsing, with bytes cut anywhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/json/value.h"
#include "datastore/kube/list_splitter.h"
#include "datastore/kube/nesting_scanner.h"
#include "datastore/kube/watch_splitter.h"

namespace margay::kube {
namespace {

// Strings full of what a scanner could trip over.
std::string random_text(Random& random) {
  static constexpr std::string_view kPieces[] = {"{", "}", "[",     "]", "\"", "\\", "\\\\",
                                                 ",", ":", "items", "é", "\n", "ab"};
  std::string text;
  for (std::uint64_t count = random.below(random.below(8) == 0 ? 80 : 6); count > 0; --count) {
    text += kPieces[random.below(std::size(kPieces))];
  }
  return text;
}

json::Value random_value(Random& random, int depth);

json::Value random_object(Random& random, int depth) {
  json::Object object;
  for (std::uint64_t count = random.below(5); count > 0; --count) {
    object[concat(random_text(random), count)] = random_value(random, depth - 1);
  }
  return object;
}

json::Value random_value(Random& random, int depth) {
  switch (random.below(depth > 0 ? 7 : 5)) {
    case 0: return nullptr;
    case 1: return random.below(2) == 0;
    case 2: return static_cast<std::int64_t>(random.next() >> 20);
    case 3: return static_cast<double>(random.below(1000)) / 8;
    case 4: return random_text(random);
    case 5: return random_object(random, depth);
    default: {
      json::Array array;
      for (std::uint64_t count = random.below(4); count > 0; --count) array.push_back(random_value(random, depth - 1));
      return array;
    }
  }
}

std::vector<std::string_view> random_pieces(Random& random, std::string_view text) {
  const std::uint64_t piece_max = random.below(3) == 0 ? 4 : random.below(2) == 0 ? 100 : 100'000;
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    const std::size_t size = std::min<std::size_t>(text.size(), 1 + random.below(piece_max));
    pieces.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return pieces;
}

struct SplitList {
  std::vector<std::string> items;
  Result<json::Value> envelope = invalid("not finished");
};

SplitList split_list(const std::vector<std::string_view>& pieces, SplitLimits limits = {}) {
  ListSplitter splitter(limits);
  SplitList out;
  for (const std::string_view piece : pieces) {
    const std::string copy(piece);  // so that reading a piece after its end is seen by a sanitizer
    splitter.feed(copy);
    while (splitter.next() == ListSplitter::Step::kItem) out.items.emplace_back(splitter.item());
  }
  out.envelope = splitter.finish();
  return out;
}

SplitList split_list(std::string_view text, SplitLimits limits = {}) {
  return split_list(std::vector<std::string_view>{text}, limits);
}

// Indented at random, so that white space stands in every place.
std::string dump_somehow(Random& random, const json::Value& value) {
  return random.below(2) == 0 ? json::dump(value) : json::dump_pretty(value);
}

TEST(NestingScanner, FindsTheEndOfRandomValuesCutAnywhere) {
  SeededRandom random(1);
  for (int round = 0; round < 3000; ++round) {
    const std::string value = dump_somehow(random, random_object(random, 6));
    const std::string_view trimmed = trim(value);
    const std::string text = concat(trimmed, random_text(random), trimmed);
    NestingScanner scanner;
    std::size_t end = 0;
    for (const std::string_view piece : random_pieces(random, text)) {
      const std::size_t found = scanner.scan(piece);
      end += found == NestingScanner::kNotYet ? piece.size() : found;
      if (found != NestingScanner::kNotYet) break;
    }
    ASSERT_EQ(end, trimmed.size()) << "round " << round << ": " << text;
  }
}

TEST(NestingScanner, EscapesAtEveryPlaceOfABlock) {
  for (std::size_t lead = 0; lead < 140; ++lead) {
    for (std::size_t backslashes = 0; backslashes < 7; ++backslashes) {
      const std::string lead_text(lead, 'x');
      const bool is_quote_escaped = backslashes % 2 == 1;
      const std::string value =
          concat("{\"", lead_text, std::string(backslashes, '\\'), "\"", is_quote_escaped ? "}\"" : "", "}");
      ASSERT_EQ(end_of_nested(value + "}]"), value.size()) << value;
      for (std::size_t cut = 1; cut < value.size(); ++cut) {
        NestingScanner scanner;
        ASSERT_EQ(scanner.scan(std::string_view(value).substr(0, cut)), NestingScanner::kNotYet)
            << value << " at " << cut;
        ASSERT_EQ(scanner.scan(std::string_view(value).substr(cut)), value.size() - cut) << value << " at " << cut;
      }
    }
  }
}

TEST(NestingScanner, AMillionLevelsAreNoDanger) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  EXPECT_EQ(end_of_nested(deep), deep.size());
  EXPECT_EQ(end_of_nested(deep.substr(0, deep.size() - 1)), NestingScanner::kNotYet);
}

TEST(ListSplitter, EqualsAWholeParseForRandomListsCutAnywhere) {
  SeededRandom random(2);
  for (int round = 0; round < 2000; ++round) {
    json::Array items;
    for (std::uint64_t count = random.below(6); count > 0; --count) items.push_back(random_object(random, 5));
    json::Object list;
    for (std::uint64_t count = random.below(3); count > 0; --count) {
      list[concat("before", count)] = random_value(random, 4);
    }
    list["items"] = items;
    for (std::uint64_t count = random.below(3); count > 0; --count)
      list[concat("behind", count)] = random_value(random, 4);

    const std::string text = dump_somehow(random, list);
    const SplitList split = split_list(random_pieces(random, text));
    ASSERT_TRUE(split.envelope.ok()) << split.envelope.error().message << "\n" << text;
    ASSERT_EQ(split.items.size(), items.size()) << text;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const auto item = json::parse(split.items[i]);
      ASSERT_TRUE(item.ok()) << item.error().message;
      EXPECT_EQ(*item, items[i]);
    }
    list["items"] = json::Array{};
    EXPECT_EQ(*split.envelope, json::Value(list)) << text;
  }
}

TEST(ListSplitter, AnItemInOnePieceIsNotCopied) {
  const std::string text = R"({"items":[{"a":1},{"b":2}]})";
  ListSplitter splitter;
  splitter.feed(text);
  ASSERT_EQ(splitter.next(), ListSplitter::Step::kItem);
  EXPECT_EQ(splitter.item().data(), text.data() + 10);
  ASSERT_EQ(splitter.next(), ListSplitter::Step::kItem);
  EXPECT_EQ(splitter.item(), R"({"b":2})");
  EXPECT_EQ(splitter.next(), ListSplitter::Step::kNeedBytes);
}

TEST(ListSplitter, MetadataMayStandBehindTheItems) {
  const SplitList split = split_list(R"({"items":[{"a":1}],"metadata":{"resourceVersion":"7"},"kind":"PodList"})");
  ASSERT_TRUE(split.envelope.ok());
  EXPECT_EQ(split.items.size(), 1U);
  EXPECT_EQ(split.envelope->string_at({"metadata", "resourceVersion"}), "7");
  EXPECT_EQ(split.envelope->string_at({"kind"}), "PodList");
}

TEST(ListSplitter, NullItemsAreNone) {
  const SplitList split = split_list(R"({"metadata":{"resourceVersion":"7"},"items":null})");
  EXPECT_TRUE(split.envelope.ok());
  EXPECT_TRUE(split.items.empty());
}

TEST(ListSplitter, ItemsDeeperInsideAreNotMeant) {
  const SplitList split = split_list(R"({"metadata":{"items":[{"a":1}]},"x":"items","items":[{"items":[{}]}]})");
  ASSERT_TRUE(split.envelope.ok()) << split.envelope.error().message;
  ASSERT_EQ(split.items.size(), 1U);
  EXPECT_EQ(split.items[0], R"({"items":[{}]})");
}

struct BadList {
  const char* why;
  const char* text;
  const char* message;
};

TEST(ListSplitter, BadAnswersAreNamed) {
  const std::vector<BadList> cases = {
      {"empty", "", "list answer, byte 0: the answer ends here, before its end"},
      {"web page", "<html>", "list answer, byte 0: expected a list object, found \"<\""},
      {"array", "[{}]", "list answer, byte 0: expected a list object, found an array"},
      {"no list", "{}", "list answer: has no \"items\""},
      {"another object", R"({"kind":"Pod","metadata":{}})", "list answer: has no \"items\""},
      {"items is an object", R"({"items":{"a":1}})",
       "list answer, byte 9: expected an array of items, found an object"},
      {"items is a string", R"({"items":"a"})", "list answer, byte 9: expected an array of items, found a string"},
      {"item is a number", R"({"items":[{},1]})", "list answer, byte 13, items[1]: expected an object, found a number"},
      {"item is a string", R"({"items":["{}"]})", "list answer, byte 10, items[0]: expected an object, found a string"},
      {"no comma", R"({"items":[{}{}]})", "list answer, byte 12, items[1]: expected ',' or ']', found an object"},
      {"two commas", R"({"items":[{},,{}]})", "list answer, byte 13, items[1]: expected an object, found \",\""},
      {"comma at the end", R"({"items":[{},]})", "list answer, byte 13, items[1]: expected an object, found \"]\""},
      {"cut in an item", R"({"items":[{},{"a":)",
       "list answer, byte 18, items[1]: the answer ends here, before its end"},
      {"cut between items", R"({"items":[{},)", "list answer, byte 13, items[1]: the answer ends here, before its end"},
      {"cut behind the items", R"({"items":[{}])", "list answer, byte 13: the answer ends here, before its end"},
      {"cut in a name", R"({"met)", "list answer, byte 5: the answer ends here, before its end"},
      {"bytes behind", R"({"items":[]}{)", "list answer, byte 12: expected the end of the answer, found an object"},
      {"name without quotes", R"({items:[]})", "list answer, byte 1: expected a member name, found \"i\""},
      {"no colon", R"({"items" []})", "list answer, byte 9: expected ':', found an array"},
      {"no value", R"({"kind":,"items":[]})", "list answer, byte 8: expected a value, found \",\""},
  };
  for (const BadList& bad : cases) {
    // In one piece and byte by byte: the same message.
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < std::string_view(bad.text).size(); ++i) bytes.emplace_back(bad.text + i, 1);
    for (const SplitList& split : {split_list(bad.text), split_list(bytes)}) {
      ASSERT_FALSE(split.envelope.ok()) << bad.why;
      EXPECT_EQ(split.envelope.error().message, bad.message) << bad.why;
    }
  }
}

TEST(ListSplitter, AMalformedEnvelopeFailsAtTheEnd) {
  for (const char* text : {R"({"items":[],"items":[]})", R"({"a":1"b":2,"items":[]})", R"({"a":[},"items":[]})",
                           R"({"items":nul})", R"({"a":01,"items":[]})", R"({,"items":[]})"}) {
    const SplitList split = split_list(text);
    ASSERT_FALSE(split.envelope.ok()) << text;
    EXPECT_EQ(split.envelope.error().code, ErrorCode::kInvalid) << text;
  }
}

TEST(ListSplitter, LimitsBoundItemsAndEnvelope) {
  const SplitLimits limits{.item_bytes_max = 100, .envelope_bytes_max = 60};
  const std::string item = concat("{\"a\":\"", std::string(92, 'x'), "\"}");
  ASSERT_EQ(item.size(), 100U);
  const std::string fits = concat("{\"items\":[", item, ",", item, "]}");
  EXPECT_TRUE(split_list(fits, limits).envelope.ok());

  const std::string item_too_large = concat("{\"items\":[", item, ",{\"b\":1,", item.substr(1), "]}");
  const std::string name_too_long = concat("{\"", std::string(70, 'n'), "\":1,\"items\":[]}");
  const std::string metadata_too_large = concat("{\"m\":{\"a\":\"", std::string(70, 'n'), "\"},\"items\":[]}");
  SeededRandom random(3);
  for (int round = 0; round < 50; ++round) {
    const SplitList a = split_list(random_pieces(random, item_too_large), limits);
    ASSERT_FALSE(a.envelope.ok());
    EXPECT_EQ(a.envelope.error().code, ErrorCode::kLimitExceeded);
    EXPECT_NE(a.envelope.error().message.find("items[1]: an item of more than 100 bytes"), std::string::npos);
    for (const std::string& text : {name_too_long, metadata_too_large}) {
      const SplitList b = split_list(random_pieces(random, text), limits);
      ASSERT_FALSE(b.envelope.ok());
      EXPECT_NE(b.envelope.error().message.find("more than 60 bytes beside the items"), std::string::npos);
    }
  }
}

TEST(ListSplitter, AnItemThatNeverEndsIsGivenUpAtTheLimit) {
  ListSplitter splitter;
  splitter.feed("{\"items\":[{\"a\":\"");
  ASSERT_EQ(splitter.next(), ListSplitter::Step::kNeedBytes);
  const std::string megabyte(1024 * 1024, 'x');
  int fed = 0;
  ListSplitter::Step step = ListSplitter::Step::kNeedBytes;
  for (; fed < 100 && step == ListSplitter::Step::kNeedBytes; ++fed) {
    splitter.feed(megabyte);
    step = splitter.next();
  }
  EXPECT_EQ(step, ListSplitter::Step::kError);
  EXPECT_EQ(fed, 10);
  splitter.feed("more");
  EXPECT_EQ(splitter.next(), ListSplitter::Step::kError);
}

TEST(ListSplitter, ChangedBytesNeverCrash) {
  SeededRandom random(4);
  json::Object list;
  list["metadata"] = random_object(random, 4);
  list["items"] = json::Array{random_object(random, 4), random_object(random, 4)};
  const std::string good = json::dump(list);
  for (int round = 0; round < 5000; ++round) {
    std::string bad = good;
    for (std::uint64_t count = 1 + random.below(4); count > 0; --count) {
      bad[random.below(bad.size())] = "{}[]\"\\,:n1 "[random.below(11)];
    }
    bad.resize(random.below(3) == 0 ? random.below(bad.size()) : bad.size());
    const auto whole = json::parse(bad);
    const SplitList split = split_list(random_pieces(random, bad));
    // What the whole parse accepts as a list of objects is accepted here.
    const json::Value* items = whole.ok() ? whole->find("items") : nullptr;
    const bool is_list = items != nullptr && items->as_array() != nullptr &&
                         std::all_of(items->as_array()->begin(), items->as_array()->end(),
                                     [](const json::Value& item) { return item.as_object() != nullptr; });
    if (is_list) {
      EXPECT_TRUE(split.envelope.ok()) << split.envelope.error().message << "\n" << bad;
    }
  }
}

struct SplitWatch {
  std::vector<std::pair<std::string, std::string>> events;
  Status end = ok_status();
};

SplitWatch split_watch(const std::vector<std::string_view>& pieces, std::size_t event_bytes_max = 1024 * 1024) {
  WatchSplitter splitter(event_bytes_max);
  SplitWatch out;
  for (const std::string_view piece : pieces) {
    const std::string copy(piece);
    splitter.feed(copy);
    while (splitter.next() == WatchSplitter::Step::kEvent) {
      out.events.emplace_back(splitter.event().type, splitter.event().object);
    }
  }
  out.end = splitter.finish();
  return out;
}

TEST(WatchSplitter, EqualsAWholeParseForRandomEventsCutAnywhere) {
  SeededRandom random(5);
  static constexpr std::string_view kTypes[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};
  static constexpr std::string_view kSeparators[] = {"", "\n", "\r\n", " \n\n "};
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::pair<std::string, json::Value>> events;
    std::string text;
    for (std::uint64_t count = random.below(6); count > 0; --count) {
      const std::string type(kTypes[random.below(std::size(kTypes))]);
      json::Value object = random_object(random, 4);
      json::Object event;
      if (random.below(3) == 0) event["object"] = object;
      event["type"] = type;
      if (random.below(4) == 0) event["extra"] = random_value(random, 3);
      event["object"] = object;
      text += dump_somehow(random, event);
      text += kSeparators[random.below(std::size(kSeparators))];
      events.emplace_back(type, std::move(object));
    }
    const SplitWatch split = split_watch(random_pieces(random, text));
    ASSERT_TRUE(split.end.ok()) << split.end.error().message << "\n" << text;
    ASSERT_EQ(split.events.size(), events.size()) << text;
    for (std::size_t i = 0; i < events.size(); ++i) {
      EXPECT_EQ(split.events[i].first, events[i].first);
      EXPECT_EQ(*json::parse(split.events[i].second), events[i].second);
    }
  }
}

TEST(WatchSplitter, BadAnswersAreNamed) {
  const std::string good = R"({"type":"ADDED","object":{}})";
  const std::vector<BadList> cases = {
      {"web page", "<html>", "watch answer, event 1: expected an object, found \"<\""},
      {"array", "[]", "watch answer, event 1: expected an object, found \"[\""},
      {"cut", R"({"type":"ADDED","obj)", "watch answer, event 1: the answer ends inside it"},
      {"no type", R"({"object":{}})", "watch answer, event 1: has no \"type\""},
      {"no object", R"({"type":"ADDED"})", "watch answer, event 1: has no \"object\""},
      {"type is a number", R"({"type":1,"object":{}})", "watch answer, event 1: \"type\" is not a name"},
      {"type is empty", R"({"type":"","object":{}})", "watch answer, event 1: \"type\" is not a name"},
      {"object is null", R"({"type":"ADDED","object":null})", "watch answer, event 1: \"object\" is not an object"},
      {"two types", R"({"type":"ADDED","type":"X","object":{}})", "watch answer, event 1: has two members \"type\""},
      {"two objects", R"({"type":"A","object":{},"object":{}})", "watch answer, event 1: has two members \"object\""},
      {"no colon", R"({"type" "ADDED"})", "watch answer, event 1: is not well formed"},
      {"brackets cross", R"({"type":"ADDED","object":{}])", "watch answer, event 1: is not well formed"},
  };
  for (const BadList& bad : cases) {
    const std::string text = good + bad.text;
    const SplitWatch split = split_watch({text});
    EXPECT_EQ(split.events.size(), 1U) << bad.why;
    ASSERT_FALSE(split.end.ok()) << bad.why;
    EXPECT_EQ(split.end.error().message, bad.message) << bad.why;
  }
}

TEST(WatchSplitter, AnEventOverTheLimitIsGivenUp) {
  const std::string text = concat(R"({"type":"ADDED","object":{"a":")", std::string(2000, 'x'), "\"}}");
  SeededRandom random(6);
  for (int round = 0; round < 20; ++round) {
    const SplitWatch split = split_watch(random_pieces(random, text), 1000);
    ASSERT_FALSE(split.end.ok());
    EXPECT_EQ(split.end.error().code, ErrorCode::kLimitExceeded);
    EXPECT_EQ(split.end.error().message, "watch answer, event 0: has more than 1000 bytes");
  }
}

TEST(WatchSplitter, ChangedBytesNeverCrash) {
  SeededRandom random(7);
  const std::string good = R"({"type":"ADDED","object":{"a":"\"}","b":[1,{}]}})"
                           "\n"
                           R"({"type":"DELETED","object":{"c":"\\"}})";
  for (int round = 0; round < 5000; ++round) {
    std::string bad = good;
    for (std::uint64_t count = 1 + random.below(4); count > 0; --count) {
      bad[random.below(bad.size())] = "{}[]\"\\,:n1 "[random.below(11)];
    }
    const SplitWatch split = split_watch(random_pieces(random, bad));
    for (const auto& [type, object] : split.events) {
      EXPECT_FALSE(type.empty());
      EXPECT_EQ(object.front(), '{');
    }
  }
}

}  // namespace
}  // namespace margay::kube
