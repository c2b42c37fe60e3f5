#include "base/json/yaml.h"

#include "base/core/text.h"
#include "base/json/random_value.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::json {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAre;

std::string yaml_error(std::string_view text, const YamlLimits& limits = {}) {
  const auto parsed = parse_yaml(text, limits);
  return parsed.ok() ? "accepted" : parsed.error().message;
}

std::string repeated(std::string_view piece, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out.append(piece);
  return out;
}

// The documents as compact JSON.
std::vector<std::string> read(std::string_view text) {
  const auto parsed = parse_yaml(text);
  if (!parsed.ok()) return {parsed.error().message};
  std::vector<std::string> documents;
  for (const YamlDocument& document : *parsed) documents.push_back(dump(document.value));
  return documents;
}

TEST(ParseYaml, ReadsKubernetesStyle) {
  EXPECT_THAT(
      read("# pool\n"
           "apiVersion: projectcalico.org/v3\n"
           "kind: IPPool\n"
           "metadata: {name: pool-1, labels: {}}\n"
           "spec:\n"
           "  cidr: 192.168.0.0/16   # comment\n"
           "  blockSize: 26\n"
           "  natOutgoing: true\n"
           "  nodeSelector: has-x\n"
           "  list:\n"
           "  - a\n"
           "  - k: v\n"
           "    w: [1, 2.5, null]\n"),
      ElementsAre(R"({"apiVersion":"projectcalico.org/v3","kind":"IPPool","metadata":{"name":"pool-1","labels":{}},)"
                  R"("spec":{"cidr":"192.168.0.0/16","blockSize":26,"natOutgoing":true,"nodeSelector":"has-x",)"
                  R"("list":["a",{"k":"v","w":[1,2.5,null]}]}})"));
}

// Each as kubectl (1.20 to 1.33) reads it.
TEST(ParseYaml, NumbersAreThoseOfKubectl) {
  struct Case {
    const char* text;
    const char* json;
  };
  const Case cases[] = {
      {"1_000", "1000"}, {"1__0", "10"},   {"1_", "1"},     {"_1", "\"_1\""},     {"1_0.5", "10.5"},  {"0x_1", "1"},
      {"0b101", "5"},    {"-0b1", "-1"},   {"+0b1", "1"},   {"0b", "\"0b\""},     {"0b2", "\"0b2\""}, {"0B11", "3"},
      {"-0x1F", "-31"},  {"+0x1f", "31"},  {"0X1f", "31"},  {"-0o14", "-12"},     {"0O14", "12"},     {"-014", "-12"},
      {"0o", "\"0o\""},  {"-0", "0"},      {"08", "8"},     {"1:30", "\"1:30\""}, {"-", "[null]"},    {"+", "\"+\""},
      {"-_1", "-1"},     {"0x", "\"0x\""}, {"1E3", "1000"}, {"-.5", "-0.5"},      {".e1", "\".e1\""}, {"0_7", "7"},
  };
  for (const Case& c : cases) EXPECT_THAT(read(c.text), ElementsAre(c.json)) << c.text;
}

