// Every transition of the reflector, as tables of inputs and what comes out.
#include "datastore/watch/reflector.h"

#include <gtest/gtest.h>

#include "base/core/text.h"

namespace margay::watch {
namespace {

using kube::ApiError;
using std::chrono::milliseconds;
using std::chrono::seconds;
using EventKind = kube::WatchEvent::Kind;
using Texts = std::vector<std::string>;

std::string describe_output(const Output& output) {
  struct {
    std::string operator()(const StartList& list) const {
      return concat("list version=", list.options.resource_version, " limit=", list.options.limit,
                    " continue=", list.options.continue_token);
    }
    std::string operator()(const StartWatch& watch) const { return concat("watch ", watch.options.resource_version); }
    std::string operator()(const Wait&) const { return "wait"; }
    std::string operator()(const Put&) const { return "put"; }
    std::string operator()(const Remove& remove) const { return concat("remove ", remove.name.name); }
    std::string operator()(const InSync&) const { return "in sync"; }
    std::string operator()(const Report& report) const {
      return concat("report ", report.error.message, report.is_relist ? ", list again" : "");
    }
  } text;
  return std::visit(text, output);
}

ApiError error(ErrorCode code, int status = 0, std::string message = "e") {
  ApiError out;
  out.code = code;
  out.http_status = status;
  out.message = std::move(message);
  return out;
}

Listed listed(std::string name, std::string version, bool is_valid = true) {
  return {.name = {"", std::move(name)}, .version = std::move(version), .is_valid = is_valid};
}
ListDone page(std::string version, std::string continue_token = "") {
  return {.meta = {.resource_version = std::move(version), .continue_token = std::move(continue_token)}};
}
Watched event(EventKind kind, std::string name, std::string version, bool is_valid = true) {
  return {.kind = kind, .name = {"", std::move(name)}, .version = std::move(version), .is_valid = is_valid};
}

struct ReflectorTest : testing::Test {
  Texts step(const Input& input) {
    Texts texts;
    last_wait = Duration::zero();
    for (const Output& output : reflector->step(input, now)) {
      texts.push_back(describe_output(output));
      if (const auto* wait = std::get_if<Wait>(&output)) last_wait = wait->duration;
    }
    return texts;
  }
  // In sync at version 10 with a at 5 and b at 7, watching.
  void begin() {
    step(Start{});
    step(listed("a", "5"));
    step(listed("b", "7"));
    step(page("10"));
    ASSERT_EQ(reflector->state(), Reflector::State::kWatching);
  }

