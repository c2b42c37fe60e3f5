#include "ctl/render/go_template.h"

#include <string>

#include "base/core/text.h"
#include "gtest/gtest.h"

namespace margay::render {
namespace {

constexpr std::string_view kData = R"({
  "kind": "List",
  "items": [
    {"metadata": {"name": "main", "labels": {"b": "2", "a": "1"}},
     "spec": {"cidr": "10.0.0.0/16", "blockSize": 26, "disabled": false, "order": 1.5}},
    {"metadata": {"name": "spare"},
     "spec": {"cidr": "10.9.0.0/16", "disabled": true, "uses": ["Workload", "Tunnel"]}}
  ],
  "empty": [], "nothing": null, "zero": 0, "million": 1000000, "text": "a\"b", "secret": "c2VzYW1l"
})";

std::string run(std::string_view text) {
  const auto data = json::parse(kData);
  const auto parsed = GoTemplate::parse(text);
  if (!parsed.ok()) return "parse: " + parsed.error().message;
  const auto out = parsed->execute(*data);
  return out.ok() ? *out : "run: " + out.error().message;
}

struct Case {
  const char* why;
  const char* text;
  const char* expected;
};

TEST(GoTemplate, ValuesAndFields) {
  const Case cases[] = {
      {"text alone", "a } b { c", "a } b { c"},
      {"empty", "", ""},
      {"field", "{{.kind}}", "List"},
      {"blanks inside", "{{  .kind  }}", "List"},
      {"deep", "{{(index .items 0).spec.cidr}}", "10.0.0.0/16"},
      {"integer, large", "{{.million}}", "1000000"},
      {"fraction", "{{(index .items 0).spec.order}}", "1.5"},
      {"absent", "{{.frob}}", "<no value>"},
      {"field of what is absent", "{{.frob.x.y}}", "<no value>"},
      {"null", "{{.nothing}}", "<no value>"},
      {"list", "{{(index .items 1).spec.uses}}", "[Workload Tunnel]"},
      {"object in order of names", "{{(index .items 0).metadata.labels}}", "map[a:1 b:2]"},
      {"string", R"({{"a\tb\n\"\\"}})", "a\tb\n\"\\"},
      {"raw string", "{{`a\\n`}}", "a\\n"},
      {"number", "{{-5}} {{+3}} {{1.5}}", "-5 3 1.5"},
      {"constants", "{{true}} {{false}} {{nil}}", "true false <no value>"},
      {"the root from inside", "{{range .items}}{{$.kind}} {{end}}", "List List "},
      {"dot", "{{range .items}}{{with .metadata.name}}{{.}};{{end}}{{end}}", "main;spare;"},
  };
  for (const Case& c : cases) EXPECT_EQ(run(c.text), c.expected) << c.why;
}

TEST(GoTemplate, Control) {
  const Case cases[] = {
      {"if", "{{if .kind}}y{{end}}", "y"},
      {"if not", "{{if .frob}}y{{end}}", ""},
      {"else", "{{if .zero}}y{{else}}n{{end}}", "n"},
      {"else if", "{{if .zero}}a{{else if .kind}}b{{else}}c{{end}}", "b"},
      {"else if chain to its else", "{{if .zero}}a{{else if .empty}}b{{else if .nothing}}c{{else}}d{{end}}", "d"},
      {"else with", "{{with .zero}}a{{else with .kind}}{{.}}{{end}}", "List"},
      {"an empty list is not true", "{{if .empty}}y{{else}}n{{end}}", "n"},
      {"range", "{{range .items}}{{.metadata.name}},{{end}}", "main,spare,"},
      {"range with a variable", "{{range $x := .items}}{{$x.metadata.name}},{{end}}", "main,spare,"},
      {"range with two", "{{range $i, $x := .items}}{{$i}}={{$x.metadata.name}},{{end}}", "0=main,1=spare,"},
      {"range over an object", "{{range $k, $v := (index .items 0).metadata.labels}}{{$k}}{{$v}} {{end}}", "a1 b2 "},
      {"range else", "{{range .empty}}x{{else}}none{{end}}", "none"},
      {"range over what is absent", "{{range .frob}}x{{else}}none{{end}}", "none"},
      {"range inside range", "{{range .items}}{{range .spec.uses}}{{.}} {{end}}{{end}}", "Workload Tunnel "},
      {"with", "{{with .kind}}<{{.}}>{{end}}", "<List>"},
      {"with else", "{{with .nothing}}x{{else}}{{.kind}}{{end}}", "List"},
      {"variable", "{{$x := .kind}}{{$x}}{{$x}}", "ListList"},
      {"variable in a branch is gone behind it", "{{$x := 1}}{{if .kind}}{{$x := 2}}{{$x}}{{end}}{{$x}}", "21"},
      {"assignment reaches out", "{{$x := 1}}{{range .items}}{{$x = .metadata.name}}{{end}}{{$x}}", "spare"},
      {"computed value assigned outwards", "{{$x := 1}}{{range .items}}{{$x = len .metadata.name}}{{end}}{{$x}}", "5"},
      {"if with a variable", "{{if $x := .kind}}{{$x}}{{end}}", "List"},
      {"trim left", "a \n {{- .kind}} b", "aList b"},
      {"trim right", "a {{.kind -}} \n b", "a Listb"},
      {"trim both", "a  {{- .kind -}}  b", "aListb"},
      {"a minus before a number is a number", "a {{-1}}", "a -1"},
      {"comment", "a{{/* not {{ shown */}}b", "ab"},
      {"comment that trims", "a {{- /* x */ -}} b", "ab"},
  };
  for (const Case& c : cases) EXPECT_EQ(run(c.text), c.expected) << c.why;
}

