#include "ctl/command/parse.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "ctl/command/commands.h"
#include "ctl/command/nearest.h"
#include "gtest/gtest.h"

namespace margay::command {
namespace {

std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> out;
  for (const std::string_view word : split(line, ' ')) {
    if (!word.empty()) out.emplace_back(word);
  }
  return out;
}

// "get [ippool,x] all-namespaces=true output=yaml": the command, its arguments, the flags in order of name.
std::string shown(const Invocation& invocation) {
  std::string out = concat(invocation.command().word, " [", join(invocation.arguments, ","), "]");
  for (const auto& [name, values] : invocation.given) out.append(concat(" ", name, "=", join(values, "|")));
  return invocation.wants_help ? out + " help" : out;
}

std::string parsed(std::string_view line) {
  const std::vector<std::string> split_line = words(line);
  const auto result = parse(root(), split_line);
  return result.ok() ? shown(*result) : "error: " + result.error().message;
}

struct Case {
  const char* why;
  const char* line;
  const char* expected;
};

TEST(Parse, AcceptsEveryWayToWriteAFlag) {
  const Case cases[] = {
      {"no flags", "get ippool", "get [ippool]"},
      {"value in the next word", "get ippool -o yaml", "get [ippool] output=yaml"},
      {"value behind the letter", "get ippool -oyaml", "get [ippool] output=yaml"},
      {"letter and equals sign", "get ippool -o=yaml", "get [ippool] output=yaml"},
      {"long with equals sign", "get ippool --output=yaml", "get [ippool] output=yaml"},
      {"long with next word", "get ippool --output yaml", "get [ippool] output=yaml"},
      {"value with equals signs", "get x -o=jsonpath={.a==b}", "get [x] output=jsonpath={.a==b}"},
      {"flag before the argument", "get -o yaml ippool", "get [ippool] output=yaml"},
      {"global flag before the command", "-n ns1 get ippool", "get [ippool] namespace=ns1"},
      {"global flag behind it", "get ippool -n ns1", "get [ippool] namespace=ns1"},
      {"letters in a group", "get np -Aw", "get [np] all-namespaces=true watch=true"},
      {"group that ends in a value", "apply -Rf dir", "apply [] filename=dir recursive=true"},
      {"calicoctl's letter", "get np -a", "get [np] all-namespaces=true"},
      {"long alias", "apply --file x", "apply [] filename=x"},
      {"calicoctl's name of a flag", "delete -f x --skip-not-exists", "delete [] filename=x ignore-not-found=true"},
      {"its letter", "delete -s ippool a", "delete [ippool,a] ignore-not-found=true"},
      {"several files", "apply -f a -f b --filename=c", "apply [] filename=a|b|c"},
      {"standard input", "apply -f -", "apply [] filename=-"},
      {"a dash is an argument", "get -", "get [-]"},
      {"switch turned off", "get x --watch=false", "get [x] watch=false"},
      {"choice without value", "apply -f x --dry-run", "apply [] dry-run=client filename=x"},
      {"choice with value", "apply -f x --dry-run=server", "apply [] dry-run=server filename=x"},
      {"nothing behind -- is a flag", "get -- -o --x", "get [-o,--x]"},
      {"level by repetition", "get x -vvv", "get [x] verbose=3"},
      {"level apart", "-v get x -v", "get [x] verbose=2"},
      {"level by number", "get x -v=6", "get [x] verbose=6"},
      {"level without equals sign", "get x -v6", "get [x] verbose=6"},
      {"level as kubectl's --v", "get x --v=4", "get [x] verbose=4"},
      {"second word of a command", "kinds", "api-resources []"},
      {"label that is removed", "label node a rack-", "label [node,a,rack-]"},
      {"config as calicoctl names it", "get x -c /etc/a", "get [x] kubeconfig=/etc/a"},
      {"help", "get --help", "get [] help"},
      {"help by letter, arguments missing", "patch -h", "patch [] help"},
      {"help of netctl itself", "--help", "netctl [] help"},
  };
  for (const Case& c : cases) EXPECT_EQ(parsed(c.line), c.expected) << c.why;
}

TEST(Parse, RejectsWithWhatWasFoundAndWhatIsAllowed) {
  const Case cases[] = {
      {"nothing", "", "error: no command given"},
      {"unknown command", "frobnicate", "error: unknown command \"frobnicate\""},
      {"near command", "aply -f x", "error: unknown command \"aply\"; did you mean \"apply\"?"},
      {"case does not matter for the guess", "GTE x", "error: unknown command \"GTE\"; did you mean \"get\"?"},
      {"beginning of a command", "valid", "error: unknown command \"valid\"; did you mean \"validate\"?"},
      {"unknown flag", "get x --frob", "error: unknown flag --frob"},
      {"near flag", "get x --ouptut yaml", "error: unknown flag --ouptut; did you mean --output?"},
      {"near global flag", "get x --kubeconfg=a", "error: unknown flag --kubeconfg; did you mean --kubeconfig?"},
      {"unknown letter", "get x -q", "error: unknown flag -q"},
      {"unknown letter in a group", "get x -Aqw", "error: unknown flag -q in -Aqw"},
      {"a long flag behind one dash", "get x -watch", "error: unknown flag -watch; did you mean --watch?"},
      {"the same with a value", "get x -kubeconfig=a",
       "error: unknown flag -kubeconfig=a; did you mean --kubeconfig=a?"},
      {"a long flag whose letter is one too", "get x -output yaml",
       "error: unknown flag -output; did you mean --output?"},
      {"empty namespace",
       "delete x --all --namespace=", "error: flag --namespace has an empty value; NAME is expected"},
      {"empty selector", "delete x -l=", "error: flag --selector has an empty value; SELECTOR is expected"},
      {"empty file name", "apply --filename=", "error: flag --filename has an empty value; FILE is expected"},
      {"flag of another command", "get x --skip-exists", "error: unknown flag --skip-exists"},
      {"no value", "get x -o", "error: flag --output needs a value: FORMAT"},
      {"no value for a long flag", "get x --selector", "error: flag --selector needs a value: SELECTOR"},
      {"given twice", "get x -o yaml -o json", "error: flag --output is given twice"},
      {"switch given twice", "get x -A --all-namespaces", "error: flag --all-namespaces is given twice"},
      {"switch with a value", "get x --watch=yes", "error: flag --watch: \"yes\" is not true or false"},
      {"choice", "patch a b -t jsn", "error: flag --type: \"jsn\" is not one of strategic, merge, json"},
      {"empty choice", "apply -f x --dry-run=", "error: flag --dry-run: \"\" is not one of none, client, server"},
      {"duration", "get x --request-timeout=3x",
       "error: flag --request-timeout: \"3x\" is not a duration such as 30s, 1m30s, 500ms or 2h"},
      {"level", "get x -v=high", "error: flag --verbose: \"high\" is not a number from 0 to 10"},
      {"level too high", "get x -v=11", "error: flag --verbose: \"11\" is not a number from 0 to 10"},
      {"argument missing", "patch", "error: KIND is missing"},
      {"argument too many", "version please", "error: unexpected argument \"please\""},
      {"three arguments for two", "patch a b c", "error: unexpected argument \"c\""},
      {"three dashes", "get ---", "error: unknown flag ---"},
  };
  for (const Case& c : cases) EXPECT_EQ(parsed(c.line), c.expected) << c.why;
}

TEST(Parse, ErrorKnowsTheCommandItHappenedIn) {
  const std::vector<std::string> line{"get", "--frob"};
  const auto result = parse(root(), line);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().path.back()->word, "get");
}