  SeededRandom random{1};
  std::optional<Reflector> reflector{std::in_place, ReflectorConfig{}, random};
  TimePoint now{seconds(1000)};
  Duration last_wait{};
};

TEST_F(ReflectorTest, ListsThenWatchesFromTheListsVersion) {
  EXPECT_EQ(step(Start{}), Texts{"list version=0 limit=500 continue="});
  EXPECT_EQ(step(listed("a", "5")), Texts{"put"});
  EXPECT_EQ(step(page("10", "c")), Texts{"list version= limit=500 continue=c"});
  EXPECT_EQ(step(listed("b", "7")), Texts{"put"});
  EXPECT_FALSE(reflector->is_in_sync());
  EXPECT_EQ(step(page("10")), (Texts{"in sync", "watch 10"}));
  EXPECT_TRUE(reflector->is_in_sync());
  EXPECT_EQ(reflector->known_count(), 2U);
}

TEST_F(ReflectorTest, TheFirstListCanBeOfTheMostRecentState) {
  Reflector strict({.label_selector = "a=b", .field_selector = "c=d", .first_version = "", .page_size = 2}, random);
  const Outputs outputs = strict.step(Start{}, now);
  const auto& options = std::get<StartList>(outputs.at(0)).options;
  EXPECT_EQ(options.resource_version, "");
  EXPECT_EQ(options.limit, 2);
  EXPECT_EQ(options.label_selector, "a=b");
  EXPECT_EQ(options.field_selector, "c=d");
  const Outputs next = strict.step(page("1", "token"), now);
  EXPECT_EQ(std::get<StartList>(next.at(0)).options.label_selector, "a=b");
  const Outputs watch = strict.step(page("1"), now);
  const auto& watch_options = std::get<StartWatch>(watch.at(1)).options;
  EXPECT_EQ(watch_options.label_selector, "a=b");
  EXPECT_EQ(watch_options.field_selector, "c=d");
  EXPECT_TRUE(watch_options.allow_bookmarks);
  EXPECT_GE(watch_options.server_timeout, Duration(std::chrono::minutes(5)));
  EXPECT_LE(watch_options.server_timeout, Duration(std::chrono::minutes(10)));
}

struct Transition {
  const char* why;
  std::vector<Input> before;  // after begin()
  Input input;
  Texts outputs;
  const char* version;  // afterwards
};

TEST_F(ReflectorTest, EventsOfAWatch) {
  const std::vector<Transition> cases = {
      {"a new object", {}, event(EventKind::kAdded, "c", "11"), {"put"}, "11"},
      {"a change", {}, event(EventKind::kModified, "a", "11"), {"put"}, "11"},
      {"a deletion", {}, event(EventKind::kDeleted, "a", "11"), {"remove a"}, "11"},
      {"a deletion with the object's last version", {}, event(EventKind::kDeleted, "a", "5"), {"remove a"}, "10"},
      {"a bookmark", {}, event(EventKind::kBookmark, "", "15"), {}, "15"},
      {"an older bookmark", {}, event(EventKind::kBookmark, "", "9"), {}, "10"},
      {"a change of what is not known", {}, event(EventKind::kModified, "c", "11"), {"put"}, "11"},
      {"an addition of what is known", {}, event(EventKind::kAdded, "a", "11"), {"put"}, "11"},
      {"a deletion of what is not known", {}, event(EventKind::kDeleted, "c", "11"), {}, "11"},
      {"the same event again",
       {event(EventKind::kModified, "a", "11")},
       event(EventKind::kModified, "a", "11"),
       {},
       "11"},
      {"what the list had already", {}, event(EventKind::kAdded, "a", "5"), {}, "10"},
      {"an older event of another object", {}, event(EventKind::kAdded, "c", "9"), {}, "10"},
      {"an older event of a deleted object",
       {event(EventKind::kDeleted, "a", "12")},
       event(EventKind::kModified, "a", "11"),
       {},
       "12"},
      {"an older deletion of an object that is back",
       {event(EventKind::kDeleted, "a", "11"), event(EventKind::kAdded, "a", "12")},
       event(EventKind::kDeleted, "a", "11"),
       {},
       "12"},
      {"two objects changed at one version",
       {event(EventKind::kModified, "a", "11")},
       event(EventKind::kModified, "b", "11"),
       {"put"},
       "11"},
      {"versions are numbers, not texts",
       {event(EventKind::kModified, "a", "99")},
       event(EventKind::kModified, "a", "100"),
       {"put"},
       "100"},
      {"no object in this version", {}, event(EventKind::kModified, "a", "11", false), {"remove a"}, "11"},
      {"still none",
       {event(EventKind::kModified, "a", "11", false)},
       event(EventKind::kModified, "a", "12", false),
       {},
       "12"},
      {"a good one again",
       {event(EventKind::kModified, "a", "11", false)},
       event(EventKind::kModified, "a", "12"),
       {"put"},
       "12"},
      {"a bad one goes",
       {event(EventKind::kModified, "a", "11", false)},
       event(EventKind::kDeleted, "a", "12"),
       {},
       "12"},
      {"a new one that is bad", {}, event(EventKind::kAdded, "c", "11", false), {}, "11"},
  };
  for (const Transition& c : cases) {
    reflector.emplace(ReflectorConfig{}, random);
    begin();
    for (const Input& input : c.before) step(input);
    EXPECT_EQ(step(c.input), c.outputs) << c.why;
    EXPECT_EQ(reflector->version(), c.version) << c.why;
    EXPECT_EQ(reflector->state(), Reflector::State::kWatching) << c.why;
  }
}

TEST_F(ReflectorTest, VersionsThatAreNoNumbersComeInOrder) {
  step(Start{});
  step(listed("a", "x"));
  EXPECT_EQ(step(page("y")), (Texts{"in sync", "watch y"}));
  EXPECT_EQ(step(event(EventKind::kModified, "a", "x")), Texts{}) << "known";
  EXPECT_EQ(step(event(EventKind::kModified, "a", "w")), Texts{"put"});
  EXPECT_EQ(reflector->version(), "w");
  EXPECT_EQ(step(event(EventKind::kDeleted, "a", "v")), Texts{"remove a"});
}

TEST_F(ReflectorTest, WithoutVersionsEveryEventIsNews) {
  begin();
  EXPECT_EQ(step(event(EventKind::kModified, "a", "")), Texts{"put"});
  EXPECT_EQ(step(event(EventKind::kModified, "a", "")), Texts{"put"});
  EXPECT_EQ(reflector->version(), "10");
}

TEST(Version, NumbersHaveAnOrderOtherTextsOnlyEquality) {
  EXPECT_TRUE(Version("9").is_older_than(Version("10")));
  EXPECT_FALSE(Version("10").is_older_than(Version("10")));
  EXPECT_FALSE(Version("11").is_older_than(Version("10")));
  EXPECT_TRUE(Version("0").is_older_than(Version("18446744073709551615")));
  for (const char* text : {"", "x", "010", "-1", "1a", "18446744073709551616", "1 "}) {
    EXPECT_FALSE(Version(text).is_older_than(Version("99"))) << text;
    EXPECT_FALSE(Version("1").is_older_than(Version(text))) << text;
    EXPECT_EQ(Version(text), Version(text));
    EXPECT_NE(Version(text), Version("1"));
    EXPECT_NE(Version(text), Version("y"));
  }
  EXPECT_NE(Version("0"), Version(""));
}

TEST_F(ReflectorTest, WhatVanishedWhileAwayIsRemovedAfterAWholeList) {
  begin();
  EXPECT_EQ(step(WatchFailed{error(ErrorCode::kGone, 410)}), (Texts{"report e, list again", "wait"}));
  EXPECT_EQ(step(TimerFired{}), Texts{"list version= limit=500 continue="}) << "the most recent state";
  EXPECT_EQ(step(listed("a", "5")), Texts{}) << "unchanged";
  EXPECT_EQ(step(page("20", "more")), Texts{"list version= limit=500 continue=more"});
  EXPECT_EQ(step(listed("c", "15")), Texts{"put"});
  EXPECT_EQ(step(page("20")), (Texts{"remove b", "watch 20"})) << "in sync is said once";
  EXPECT_EQ(reflector->known_count(), 2U);
}

TEST_F(ReflectorTest, AListThatFailsInTheMiddleRemovesNothing) {
  begin();
  step(WatchFailed{error(ErrorCode::kGone, 410)});
  step(TimerFired{});
  EXPECT_EQ(step(ListFailed{error(ErrorCode::kUnavailable)}), (Texts{"report e, list again", "wait"}));
  EXPECT_EQ(reflector->known_count(), 2U);
  EXPECT_EQ(step(TimerFired{}), Texts{"list version= limit=500 continue="});
  EXPECT_EQ(step(listed("a", "5")), Texts{});
  EXPECT_EQ(step(listed("b", "8")), Texts{"put"});
  EXPECT_EQ(step(page("20")), Texts{"watch 20"});
}

TEST_F(ReflectorTest, AListWithAnItemNobodyCanReadRemovesNothing) {
  begin();
  step(WatchFailed{error(ErrorCode::kGone, 410)});
  step(TimerFired{});
  EXPECT_EQ(step(ListedUnreadable{}), Texts{});
  EXPECT_EQ(step(listed("a", "6")), Texts{"put"});
  EXPECT_EQ(step(page("20")), Texts{"watch 20"}) << "it may be b";
  EXPECT_EQ(reflector->known_count(), 2U);
  step(WatchFailed{error(ErrorCode::kGone, 410)});
  step(TimerFired{});
  EXPECT_EQ(step(page("21")), (Texts{"remove a", "remove b", "watch 21"}));
}

TEST_F(ReflectorTest, AFirstListThatFailedAfterAnItemIsFollowedByARecentOne) {
  step(Start{});
  step(ListFailed{error(ErrorCode::kUnavailable)});
  EXPECT_EQ(step(TimerFired{}), Texts{"list version=0 limit=500 continue="}) << "nothing was handed over yet";
  step(listed("a", "5"));
  step(ListFailed{error(ErrorCode::kUnavailable)});
  EXPECT_EQ(step(TimerFired{}), Texts{"list version= limit=500 continue="}) << "version 0 may show an older a";
}

TEST_F(ReflectorTest, AnExpiredContinueTokenMakesTheNextListWhole) {
  step(Start{});
  step(listed("a", "5"));
  step(page("10", "c"));
  EXPECT_EQ(step(ListFailed{error(ErrorCode::kGone, 410)}), (Texts{"report e, list again", "wait"}));
  EXPECT_EQ(step(TimerFired{}), Texts{"list version= limit=0 continue="});
  step(listed("a", "5"));
  EXPECT_EQ(step(page("11")), (Texts{"in sync", "watch 11"}));
  step(WatchFailed{error(ErrorCode::kGone, 410)});
  EXPECT_EQ(step(TimerFired{}), Texts{"list version= limit=500 continue="}) << "pages again";
}

TEST_F(ReflectorTest, PagesOfDifferentVersionsAreNoSnapshot) {
  step(Start{});
  step(page("10", "c"));
  EXPECT_EQ(step(page("11")),
            (Texts{"report the list's pages have different resourceVersions, 10 and 11, list again", "wait"}));
  EXPECT_EQ(step(TimerFired{}), Texts{"list version=0 limit=0 continue="});
  EXPECT_EQ(step(page("12")), (Texts{"in sync", "watch 12"}));
}

TEST_F(ReflectorTest, AListWithoutVersionIsAFailure) {
  step(Start{});
  EXPECT_EQ(step(page("")), (Texts{"report the list has no resourceVersion, list again", "wait"}));
  EXPECT_FALSE(reflector->is_in_sync());
}

TEST_F(ReflectorTest, HowAWatchEndsDecidesWhatFollows) {
  struct Case {
    const char* why;
    Input end;
    Duration after;
    bool had_event;
    Texts outputs;
    Texts then;  // after the wait
  };
  const Texts watch_again = {"watch 10"};
  const Texts list_again = {"list version= limit=500 continue="};
  const std::vector<Case> cases = {
      {"its time was over", WatchDone{}, seconds(300), false, {"watch 10"}, {}},
      {"over at once, but it was of use", WatchDone{}, seconds(0), true, {"watch 11"}, {}},
      {"over at once",
       WatchDone{},
       seconds(0),
       false,
       {"report the server ended the watch at once", "wait"},
       watch_again},
      {"connection lost",
       WatchFailed{error(ErrorCode::kUnavailable)},
       seconds(60),
       false,
       {"report e", "wait"},
       watch_again},
      {"timed out", WatchFailed{error(ErrorCode::kTimeout)}, seconds(60), false, {"report e", "wait"}, watch_again},
      {"throttled",
       WatchFailed{error(ErrorCode::kUnavailable, 429)},
       seconds(0),
       false,
       {"report e", "wait"},
       watch_again},
      {"server error",
       WatchFailed{error(ErrorCode::kUnavailable, 500)},
       seconds(0),
       false,
       {"report e", "wait"},
       watch_again},
      {"forbidden",
       WatchFailed{error(ErrorCode::kPermissionDenied, 403)},
       seconds(0),
       false,
       {"report e", "wait"},
       watch_again},
      {"history gone",
       WatchFailed{error(ErrorCode::kGone, 410)},
       seconds(0),
       false,
       {"report e, list again", "wait"},
       list_again},
      {"not to be read",
       WatchFailed{error(ErrorCode::kInvalid)},
       seconds(9),
       false,
       {"report e, list again", "wait"},
       list_again},
      {"event too large",
       WatchFailed{error(ErrorCode::kLimitExceeded)},
       seconds(9),
       false,
       {"report e, list again", "wait"},
       list_again},
  };
  for (const Case& c : cases) {
    reflector.emplace(ReflectorConfig{}, random);
    begin();
    if (c.had_event) step(event(EventKind::kAdded, "c", "11"));
    now += c.after;
    EXPECT_EQ(step(c.end), c.outputs) << c.why;
    if (!c.then.empty()) {
      EXPECT_GE(last_wait, Duration(milliseconds(200))) << c.why;
      EXPECT_EQ(step(TimerFired{}), c.then) << c.why;
    }
  }
}

TEST_F(ReflectorTest, AServerThatKeepsRefusingToWatchIsListedAgain) {
  begin();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(step(WatchFailed{error(ErrorCode::kUnavailable, 504)}), (Texts{"report e", "wait"}));
    EXPECT_EQ(step(TimerFired{}), Texts{"watch 10"});
  }
  EXPECT_EQ(step(WatchFailed{error(ErrorCode::kUnavailable, 504)}), (Texts{"report e, list again", "wait"}))
      << "restored from a backup, it may never reach our version";
  EXPECT_EQ(step(TimerFired{}), Texts{"list version= limit=500 continue="});
  EXPECT_EQ(step(listed("a", "2")), Texts{"put"}) << "what a recent list says counts, even if it seems older";
  EXPECT_EQ(step(page("3")), (Texts{"remove b", "watch 3"}));
  EXPECT_EQ(step(event(EventKind::kModified, "a", "4")), Texts{"put"});
}

TEST_F(ReflectorTest, LostConnectionsAloneNeverListAgain) {
  begin();
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(step(WatchFailed{error(ErrorCode::kUnavailable)}), (Texts{"report e", "wait"}));
    EXPECT_EQ(step(TimerFired{}), Texts{"watch 10"});
  }
}

