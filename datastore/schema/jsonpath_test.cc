#include "datastore/schema/jsonpath.h"

#include "base/core/text.h"
#include "base/json/yaml.h"
#include "datastore/schema/registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::schema {
namespace {

using testing::HasSubstr;

const char* const kTier = R"(
metadata: {name: a, labels: {app.kubernetes.io/name: web, role: x}, annotations: {}}
spec: {order: 1.5, on: true, none: null, nets: [10.0.0.0/8, 192.168.0.0/16, fd00::/8], ports: [{name: http, port: 80}, {name: dns, port: 53}]}
status:
  conditions: [{type: Synced, status: 'True'}, {type: Ready, status: 'False', count: 3}]
)";

json::Value object() { return json::parse_yaml(kTier).value().at(0).value; }

// What an expression finds, printed, joined by "|".
std::string found(std::string_view expression) {
  const auto path = JsonPath::parse(expression);
  if (!path.ok()) return path.error().message;
  const json::Value root = object();
  std::vector<std::string> texts;
  for (const json::Value* value : path->find(root)) texts.push_back(printed(*value));
  return join(texts, "|");
}

std::string rendered(std::string_view text, const json::Value& root = object()) {
  const auto parsed = JsonPathTemplate::parse(text);
  if (!parsed.ok()) return parsed.error().message;
  const auto out = parsed->render(root);
  return out.ok() ? *out : out.error().message;
}