TEST(ParseYaml, ScalarsFollowTheCoreSchema) {
  struct Case {
    const char* text;
    const char* json;
  };
  const Case cases[] = {
      {"true", "true"},
      {"False", "false"},
      {"yes", "\"yes\""},
      {"no", "\"no\""},
      {"on", "\"on\""},
      {"off", "\"off\""},
      {"y", "\"y\""},
      {"~", "null"},
      {"null", "null"},
      {"nUll", "\"nUll\""},
      {"'null'", "\"null\""},
      {"\"1\"", "\"1\""},
      {"12", "12"},
      {"-12", "-12"},
      {"+12", "12"},
      {"0", "0"},
      {"0x1F", "31"},
      {"0o17", "15"},
      {"0644", "420"},
      {"089", "89"},
      {"0x", "\"0x\""},
      {"0xg", "\"0xg\""},
      {"0o8", "\"0o8\""},
      {"1.5", "1.5"},
      {".5", "0.5"},
      {"1.", "1"},
      {"1e3", "1000"},
      {"-1.5E-1", "-0.15"},
      {".", "\".\""},
      {"-", "[null]"},
      {"1e", "\"1e\""},
      {"1e999", "\"1e999\""},
      {"1.2.3", "\"1.2.3\""},
      {"10.0.0.0/8", "\"10.0.0.0/8\""},
      {"::1", "\"::1\""},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"9223372036854775808", "9.223372036854775808e+18"},
      {"12:30:45", "\"12:30:45\""},
      {"2001-12-14", "\"2001-12-14\""},
      {"!!str 12", "\"12\""},
      {"!!int 12", "12"},
      {"!!float 3", "3"},
      {"!!bool true", "true"},
      {"!!null ''", "null"},
      {"! 12", "\"12\""},
      {"a b  c", "\"a b  c\""},
      {"a#b", "\"a#b\""},
      {"a:b", "\"a:b\""},
      {"'it''s'", "\"it's\""},
      {"\"\\x41\\u00e9\\t\"", "\"Aé\\t\""},
      {"|\n  a\n   b\n", "\"a\\n b\\n\""},
      {">-\n  a\n  b\n", "\"a b\""},
  };
  for (const Case& c : cases) {
    const auto parsed = parse_yaml(concat("v: ", std::string_view(c.text) == "-" ? "\n  -" : c.text, "\n"));
    ASSERT_TRUE(parsed.ok()) << c.text << ": " << parsed.error().message;
    EXPECT_EQ(*parsed->at(0).value.find("v"), parse(c.json).value()) << c.text;
  }
}

TEST(ParseYaml, NullValuesMayBeLeftOut) {
  EXPECT_THAT(read("a:\n\"b\" :\n'c'\t: # comment\n? d\n? e\n:\nf: &x\n!!str g:\nh:\ti\n"),
              ElementsAre(R"({"a":null,"b":null,"c":null,"d":null,"e":null,"f":null,"g":null,"h":"i"})"));
  EXPECT_THAT(read("{a, b: , c: [ d: ]}\n"), ElementsAre(R"({"a":null,"b":null,"c":[{"d":null}]})"));
  EXPECT_THAT(read("- \n- a:\n-\n"), ElementsAre(R"([null,{"a":null},null])"));
}