TEST_F(ReflectorTest, BackoffGrowsWithJitterToItsLimitAndStartsOverAfterAGoodWatch) {
  begin();
  std::vector<Duration> waits;
  for (int i = 0; i < 40; ++i) {
    step(WatchFailed{error(ErrorCode::kUnavailable)});
    waits.push_back(last_wait);
    step(TimerFired{});
  }
  Duration top = milliseconds(200);
  for (std::size_t i = 0; i < waits.size(); ++i) {
    top = std::min<Duration>(top * 2, seconds(30));
    EXPECT_GE(waits[i], Duration(milliseconds(200)));
    EXPECT_LE(waits[i], top);
  }
  EXPECT_GT(*std::max_element(waits.begin(), waits.end()), Duration(seconds(20)));
  EXPECT_NE(waits[38], waits[39]);

  now += seconds(5);
  step(WatchFailed{error(ErrorCode::kUnavailable)});
  EXPECT_LE(last_wait, Duration(milliseconds(400)));
}

TEST_F(ReflectorTest, RetryAfterIsTheLeastWait) {
  step(Start{});
  ApiError throttled = error(ErrorCode::kUnavailable, 429);
  throttled.retry_after = seconds(45);
  step(ListFailed{throttled});
  EXPECT_EQ(last_wait, Duration(seconds(45)));
}