TEST(JsonPath, FindsWhatKubectlFinds) {
  struct Case {
    const char* expression;
    const char* found;
  };
  const Case cases[] = {
      {".metadata.name", "a"},
      {"metadata.name", "a"},
      {"{.metadata.name}", "a"},
      {"{ metadata.name }", "a"},
      {"$.metadata.name", "a"},
      {"@.metadata.name", "a"},
      {"$['metadata'][\"name\"]", "a"},
      {".metadata.labels.app\\.kubernetes\\.io/name", "web"},
      {".metadata.labels['app.kubernetes.io/name']", "web"},
      {".metadata.labels['role', 'none', 'app.kubernetes.io/name']", "x|web"},
      {".metadata.labels", R"({"app.kubernetes.io/name":"web","role":"x"})"},
      {".metadata.labels.*", "web|x"},
      {".metadata.annotations", "{}"},
      {".spec.order", "1.5"},
      {".spec.on", "true"},
      {".spec.none", ""},
      {".spec.nets[0]", "10.0.0.0/8"},
      {".spec.nets[-1]", "fd00::/8"},
      {".spec.nets[0,2]", "10.0.0.0/8|fd00::/8"},
      {".spec.nets[1:]", "192.168.0.0/16|fd00::/8"},
      {".spec.nets[:-1]", "10.0.0.0/8|192.168.0.0/16"},
      {".spec.nets[::2]", "10.0.0.0/8|fd00::/8"},
      {".spec.nets[::9223372036854775807]", "10.0.0.0/8"},
      {".spec.nets[-9:9]", "10.0.0.0/8|192.168.0.0/16|fd00::/8"},
      {".spec.nets[3]", ""},
      {".spec.nets[-4]", ""},
      {".spec.nets.name", ""},
      {".spec.order.deeper", ""},
      {".spec.ports[*].port", "80|53"},
      {".spec.ports[*]['name', 'port']", "http|80|dns|53"},
      {".spec.ports.[0].name", "http"},
      {"..port", "80|53"},
      {"..name", "a|http|dns"},
      {"..[0]", R"(10.0.0.0/8|{"name":"http","port":80}|{"type":"Synced","status":"True"})"},
      {".status.conditions[?(@.type==\"Ready\")].status", "False"},
      {".status.conditions[?(@.type=='Ready')].status", "False"},
      {".status.conditions[?( @.type != 'Ready' )].type", "Synced"},
      {".status.conditions[?(@.count)].type", "Ready"},
      {".status.conditions[?(@.count > 2)].type", "Ready"},
      {".status.conditions[?(@.count >= 3.0)].type", "Ready"},
      {".status.conditions[?(@.count < 3)].type", ""},
      {".status.conditions[?(@.type <= 'Ready')].type", "Ready"},
      {".spec.ports[?(@.name == $.spec.ports[1].name)].port", "53"},
      {".spec[?(@ == true)]", "true"},
      {"$..[?(@.ports[?(@.port == 53)])].order", "1.5"},
      {".nosuch.field[*].x", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(found(c.expression), c.found) << c.expression;
  const json::Value root = object();
  for (const char* whole : {".", "$", "@", "{.}", "{}", ""}) EXPECT_EQ(found(whole), json::dump(root)) << whole;
}

TEST(JsonPath, ErrorsNameTheColumn) {
  struct Case {
    const char* expression;
    const char* message;
  };
  const Case cases[] = {
      {".a.", "column 4: expected the name of a field"},
      {".a..", "column 5: expected the name of a field"},
      {".a[", "column 4: expected a number, a name in quotes, '*' or '?('"},
      {".a[b]", "column 4: expected a number, a name in quotes"},
      {".a[0", "column 5: expected ']'"},
      {".a[0}", "column 5: expected ']', found '}'"},
      {".a['b]", "column 7: expected '"},
      {".a[1:2,3]", "column 7: ',' and ':'"},
      {".a[1:2:3:4]", "a slice has at most"},
      {".a[::0]", "the step of a slice is above 0"},
      {".a[99999999999999999999]", "expected a number"},
      {".a[?@.b]", "column 5: expected '(', found '@'"},
      {".a[?(@.b]", "column 9: expected ')' or one of =="},
      {".a[?(@.b=1)]", "column 9: expected ')' or one of =="},
      {".a[?(@.b==)]", "column 11: expected a path"},
      {".a[?(@.b==c)]", "column 11: expected a path"},
      {".a[?(@.b==1 && @.c)]", "column 13: expected ')', found '&'"},
      {"{.a", "column 4: expected '}'"},
      {".a}", "column 3: unexpected \"}\""},
      {".a b", "column 4: unexpected \"b\""},
  };
  for (const Case& c : cases) EXPECT_THAT(found(c.expression), HasSubstr(c.message)) << c.expression;
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep.append(".a[?(@");
  EXPECT_THAT(found(deep), HasSubstr("nested too deeply"));
  EXPECT_THAT(found(std::string(100'000, 'x')), HasSubstr("allowed are 65536"));
}

// Found by test/fuzz/jsonpath: it was read past the end, and any character was taken for a quote.
TEST(JsonPath, BehindACommaInBracketsStandsANameInQuotes) {
  EXPECT_EQ(found(std::string(".a['x', ")), "column 9: expected a text in quotes");
  EXPECT_EQ(found(".a['x',"), "column 8: expected a text in quotes");
  EXPECT_EQ(found(".a['x', yby]"), "column 9: expected a text in quotes");
  EXPECT_EQ(found(".a['x', 0]"), "column 9: expected a text in quotes");
}

TEST(JsonPath, RecursionIsBounded) {
  json::Value nested = json::Array(200, json::Array(20, json::Array(5, 1)));
  const auto path = JsonPath::parse("..*..*..*..*..*");
  ASSERT_TRUE(path.ok());
  EXPECT_LE(path->find(nested).size(), 110'000U);
}

TEST(JsonPath, FiltersInFiltersAreBounded) {
  const json::Value root = json::Array(100, json::Array(100, 1));
  std::string expression = "$..";
  for (int i = 0; i < 6; ++i) expression.append("[?($..");
  expression.append("x");
  for (int i = 0; i < 6; ++i) expression.append(")]");
  const auto path = JsonPath::parse(expression);
  ASSERT_TRUE(path.ok()) << path.error().message;
  EXPECT_TRUE(path->find(root).empty());
}

TEST(JsonPathTemplate, RangesInRangesAreBounded) {
  const json::Value root = json::Array(1000, 1);
  std::string rounds;
  for (int i = 0; i < 6; ++i) rounds.append("{range $[*]}");
  for (int i = 0; i < 6; ++i) rounds.append("{end}");
  EXPECT_THAT(rendered(rounds, root), HasSubstr("too many values"));
  const json::Value wordy = json::Array{std::string(1'000'000, 'x'), json::Array(1000, 1)};
  EXPECT_THAT(rendered("{range $..[*]}{$[0]}{end}", wordy), HasSubstr("prints too much"));
}

TEST(JsonPathTemplate, MixesTextAndExpressions) {
  EXPECT_EQ(rendered("name={.metadata.name} ports={.spec.ports[*].port}{\"\\n\"}"), "name=a ports=80 53\n");
  EXPECT_EQ(rendered("{range .spec.ports[*]}{.name}{'\\t'}{.port}{\"\\n\"}{end}."), "http\t80\ndns\t53\n.");
  EXPECT_EQ(rendered("{range .spec.ports[*]}{.name}:{range $.spec.nets[0:2]}{@} {end}{end}"),
            "http:10.0.0.0/8 192.168.0.0/16 dns:10.0.0.0/8 192.168.0.0/16 ");
  EXPECT_EQ(rendered("{ .metadata.name }{ \"x\" }"), "ax");
  EXPECT_EQ(rendered(".metadata.name"), "a");
  EXPECT_EQ(rendered("plain"), "plain");
  EXPECT_EQ(rendered(""), "");
  EXPECT_EQ(rendered("{.nosuch}"), "");
  EXPECT_EQ(rendered("{.range}{.end}", json::Object{{"range", 1}, {"end", 2}}), "12");
}

TEST(JsonPathTemplate, ErrorsNameTheColumn) {
  EXPECT_EQ(rendered("{range .a}x"), "column 12: {range} without its {end}");
  EXPECT_EQ(rendered("x{end}"), "column 6: {end} without a {range}");
  EXPECT_EQ(rendered("{.a"), "column 4: expected '}'");
  EXPECT_EQ(rendered("{\"x}"), "column 5: expected \"");
  EXPECT_EQ(rendered("{.a .b}"), "column 5: expected '}', found '.'");
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep.append("{range .a}");
  EXPECT_THAT(rendered(deep), HasSubstr("nested too deeply"));
}

TEST(JsonPath, EveryPrinterColumnParses) {
  const auto registry = make_registry();
  int columns = 0;
  for (const ResourceInfo* info : registry->all()) {
    for (const PrinterColumn& column : info->columns) {
      const auto path = JsonPath::parse(column.json_path);
      EXPECT_TRUE(path.ok()) << info->kind << " " << column.name << ": " << path.error().message;
      ++columns;
    }
  }
  EXPECT_GT(columns, 50);
}

}  // namespace
}  // namespace margay::schema