TEST(Parse, FallbacksHoldUntilAFlagIsGiven) {
  const std::vector<std::string> line{"apply", "-f", "a"};
  const auto result = parse(root(), line);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->text("dry-run"), "none");
  EXPECT_EQ(result->text("request-timeout"), "30s");
  EXPECT_EQ(result->text("namespace"), "");
  EXPECT_FALSE(result->is_given("namespace"));
  EXPECT_FALSE(result->is_on("recursive"));
  EXPECT_EQ(result->level("verbose"), 0);
  EXPECT_EQ(result->texts("filename"), std::vector<std::string>{"a"});
}

TEST(ParseDeathTest, AskingForAFlagTheCommandLacksIsAMistakeOfOurs) {
  const std::vector<std::string> line{"version"};
  const auto result = parse(root(), line);
  ASSERT_TRUE(result.ok());
  EXPECT_DEATH((void)result->is_on("watch"), "check failed");
}

TEST(Parse, Timeouts) {
  using namespace std::chrono_literals;
  const std::map<std::string, Duration> good = {{"0", 0s},    {"1", 1s},        {"10", 10s},
                                                {"30s", 30s}, {"1m30s", 90s},   {"500ms", 500ms},
                                                {"2h", 2h},   {"1.5s", 1500ms}, {"1h2m3s", 3723s}};
  for (const auto& [text, expected] : good) {
    const auto result = parse_timeout(text);
    ASSERT_TRUE(result.ok()) << text;
    EXPECT_EQ(*result, expected) << text;
  }
  for (const char* bad : {"", "s", "-1s", "-1", "1d", "10 s", "s10", "1m30", "4294967296", "99999999999999999999s"}) {
    EXPECT_FALSE(parse_timeout(bad).ok()) << bad;
  }
}