TEST(ParseYaml, SeveralDocumentsWithoutTheEmpty) {
  EXPECT_THAT(read("---\na: 1\n---\n---\n# only a comment\n---\nb: 2\n...\n"), ElementsAre(R"({"a":1})", R"({"b":2})"));
  EXPECT_THAT(read("%YAML 1.2\n---\na: 1\n...\n%YAML 1.2\n---\nb: 2\n"), ElementsAre(R"({"a":1})", R"({"b":2})"));
  EXPECT_THAT(read("a: 1\n... # end\n# more\n\nb: 2\n"), ElementsAre(R"({"a":1})", R"({"b":2})"));
  std::string many;
  for (int i = 0; i < 100'001; ++i) many += "{\"\":1}";
  EXPECT_EQ(yaml_error(many), "line 1, column 600001: more than 100000 objects");
  EXPECT_THAT(read("{\"a\": 1}\n---\n{\"b\": 2}\n"), ElementsAre(R"({"a":1})", R"({"b":2})"));
  EXPECT_THAT(read("\xef\xbb\xbf"
                   "a: 1\r\nb: 2\r\n"),
              ElementsAre(R"({"a":1,"b":2})"));
  for (const char* text : {"", "\n", "---\n", "# nothing\n", "---\n---\n", "null\n", "\xef\xbb\xbf"}) {
    EXPECT_THAT(read(text), IsEmpty()) << text;
  }
}

TEST(ParseYaml, KeepsTheirPlaces) {
  const auto documents = parse_yaml(
      "kind: IPPool\n---\nspec:\n  # comment\n  ingress:\n  - action: Allow\n    é: [x,\n     y]\n"
      "  labels:\n    a.b/c: d\n");
  ASSERT_TRUE(documents.ok());
  ASSERT_THAT(*documents, SizeIs(2));
  EXPECT_THAT(documents->at(0).positions, UnorderedElementsAre(Pair("", Position{1, 1}), Pair("kind", Position{1, 7})));
  EXPECT_THAT(
      documents->at(1).positions,
      UnorderedElementsAre(Pair("", Position{3, 1}), Pair("spec", Position{5, 3}), Pair("spec.ingress", Position{6, 3}),
                           Pair("spec.ingress[0]", Position{6, 5}), Pair("spec.ingress[0].action", Position{6, 13}),
                           Pair("spec.ingress[0][é]", Position{7, 8}), Pair("spec.ingress[0][é][0]", Position{7, 9}),
                           Pair("spec.ingress[0][é][1]", Position{8, 6}), Pair("spec.labels", Position{10, 5}),
                           Pair("spec.labels[a.b/c]", Position{10, 12})));
}

TEST(ParseYaml, JsonHasPlacesToo) {
  const auto documents = parse_yaml("{\"a\": [1, true,\n \"é\\\"\", {\"b\": null}],\n\t\"c\": -1.5e3}\n");
  ASSERT_TRUE(documents.ok()) << documents.error().message;
  EXPECT_THAT(
      documents->at(0).positions,
      UnorderedElementsAre(Pair("", Position{1, 1}), Pair("a", Position{1, 7}), Pair("a[0]", Position{1, 8}),
                           Pair("a[1]", Position{1, 11}), Pair("a[2]", Position{2, 2}), Pair("a[3]", Position{2, 9}),
                           Pair("a[3].b", Position{2, 15}), Pair("c", Position{3, 7})));
  EXPECT_THAT(read(R"({"smile": "\ud83d\ude00", "slash": "\/"})"), ElementsAre(R"({"smile":"😀","slash":"/"})"));
}

TEST(ParseYaml, AnchorsAndMergeKeys) {
  EXPECT_THAT(read("a: &x [1, 2]\nb: *x\nc: &t text\n*t : d\n"),
              ElementsAre(R"({"a":[1,2],"b":[1,2],"c":"text","text":"d"})"));
  EXPECT_THAT(
      read("base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\none:\n  y: 0\n  <<: *b\ntwo:\n  <<: [*b, *m]\n"),
      ElementsAre(R"({"base":{"x":1,"y":2},"more":{"y":3,"z":4},"one":{"y":0,"x":1},"two":{"x":1,"y":2,"z":4}})"));
  EXPECT_THAT(read("a:\n  <<: {x: 1}\n  y: 2\n"), ElementsAre(R"({"a":{"y":2,"x":1}})"));
  EXPECT_THAT(read("'<<': {x: 1}\n"), ElementsAre(R"({"<<":{"x":1}})"));
  EXPECT_EQ(yaml_error("a: 1\nb: {<<: 3}\n"), "line 2, column 4: << merges mappings, not integer");
  EXPECT_EQ(yaml_error("a: &a [*a]\n"), "line 1, column 8: alias to a value that contains it");
  EXPECT_EQ(yaml_error("a: &x 1\n---\nb: *x\n"), "line 3, column 4: alias to an anchor that is not there");
}

TEST(ParseYaml, ErrorsNameTheirPlace) {
  struct Case {
    const char* why;
    std::string_view text;
    const char* place;
    const char* reason;
  };
  const Case cases[] = {
      {"tab as indentation", "a:\n\tb: 1\n", "line 2, column 1: ", "tab in the indentation"},
      {"wrong indentation", "a:\n  b: 1\n c: 2\n", "line 3, column 2: ", "wrong indentation"},
      {"key without colon", "a:\n  b c\n  d: 1\n", "line 3, column 4: ", "':'"},
      {"last key without colon", "a: 1\nb c # d: e\n", "line 2, column 1: ", "':' is missing"},
      {"alone without colon", "a:\n- b: 1\n  &x c\n", "line 3, column 3: ", "a key without its ':'"},
      {"directive in a document", "a: 1\n%b: 2\n", "line 2, column 1: ", "begins with '%'"},
      {"comma without a value", "a: [, b]\n", "line 1, column 5: ", "',' without a value"},
      {"list in a mapping", "a: 1\n- b\n", "line 2, column 1: ", "wrong indentation"},
      {"mapping in a list", "- a\nb: 1\n", "line 2, column 1: ", "second value"},
      {"two colons", "a: b: c\n", "line 1, column 5: ", "needs quotes"},
      {"no colon", "a: 1\nb\nc: 2\n", "line 3, column 2: ", "':'"},
      {"open quote", "a: \"b\nc: d\n", "line 1, column 4: ", "quote without its end"},
      {"open quote with escapes", "a: 1\nb: !!str \"\\\"", "line 2, column 13: ", "quote without its end"},
      {"open single quote", "a: 'b''\n", "line 1, column 4: ", "quote without its end"},
      {"open quoted key", "b: 2\n'a: 1\n", "line 2, column 1: ", "a quote without its end"},
      {"open brace", "a: {b: 1\n", "line 2, column 1: ", "'{' without its '}'"},
      {"open bracket", "a: [b, c\n", "line 2, column 1: ", "'[' without its ']'"},
      {"duplicate key", "a: 1\nb: 2\na: 3\n", "line 3, column 1: ", "\"a\" is there twice, first in line 1"},
      {"duplicate in JSON", "{\"a\": 1,\n \"a\": 2}", "line 2, column 2: ", "\"a\" is there twice"},
      {"JSON cut off", "{\"a\": [1,\n", "line 2, column 1: ", "unexpected end of input"},
      {"starts with @", "a: @b\n", "line 1, column 4: ", "needs quotes"},
      {"starts with %", "a: %b\n", "line 1, column 4: ", "needs quotes"},
      {"unknown tag", "a: !foo b\n", "line 1, column 4: ", "tag \"!foo\" is not known"},
      {"binary", "a: !!binary aGk=\n", "line 1, column 4: ", "tag \"!!binary\" is not known"},
      {"tag on a mapping", "a: !foo {}\n", "line 1, column 4: ", "is not known"},
      {"tag that does not fit", "a: !!int x\n", "line 1, column 4: ", "does not fit its tag !!int"},
      {"infinity", "a: -.inf\n", "line 1, column 4: ", "no number that JSON knows"},
      {"null as a key", "~: 1\n", "line 1, column 1: ", "null as a key"},
      {"list as a key", "[a]: 1\n", "line 1, column 1: ", "keys are texts"},
      {"mapping as a key", "? {a: b}\n: 1\n", "line 1, column 3: ", "keys are texts"},
      {"second value", "{a: 1} b\n", "line 1, column 8: ", "second value"},
      {"list behind JSON", "{\"a\": 1} [2]\n", "line 1, column 10: ", "another object"},
      {"text behind JSON", "{\"a\": 1}\n{\"b\": 2}\nx\n", "line 3, column 1: ", "another object"},
      {"second JSON object cut off", "{\"a\": 1}\n{\"b\": [\n", "line 3, column 1: ", "unexpected end of input"},
      {"only the beginning of JSON", "{", "line 1, column 2: ", "unexpected end of input"},
      {"second value on its line", "[a]\n[b]\n", "line 2, column 1: ", "second value"},
      {"unknown anchor", "a: *b\n", "line 1, column 4: ", "anchor that is not there"},
      {"control character", "a: b\nc: \x01\n", "line 2, column 4: ", "control character \"\\x01\""},
      {"NUL", std::string_view("a: \0", 4), "line 1, column 4: ", "control character \"\\x00\""},
      {"UTF-16",
       std::string_view("\xff\xfe"
                        "a\0",
                        4),
       "line 1, column ", "control character"},
      {"not UTF-8", "a: b\nc: \xc3(\n", "line 2, column 4: ", "not UTF-8"},
      {"bad escape", "a: \"\\q\"\n", "line 1, column 7: ", "unknown escape character: q"},
      {"columns are characters", "é: {é: *x}\n", "line 1, column 8: ", "anchor that is not there"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(yaml_error(c.text), AllOf(StartsWith(c.place), HasSubstr(c.reason))) << c.why;
  }
}

TEST(ParseYaml, BombsAreRefusedBeforeTheyGrow) {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    laughs.append(concat("a", i, ": &a", i, " [*a", i - 1));
    for (int n = 0; n < 9; ++n) laughs.append(concat(", *a", i - 1));
    laughs.append("]\n");
  }
  EXPECT_THAT(yaml_error(laughs), AllOf(StartsWith("line "), HasSubstr("more than 1000000 values, aliases expanded")));

  std::string heavy = concat("a: &a ", std::string(1'000'000, 'x'), "\nb:\n");
  for (int i = 0; i < 1000; ++i) heavy.append("- *a\n");
  EXPECT_THAT(yaml_error(heavy), HasSubstr("bytes, aliases expanded"));

  EXPECT_THAT(yaml_error(repeated("[", 150) + repeated("]", 150)), HasSubstr("nested deeper than 100 levels"));
  EXPECT_THAT(yaml_error(repeated("[", 100'000)), StartsWith("line 1, column "));
  EXPECT_THAT(yaml_error(repeated("[", 100'000) + repeated("]", 100'000)), StartsWith("line 1, column "));
  EXPECT_THAT(yaml_error("a: " + repeated("{a: ", 100'000)), HasSubstr("nested deeper than 100 levels"));
  std::string dashes;
  for (int i = 0; i < 5000; ++i) dashes.append("- ");
  EXPECT_THAT(yaml_error(dashes), HasSubstr("nested deeper than 100 levels"));
}

TEST(ParseYaml, LimitsHold) {
  const YamlLimits limits{.bytes_max = 20, .depth_max = 2, .nodes_max = 5};
  EXPECT_THAT(yaml_error("[1, 2, 3, 4]", limits), "accepted");
  EXPECT_EQ(yaml_error("[1, 2, 3, 4, 5]", limits), "line 1, column 14: more than 5 values, aliases expanded");
  EXPECT_EQ(yaml_error("a: [[]]", limits), "line 1, column 5: nested deeper than 2 levels");
  EXPECT_EQ(yaml_error(std::string(21, 'x'), limits), "document of 21 bytes, allowed are 20");
}

TEST(ParseYaml, LongPathsDoNotMultiply) {
  std::string text = concat(std::string(900, 'k'), ":\n");
  for (int i = 0; i < 200'000; ++i) text.append("- 1\n");
  const auto documents = parse_yaml(text);
  ASSERT_TRUE(documents.ok()) << documents.error().message;
  EXPECT_LT(documents->at(0).positions.size(), 100'000U);
  EXPECT_EQ(documents->at(0).positions.at(concat(std::string(900, 'k'), "[7]")), (Position{9, 3}));
}

TEST(DumpYaml, LooksAsKubectlDoes) {
  const Value value =
      parse(R"({"apiVersion":"v1","items":[{"a":1,"b":{"c":[]}},[1,[2]],"x",{},null],"empty":{},)"
            R"("text":"one\ntwo\n","keep":"a\n\n","strip":"a\nb","quoted":"yes","count":"10","ip":"10.0.0.1",)"
            R"("v6":"::/0","d":1.5,"":"empty key","a: b":"x: y","time":"2021-01-01T00:00:00Z"})")
          .value();
  EXPECT_EQ(dump_yaml(value),
            "apiVersion: v1\n"
            "items:\n"
            "- a: 1\n"
            "  b:\n"
            "    c: []\n"
            "- - 1\n"
            "  - - 2\n"
            "- x\n"
            "- {}\n"
            "- null\n"
            "empty: {}\n"
            "text: |\n"
            "  one\n"
            "  two\n"
            "keep: |+\n"
            "  a\n"
            "\n"
            "strip: |-\n"
            "  a\n"
            "  b\n"
            "quoted: \"yes\"\n"
            "count: \"10\"\n"
            "ip: 10.0.0.1\n"
            "v6: ::/0\n"
            "d: 1.5\n"
            "\"\": empty key\n"
            "\"a: b\": \"x: y\"\n"
            "time: \"2021-01-01T00:00:00Z\"\n");
  EXPECT_EQ(dump_yaml({}), "null\n");
  EXPECT_EQ(dump_yaml(Array{}), "[]\n");
  EXPECT_EQ(dump_yaml("a\nb\n"), "|\n  a\n  b\n");
}

TEST(DumpYaml, QuotesWhatOtherReadersTakeForSomethingElse) {
  for (const char* text :
       {"",      " a",       "a ",    "yes",     "No",   "on",  "OFF", "y",     "n",   "true",       "Null",
        "~",     "1",        "-1",    "1.5",     "0x1f", "0o7", "0b1", "1_0",   "1e3", ".5",         ".inf",
        "-.Inf", ".NaN",     "12:30", "1:2:3.4", "=",    "<<",  "- a", "-",     "? a", ":",          ": a",
        "a: b",  "a:",       "a #b",  "#a",      "[a",   "{a",  "&a",  "*a",    "!a",  "|",          ">",
        "'a",    "\"a",      "%a",    "@a",      "`a",   ",a",  "---", "--- a", "...", "2001-12-14", "2001-1-1T0:0:0Z",
        "a\tb",  "a\u2028b", "\ufeff"}) {
    EXPECT_THAT(dump_yaml(text), StartsWith("\"")) << text;
  }
  for (const char* text :
       {"a",    "a b",   "10.0.0.0/8",         "1.2.3",      "fe80::1",        "::1", "-a", "?a",   "a:b", "a#b",
        "a-b",  "all()", "has(a) && b == 'c'", "http://x/y", "192.168.0.0/16", "v1",  "é",  "a, b", "a]",  "nullx",
        "yesno"}) {
    EXPECT_EQ(dump_yaml(text), concat(text, "\n"));
  }
}

TEST(DumpYaml, LongKeysAreReadBack) {
  const Value value = Object{{std::string(5000, 'k'), Object{{std::string(2000, 'l'), Array{1, Object{{"a", "b"}}}}}},
                             {std::string(1500, 'm'), "text\nlines\n"}};
  const auto documents = parse_yaml(dump_yaml(value));
  ASSERT_TRUE(documents.ok()) << documents.error().message;
  EXPECT_EQ(documents->at(0).value, value);
}

TEST(DumpYaml, ReadsBackTheSame) {
  SeededRandom random(42);
  int documents_seen = 0;
  for (int i = 0; i < 6000; ++i) {
    const Value value = random_value(random, 4);
    const std::string text = dump_yaml(value);
    const auto documents = parse_yaml(text);
    ASSERT_TRUE(documents.ok()) << documents.error().message << "\n" << text;
    if (value.is_null()) continue;
    ASSERT_THAT(*documents, SizeIs(1)) << text;
    ASSERT_EQ(dump(documents->at(0).value), dump(value)) << text;
    ++documents_seen;
  }
  EXPECT_GT(documents_seen, 4000);
}

TEST(Yaml, JsonObjectsMayFollowEachOther) {
  const auto parsed = parse_yaml("{\"a\": 1}\n{\"b\": {\n  \"c\": 2}} {\"d\": 3}\n");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  ASSERT_EQ(parsed->size(), 3U);
  EXPECT_EQ(dump(parsed->at(1).value), R"({"b":{"c":2}})");
  EXPECT_EQ(parsed->at(1).positions.at("b.c"), (Position{3, 8}));
  EXPECT_EQ(parsed->at(2).positions.at("d"), (Position{3, 18}));
  EXPECT_THAT(read("{\"a\": 1}\n---\n{\"b\": 2}\n"), ElementsAre(R"({"a":1})", R"({"b":2})"));
}

// JSON is YAML: both readers read the same, and find values at the same paths.
TEST(ParseYaml, ReadsJsonAsTheJsonParserDoes) {
  SeededRandom random(43);
  for (int i = 0; i < 2000; ++i) {
    const Value value = Object{{"k", random_value(random, 4)}};
    const auto documents = parse_yaml(dump_pretty(value));
    ASSERT_TRUE(documents.ok()) << documents.error().message;
    ASSERT_EQ(dump(documents->at(0).value), dump(value));
  }
}

TEST(ParseYaml, DamagedTextNeverCrashes) {
  SeededRandom random(44);
  int refused = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string text = dump_yaml(random_value(random, 4));
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
      constexpr std::string_view kBytes = ":-?{}[]&*!|>'\"%@`#\n\t ,.<a0";
      text[random.below(text.size())] = kBytes[random.below(kBytes.size())];
    }
    const auto documents = parse_yaml(text);
    if (documents.ok()) continue;
    ++refused;
    ASSERT_THAT(documents.error().message, StartsWith("line ")) << text;
  }
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace margay::json