TEST(GoTemplate, Functions) {
  const Case cases[] = {
      {"eq", "{{eq .kind \"List\"}} {{eq 1 2}} {{eq 1 1.0}}", "true false true"},
      {"eq with several", "{{eq .zero 5 0}} {{eq .zero 5 6}}", "true false"},
      {"ne", "{{ne .kind \"x\"}}", "true"},
      {"order of numbers", "{{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 1.5 1}}", "true true false true"},
      {"order of strings", "{{lt \"a\" \"b\"}}", "true"},
      {"and gives the first that is not true", "{{and 1 0 2}} {{and 1 2}}", "0 2"},
      {"or gives the first that is", "{{or 0 \"\" \"x\"}} {{or 0 \"\"}}|", "x |"},
      {"not", "{{not .zero}} {{not .kind}}", "true false"},
      {"nested", "{{if and .kind (not (eq .zero 1))}}y{{end}}", "y"},
      {"len", "{{len .items}} {{len .kind}} {{len .empty}}", "2 4 0"},
      {"index", "{{index .items 1 \"metadata\" \"name\"}}", "spare"},
      {"index of a missing name", "{{index .items 1 \"metadata\" \"frob\"}}", "<no value>"},
      {"exists", "{{exists . \"items\" 0 \"spec\"}} {{exists . \"items\" 7}} {{exists . \"frob\"}}",
       "true false false"},
      {"pipe", "{{.items | len}} {{.kind | printf \"%s-%s\" \"a\"}}", "2 a-List"},
      {"pipe twice", "{{\"x\" | printf \"%s%s\" \"y\" | len}}", "2"},
      {"printf", "{{printf \"%s|%d|%v|%q|%t|%x|%%\" .kind 7 1.5 \"a\" true 255}}", "List|7|1.5|\"a\"|true|ff|%"},
      {"printf width", "{{printf \"[%-6s][%6s][%03d][%.2s]\" \"ab\" \"cd\" 7 \"wxyz\"}}", "[ab    ][    cd][007][wx]"},
      {"printf of nothing but text", "{{printf \"100%%\"}}", "100%"},
      {"print", "{{print 1 2 \"a\" 3}} {{println 1 \"a\"}}", "1 2a3 1 a\n"},
      {"base64decode", "{{.secret | base64decode}}", "sesame"},
  };
  for (const Case& c : cases) EXPECT_EQ(run(c.text), c.expected) << c.why;
}

