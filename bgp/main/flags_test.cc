#include "bgp/main/flags.h"

#include <gmock/gmock.h>

namespace margay::bgpd {
namespace {

using testing::HasSubstr;
using Mode = Flags::Mode;

ParsedFlags parse(const std::vector<std::string>& words) { return parse_flags(words); }

TEST(Flags, Modes) {
  EXPECT_EQ(parse({"--config", "f"}).flags.mode, Mode::kRun);
  EXPECT_EQ(parse({"--config=f", "--check"}).flags.mode, Mode::kCheck);
  EXPECT_EQ(parse({"--socket", "s", "--reload"}).flags.mode, Mode::kReload);
  EXPECT_EQ(parse({"show", "peers"}).flags.what, "peers");
  EXPECT_EQ(parse({"--show", "routes"}).flags.what, "routes");
  const Flags flags = parse({"--socket", "s", "show", "routes", "--peer", "10.0.0.1", "--in", "-o", "json"}).flags;
  EXPECT_TRUE(flags.in && flags.json);
  EXPECT_EQ(flags.peer, "10.0.0.1");
  EXPECT_EQ(flags.socket, "s");
}

TEST(Flags, HelpAndVersionAreNoErrors) {
  EXPECT_EQ(parse({"--help"}).kind, ParsedFlags::Kind::kPrintAndExit);
  EXPECT_THAT(parse({"--version"}).text, HasSubstr("margay-bgpd"));
}

TEST(Flags, WrongUsageIsTold) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{}, "--config is needed"},
      {{"--config"}, "--config needs a value"},
      {{"--config", "f", "--check=yes"}, "--check takes no value"},
      {{"--colour"}, "unknown option \"--colour\""},
      {{"show"}, "peers or routes"},
      {{"show", "things"}, "unexpected \"things\""},
      {{"show", "routes", "--in"}, "need --peer"},
      {{"show", "routes", "--peer", "10.0.0.1", "--in", "--out"}, "exclude each other"},
      {{"show", "routes", "--peer", "x"}, "--peer"},
      {{"show", "peers", "-o", "xml"}, "neither json nor table"},
      {{"reset"}, "needs --peer"},
      {{"--config", "f", "--log-level", "loud"}, "--log-level"},
  };
  for (const auto& [words, message] : cases) {
    const ParsedFlags parsed = parse(words);
    EXPECT_EQ(parsed.kind, ParsedFlags::Kind::kUsageError) << message;
    EXPECT_THAT(parsed.text, HasSubstr(message));
  }
}

}  // namespace
}  // namespace margay::bgpd
