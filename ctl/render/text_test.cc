// Widths, table layout, ages, cells, output formats, cleaning.
#include <map>
#include <string>

#include "base/core/time_text.h"
#include "ctl/render/age.h"
#include "ctl/render/cells.h"
#include "ctl/render/clean.h"
#include "ctl/render/format.h"
#include "ctl/render/table.h"
#include "ctl/render/width.h"
#include "gtest/gtest.h"

namespace margay::render {
namespace {

TEST(Width, WideCombiningAndBrokenText) {
  const struct {
    const char* text;
    std::size_t width;
  } cases[] = {{"", 0},         {"abc", 3},        {"müßig", 5},  {"日本", 4},     {"한국", 4},
               {"a\u0301", 1},  {"\U0001f680", 2}, {"…", 1},      {"\xff\xfe", 2}, {"\xe6", 1},
               {"\xe6\x97", 2}, {"ＡＢ", 4},       {"\u200b", 0}, {"\xc0\x80", 2}, {"naïve–café", 10}};
  for (const auto& c : cases) EXPECT_EQ(display_width(c.text), c.width) << c.text;
}

TEST(Width, CutsAtTheColumnNotInsideACharacter) {
  EXPECT_EQ(cut_to_width("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_to_width("abcdefg", 6), "abc...");
  EXPECT_EQ(cut_to_width("日本語日本語", 8), "日本...") << "a wide character does not fit in the last column";
  EXPECT_EQ(cut_to_width("abcdef", 2), "..");
  for (std::size_t width = 0; width < 20; ++width) EXPECT_LE(display_width(cut_to_width("日a本b語c日d", width)), width);
}

TEST(Width, TerminalsGetNoControlCharacters) {
  EXPECT_EQ(on_one_line("a\nb\tc\rd\x1b[31m\x7f"), "a b c?d?[31m?");
  EXPECT_EQ(on_one_line("a\xc2\x9b\x31"), "a?1") << "C1 control sequence introducer";
  EXPECT_EQ(on_one_line("a\xc2\xa0z"), "a\xc2\xa0z");
}

TEST(Table, ColumnsAreAsWideAsTheirWidestCellAndLinesEndInText) {
  Table table({"NAME", "NODE", "ASN"});
  const std::vector<Table::Row> rows{{"a", "日本語", "64512"}, {"longer-name", "x", ""}, {"", "", ""}};
  EXPECT_EQ(table.header(rows) + table.lines(rows),
            "NAME          NODE     ASN\n"
            "a             日本語   64512\n"
            "longer-name   x\n"
            "\n");
}

TEST(Table, LaterRowsWidenOnlyWhatFollows) {
  Table table({"NAME", "AGE"});
  EXPECT_EQ(table.header({}), "NAME   AGE\n");
  EXPECT_EQ(table.lines({{"abcdef", "1s"}}), "abcdef   1s\n");
  EXPECT_EQ(table.lines({{"a", "1s"}}), "a        1s\n");
}

TEST(Table, BoldHeader) {
  Table table({"A", "B"}, true);
  EXPECT_EQ(table.header({}), "\x1b[1mA   B\x1b[0m\n");
}

TEST(Age, TwoFiguresAtMost) {
  using namespace std::chrono_literals;
  const std::map<std::string, Duration> cases = {{"0s", -5s},
                                                 {"119s", 119s},
                                                 {"2m", 120s},
                                                 {"3m7s", 187s},
                                                 {"10m", 10min},
                                                 {"179m", 179min},
                                                 {"3h", 180min},
                                                 {"5h20m", 5h + 20min},
                                                 {"8h", 8h + 59min},
                                                 {"47h", 47h},
                                                 {"2d", 48h},
                                                 {"4d2h", 98h},
                                                 {"8d", 24h * 8 + 23h},
                                                 {"729d", 24h * 729},
                                                 {"2y", 24h * 730},
                                                 {"3y12d", 24h * (3 * 365 + 12)},
                                                 {"9y", 24h * (9 * 365 + 200)}};
  for (const auto& [text, duration] : cases) EXPECT_EQ(short_duration(duration), text);
}

TEST(Age, OfATimestamp) {
  const WallTime now = *parse_timestamp("2026-08-22T10:00:00Z");
  EXPECT_EQ(age("2026-08-22T09:00:00Z", now), "60m");
  EXPECT_EQ(age("2026-08-22T11:00:00+02:00", now), "60m");
  EXPECT_EQ(age("", now), "<unknown>");
  EXPECT_EQ(age("yesterday", now), "<unknown>");
}

TEST(Cells, ValuesListsLabelsSelectors) {
  const auto value = *json::parse(R"({"s": "x", "n": 1.5, "b": false, "l": ["a", 2, {"c": 1}], "z": null, "e": [],
    "labels": {"b": "2", "a": "1"}, "all": {}, "sel": {"matchLabels": {"app": "web"}, "matchExpressions": [
      {"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "z", "operator": "NotIn", "values": ["c"]},
      {"key": "x", "operator": "Exists"}, {"key": "y", "operator": "DoesNotExist"}]}})");
  EXPECT_EQ(cell_at(value, {"s"}, "-"), "x");
  EXPECT_EQ(cell_at(value, {"n"}, "-"), "1.5");
  EXPECT_EQ(cell_at(value, {"b"}, "-"), "false");
  EXPECT_EQ(cell_at(value, {"z"}, "-"), "-");
  EXPECT_EQ(cell_at(value, {"frob", "x"}, "-"), "-");
  EXPECT_EQ(joined(value.find("l"), "-"), "a,2,{\"c\":1}");
  EXPECT_EQ(joined(value.find("e"), "-"), "-");
  EXPECT_EQ(joined(nullptr, "-"), "-");
  EXPECT_EQ(labels_text(value.find("labels"), "-"), "a=1,b=2");
  EXPECT_EQ(labels_text(value.find("s"), "-"), "-");
  EXPECT_EQ(label_selector_text(value.find("sel"), "*"), "app=web,tier in (a,b),z notin (c),x,!y");
  EXPECT_EQ(label_selector_text(value.find("all"), "*"), "*");
}

TEST(Format, WordsArgumentsAndFiles) {
  const ReadFile read = [](const std::string& path) -> Result<std::string> {
    if (path == "cols") return std::string("NAME  CIDR\n.metadata.name   .spec.cidr\n");
    if (path == "bad") return std::string("NAME CIDR\n.metadata.name\n");
    if (path == "t") return std::string("{{.kind}}");
    return Error{ErrorCode::kNotFound, path + ": no such file"};
  };
  const auto shown = [&](std::string_view text) {
    const auto format = parse_format(text, read);
    return format.ok() ? std::to_string(static_cast<int>(format->kind)) + " " + format->argument
                       : format.error().message;
  };
  EXPECT_EQ(shown("table"), "0 ");
  EXPECT_EQ(shown("ps"), "0 ");
  EXPECT_EQ(shown("wide"), "1 ");
  EXPECT_EQ(shown("jsonl"), "4 ");
  EXPECT_EQ(shown("jsonpath={.a==1}"), "6 {.a==1}");
  EXPECT_EQ(shown("custom-columns=A:.a,B:.b"), "7 A:.a,B:.b");
  EXPECT_EQ(shown("custom-columns-file=cols"), "7 NAME:.metadata.name,CIDR:.spec.cidr");
  EXPECT_EQ(shown("go-template-file=t"), "8 {{.kind}}");
  EXPECT_EQ(shown("custom-columns-file=bad"),
            "a file of custom columns has a line of headers and a line with as many paths");
  EXPECT_EQ(shown("go-template-file=frob"), "frob: no such file");
  EXPECT_EQ(shown("jsonpath"), "output format jsonpath needs an argument: jsonpath=…");
  EXPECT_EQ(shown("jsonpath="), "output format jsonpath needs an argument: jsonpath=…");
  EXPECT_EQ(shown("yaml=x"), "output format yaml takes no argument");
  EXPECT_EQ(shown("yml"),
            "output format \"yml\" is not one of table, ps, wide, yaml, json, jsonl, name, jsonpath=, jsonpath-file=, "
            "custom-columns=, custom-columns-file=, go-template=, go-template-file=");
}

TEST(Clean, LeavesWhatTheUserWrote) {
  auto object = *json::parse(R"({"kind": "IPPool", "metadata": {"name": "a", "uid": "1", "resourceVersion": "7",
    "generation": 2, "creationTimestamp": "t", "managedFields": [], "finalizers": ["x"], "labels": {"a": "b"},
    "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}, "spec": {"uid": 1}, "status": {}})");
  strip_server_fields(object);
  EXPECT_EQ(json::dump(object), R"({"kind":"IPPool","metadata":{"name":"a","labels":{"a":"b"}},"spec":{"uid":1}})");
  auto odd = *json::parse(R"({"metadata": 3})");
  strip_server_fields(odd);
  EXPECT_EQ(json::dump(odd), R"({"metadata":3})");
  auto list = *json::parse("[1]");
  strip_server_fields(list);
  strip_managed_fields(list);
  EXPECT_EQ(json::dump(list), "[1]");
}

}  // namespace
}  // namespace margay::render