TEST(GoTemplate, ErrorsNamePlaceAndReason) {
  const Case cases[] = {
      {"open", "a {{.kind", "parse: go-template: line 1, column 3: \"{{\" is not closed"},
      {"line and column", "a\nbc {{frob .}}",
       "parse: go-template: line 2, column 6: function \"frob\" is not supported; there are and, or, not, eq, ne, lt, "
       "le, "
       "gt, ge, index, len, print, printf, println, exists, base64decode"},
      {"end missing", "{{if .kind}}x", "parse: go-template: line 1, column 14: {{end}} is missing"},
      {"end too many", "x{{end}}", "parse: go-template: line 1, column 4: unexpected {{end}}"},
      {"else too many", "{{if 1}}{{else}}{{else}}{{end}}",
       "parse: go-template: line 1, column 19: expected {{end}}, found {{else}}"},
      {"outside the subset", "{{template \"x\"}}",
       "parse: go-template: line 1, column 3: {{template}} is not supported; see netctl help output"},
      {"empty action", "{{}}", "parse: go-template: line 1, column 3: a value is missing"},
      {"string open", "{{\"a}}", "parse: go-template: line 1, column 3: string is not closed"},
      {"unknown escape", "{{\"\\z\"}}",
       "parse: go-template: line 1, column 5: unknown escape in a string; there are \\n \\t \\r \\\\ \\\" \\'"},
      {"no number", "{{1x}}", "parse: go-template: line 1, column 3: \"1x\" is not a number"},
      {"character", "{{.kind ; 1}}", "parse: go-template: line 1, column 9: unexpected \";\""},
      {"value with arguments", "{{.kind 1}}", "parse: go-template: line 1, column 10: only a function takes arguments"},
      {"pipe into a value", "{{1 | .kind}}",
       "parse: go-template: line 1, column 12: a value cannot be piped into something that is not a function"},
      {"parenthesis open", "{{(len .kind}}", "parse: go-template: line 1, column 13: expected ), found \"}}\""},
      {"two variables", "{{if $a, $b := .x}}{{end}}",
       "parse: go-template: line 1, column 20: two variables are for range"},
      {"unknown variable", "{{$x}}", "run: go-template: line 1, column 3: variable $x is not declared"},
      {"assignment without declaration", "{{$x = 1}}",
       "run: go-template: line 1, column 3: variable $x is not declared; use :="},
      {"field of a string", "{{.kind.x}}", "run: go-template: line 1, column 3: .x: string has no fields"},
      {"range over a string", "{{range .kind}}{{end}}",
       "run: go-template: line 1, column 9: range over string is not possible"},
      {"index outside", "{{index .items 2}}", "run: go-template: line 1, column 3: index: 2 is outside a list of 2"},
      {"index of a string", "{{index .kind 0}}", "run: go-template: line 1, column 3: index: string has no elements"},
      {"index with the wrong type", "{{index .items \"a\"}}",
       "run: go-template: line 1, column 3: index: a list wants a number"},
      {"len", "{{len .zero}}", "run: go-template: line 1, column 3: len of integer is not possible"},
      {"comparison", "{{lt .kind 1}}",
       "run: go-template: line 1, column 3: lt: can only compare two numbers or two strings"},
      {"arguments", "{{len}}", "run: go-template: line 1, column 3: len wants 1 arguments, found 0"},
      {"arguments too many", "{{not 1 2}}", "run: go-template: line 1, column 3: not wants 1 arguments, found 2"},
      {"printf too few", "{{printf \"%s\"}}", "run: go-template: line 1, column 3: printf: more % than arguments"},
      {"printf too many", "{{printf \"x\" 1}}", "run: go-template: line 1, column 3: printf: more arguments than %"},
      {"printf verb", "{{printf \"%z\" 1}}",
       "run: go-template: line 1, column 3: printf: %z is not supported; there are %s %v %d %q %t %x %%"},
      {"printf type", "{{printf \"%d\" .kind}}", "run: go-template: line 1, column 3: printf: %d wants an integer"},
      {"printf end", "{{printf \"%\" 1}}", "run: go-template: line 1, column 3: printf: the format ends inside a %"},
  };
  for (const Case& c : cases) EXPECT_EQ(run(c.text), c.expected) << c.why;
}

TEST(GoTemplate, DepthIsLimited) {
  std::string blocks;
  std::string parentheses = "{{";
  for (int i = 0; i < 10'000; ++i) {
    blocks += "{{if 1}}";
    parentheses += "(";
  }
  EXPECT_NE(run(blocks).find("nested too deeply"), std::string::npos);
  EXPECT_NE(run(parentheses + "}}").find("nested too deeply"), std::string::npos);
}

TEST(GoTemplate, AChainOfElseIfIsLimited) {
  const auto chain = [](int links) {
    std::string text = "{{if .zero}}";
    for (int i = 0; i < links; ++i) text += "{{else if .zero}}";
    return run(text + "{{else}}last{{end}}");
  };
  EXPECT_EQ(chain(20), "last");
  EXPECT_NE(chain(100'000).find("nested too deeply"), std::string::npos);
}

TEST(GoTemplate, WorkIsLimited) {
  std::string rounds;
  for (int i = 0; i < 40; ++i) rounds += "{{range $.items}}";
  for (int i = 0; i < 40; ++i) rounds += "{{end}}";
  EXPECT_NE(run(rounds).find("does too much"), std::string::npos);
  std::string doubled = "{{$x := \"ab\"}}";
  for (int i = 0; i < 60; ++i) doubled += "{{$x = print $x $x}}";
  EXPECT_NE(run(doubled + "{{len $x}}").find("does too much"), std::string::npos);
}

TEST(GoTemplate, EveryPrefixOfATemplateIsAnsweredNotCrashedOn) {
  constexpr std::string_view kText =
      "{{- /* c */ -}}{{range $i, $x := .items}}{{if and (eq $i 0) $x.spec.cidr}}{{printf \"%-5s\" .metadata.name | "
      "print}}"
      "{{else if not true}}{{$x := `a`}}{{$x = nil}}{{else}}{{with .spec}}{{.cidr}}{{end}}{{end}}{{\"\\n\"}}{{end}}";
  for (std::size_t size = 0; size <= kText.size(); ++size) (void)run(kText.substr(0, size));
  EXPECT_EQ(run(kText), "main \n10.9.0.0/16\n");
}

}  // namespace
}  // namespace margay::render