// The table itself ---------------------------------------------------------------------------------------------------

void check_flags(const Spec& spec, const std::vector<const Spec*>& path) {
  std::set<std::string> names;
  std::set<char> letters;
  for (const Spec* above : path) {
    for (const FlagGroup& group : above->flags) {
      for (const Flag& flag : group) {
        EXPECT_TRUE(names.insert(std::string(flag.name)).second) << spec.word << " --" << flag.name;
        const bool is_alias_new = flag.alias.empty() || names.insert(std::string(flag.alias)).second;
        const bool is_letter_new = flag.letter == 0 || letters.insert(flag.letter).second;
        const bool is_second_new = flag.second_letter == 0 || letters.insert(flag.second_letter).second;
        EXPECT_TRUE(is_alias_new && is_letter_new && is_second_new) << spec.word << " --" << flag.name;
        EXPECT_FALSE(flag.help.empty()) << flag.name;
        EXPECT_EQ(flag.kind == ValueKind::kSwitch, flag.value_name.empty()) << flag.name;
        EXPECT_EQ(flag.kind == ValueKind::kChoice && flag.choices.empty(), false) << flag.name;
      }
    }
  }
}

TEST(Commands, EachHasHelpExamplesThatParseAndNoFlagTwice) {
  std::set<std::string> seen;
  for (const Spec& spec : root().children) {
    EXPECT_TRUE(seen.insert(std::string(spec.word)).second) << spec.word;
    EXPECT_FALSE(spec.summary.empty() || spec.summary.back() == '.') << spec.word;
    check_flags(spec, {&root(), &spec});
    if (spec.is_hidden) continue;
    EXPECT_FALSE(spec.examples.empty()) << spec.word;
    for (const Example& example : spec.examples) {
      EXPECT_NE(example.line.find(spec.word), std::string_view::npos) << example.line;
      if (!example.line.starts_with("% ") || example.line.find_first_of("'>") != std::string_view::npos) continue;
      EXPECT_FALSE(parsed(example.line.substr(2)).starts_with("error")) << example.line;
    }
  }
}

TEST(Nearest, CountsEditsWithSwapsAndWithoutCase) {
  const struct {
    const char* a;
    const char* b;
    std::size_t distance;
  } cases[] = {{"", "", 0},         {"a", "", 1},           {"get", "get", 0},        {"get", "GET", 0},
               {"gte", "get", 1},   {"aply", "apply", 1},   {"bgpper", "bgppeer", 1}, {"ippol", "ippool", 1},
               {"pool", "loop", 2}, {"abcdef", "uvwxyz", 6}};
  for (const auto& c : cases) {
    EXPECT_EQ(edit_distance(c.a, c.b, 10), c.distance) << c.a << " " << c.b;
    EXPECT_EQ(edit_distance(c.b, c.a, 10), c.distance) << c.b << " " << c.a;
  }
  EXPECT_EQ(edit_distance("abcdef", "uvwxyz", 2), 3U);
  EXPECT_EQ(edit_distance(std::string(1000, 'a'), "b", 2), 3U);
}

TEST(Nearest, GuessesOnlyWhatIsNear) {
  const std::vector<std::string> kinds{"ippool", "bgppeer", "bgpfilter", "globalnetworkpolicy"};
  EXPECT_EQ(nearest("ipool", kinds), "ippool");
  EXPECT_EQ(nearest("bgpp", kinds), "bgppeer") << "the beginning of a word";
  EXPECT_EQ(nearest("globalnetworkpolicies", kinds), "globalnetworkpolicy");
  EXPECT_EQ(nearest("deployment", kinds), "");
  EXPECT_EQ(nearest("", kinds), "");
  EXPECT_EQ(nearest("x", {}), "");
}

}  // namespace
}  // namespace margay::command