TEST_F(ReflectorTest, InputsThatComeLateAreIgnored) {
  const std::vector<Input> all = {listed("z", "99"),
                                  ListedUnreadable{},
                                  page("99"),
                                  ListFailed{error(ErrorCode::kGone)},
                                  event(EventKind::kAdded, "z", "99"),
                                  WatchDone{},
                                  WatchFailed{error(ErrorCode::kGone)},
                                  TimerFired{}};
  for (const Input& input : all) EXPECT_EQ(step(input), Texts{}) << "before the start";
  step(Start{});
  EXPECT_EQ(step(Start{}), Texts{});
  EXPECT_EQ(step(event(EventKind::kAdded, "z", "99")), Texts{}) << "while listing";
  EXPECT_EQ(step(WatchDone{}), Texts{});
  EXPECT_EQ(step(TimerFired{}), Texts{});
  step(page("10"));
  EXPECT_EQ(step(listed("z", "99")), Texts{}) << "while watching";
  EXPECT_EQ(step(page("99")), Texts{});
  EXPECT_EQ(step(TimerFired{}), Texts{});
  step(WatchFailed{error(ErrorCode::kUnavailable)});
  EXPECT_EQ(step(event(EventKind::kAdded, "z", "99")), Texts{}) << "while waiting";
  EXPECT_EQ(step(WatchDone{}), Texts{});
  EXPECT_EQ(reflector->known_count(), 0U);
}

TEST_F(ReflectorTest, IsNewsSparesTheDecodingOfWhatIsKnown) {
  begin();
  EXPECT_FALSE(reflector->is_news({"", "a"}, "5"));
  EXPECT_TRUE(reflector->is_news({"", "a"}, "6"));
  EXPECT_TRUE(reflector->is_news({"", "c"}, "5"));
  EXPECT_TRUE(reflector->is_news({"", "a"}, "")) << "without a version nothing can be said";
}

}  // namespace
}  // namespace margay::watch
