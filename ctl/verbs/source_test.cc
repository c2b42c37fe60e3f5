// Files and the objects in them.
#include "ctl/verbs/source.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/file/temp_dir.h"
#include "ctl/verbs/document.h"
#include "ctl/verbs/recorded_io.h"
#include "gtest/gtest.h"

namespace margay::verbs {
namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  std::string write(const std::string& name, std::string_view text) {
    const fs::path path = fs::path(root_) / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }

  // Names without the folder, then problems.
  std::string read(const SourceOptions& options) {
    const Sources sources = read_sources(options, io_);
    std::vector<std::string> out;
    for (const Source& source : sources.sources) out.push_back(without_root(source.name));
    for (const std::string& problem : sources.problems) out.push_back("! " + without_root(problem));
    return join(out, "\n");
  }

  std::string without_root(const std::string& text) const {
    const std::size_t at = text.find(root_);
    return at == std::string::npos ? text : text.substr(0, at) + text.substr(at + root_.size() + 1);
  }

  file::TempDir dir_ = *file::TempDir::make();
  std::string root_ = dir_.path();
  RecordedIo io_;
};

TEST_F(Files, OfADirectoryThoseThatHoldObjectsInOrder) {
  write("b.yaml", "b");
  write("a.json", "a");
  write("c.YML", "c");
  write("notes.txt", "no");
  write("deep/d.yaml", "d");
  write("deep/er/e.yml", "e");
  EXPECT_EQ(read({{root_}, false}), "a.json\nb.yaml\nc.YML");
  EXPECT_EQ(read({{root_}, true}), "a.json\nb.yaml\nc.YML\ndeep/d.yaml\ndeep/er/e.yml");
  EXPECT_EQ(read({{root_ + "/notes.txt"}, false}), "notes.txt") << "a file that is named is read whatever its name";
}

TEST_F(Files, EveryOneThatCannotBeReadIsNamed) {
  write("sub/x.yaml", "x");
  write("empty/readme.txt", "");
  write("big.yaml", std::string(kSourceBytesMax + 1, ' '));
  write("just.yaml", std::string(kSourceBytesMax, ' '));
  EXPECT_EQ(read({{root_ + "/frob.yaml", root_ + "/big.yaml", root_ + "/just.yaml", root_ + "/empty"}, false}),
            "just.yaml\n"
            "! frob.yaml: cannot open: No such file or directory\n"
            "! big.yaml: larger than 10 MiB\n"
            "! empty: holds no .yaml, .yml or .json file");
  fs::remove(fs::path(root_) / "big.yaml");
  fs::remove(fs::path(root_) / "just.yaml");
  EXPECT_EQ(read({{root_}, false}).substr(0, 2), "! ") << "only directories in it";
  EXPECT_EQ(read({{root_}, true}), "sub/x.yaml");
}

TEST_F(Files, StandardInputOnce) {
  io_.input = "kind: x";
  EXPECT_EQ(read({{"-"}, false}), "<stdin>");
  EXPECT_EQ(read({{"-", "-"}, false}), "<stdin>\n! -: standard input can be read once only");
  io_.input = std::string(kSourceBytesMax + 1, ' ');
  EXPECT_EQ(read({{"-"}, false}), "! <stdin>: too large");
}

TEST_F(Files, AUrlIsAnsweredWithTheWayToItsContent) {
  EXPECT_EQ(read({{"https://example.org/pool.yaml"}, false}),
            "! https://example.org/pool.yaml: netctl reads files, not URLs; give what it holds with -f -, as in "
            "curl -fsSL https://example.org/pool.yaml | netctl apply -f -");
}

TEST_F(Files, LinksThatLeadInCirclesEnd) {
  write("a/x.yaml", "x");
  fs::create_directory_symlink(root_, fs::path(root_) / "a" / "loop");
  EXPECT_EQ(read({{root_}, true}), "a/x.yaml");
}

std::string documents_of(std::string_view text) {
  const Documents documents = parse_documents({{"f.yaml", std::string(text)}});
  std::vector<std::string> out;
  for (const Document& document : documents.documents) {
    out.push_back(concat(document.origin.place(""), " ", json::dump(document.object)));
  }
  for (const std::string& problem : documents.problems) out.push_back("! " + problem);
  return join(out, "\n");
}

TEST(Documents, SeveralInOneFileEachAtItsPlace) {
  EXPECT_EQ(documents_of("---\nkind: A\n---\n# nothing\n---\nkind: B\n"),
            "f.yaml:2:1 {\"kind\":\"A\"}\n"
            "f.yaml:6:1 {\"kind\":\"B\"}");
  EXPECT_EQ(documents_of(""), "");
  EXPECT_EQ(documents_of("{\"kind\": \"A\"}"), "f.yaml:1:1 {\"kind\":\"A\"}");
}

TEST(Documents, MembersOfListsStandForThemselves) {
  const std::string_view text =
      "kind: List\napiVersion: v1\nitems:\n- kind: A\n  spec:\n    x: 1\n- kind: BList\n  items:\n  - kind: C\n    y: "
      "2\n";
  EXPECT_EQ(documents_of(text),
            "f.yaml:4:3 {\"kind\":\"A\",\"spec\":{\"x\":1}}\n"
            "f.yaml:9:5 {\"kind\":\"C\",\"y\":2}");
  const Documents documents = parse_documents({{"f.yaml", std::string(text)}});
  ASSERT_EQ(documents.documents.size(), 2U);
  EXPECT_EQ(documents.documents[0].origin.describe({FieldError::Kind::kInvalid, "spec.x", "found 1"}),
            "f.yaml:6:8: spec.x: found 1");
  EXPECT_EQ(documents_of("kind: List\nitems: 3\n"), "f.yaml:1:1 {\"kind\":\"List\",\"items\":3}")
      << "that is for the checks";
}

TEST(Documents, AFieldThatIsMissingIsPlacedWhereItShouldBe) {
  const Documents documents = parse_documents({{"f.yaml", "kind: A\nspec:\n  rules:\n  - x: 1\n  - y: 2\n"}});
  const Origin& origin = documents.documents.at(0).origin;
  EXPECT_EQ(origin.place("spec.rules[1].action"), "f.yaml:5:5");
  EXPECT_EQ(origin.place("spec.rules[7]"), "f.yaml:4:3");
  EXPECT_EQ(origin.place("status.deep.er[3].x"), "f.yaml:1:1");
  EXPECT_EQ(origin.describe({FieldError::Kind::kRequired, "", "is not there"}), "f.yaml:1:1: is not there");
}

TEST(Documents, WhatIsNotYamlIsPlacedToo) {
  EXPECT_EQ(documents_of("a: 1\n  b: 2\n").substr(0, 9), "! f.yaml:") << documents_of("a: 1\n  b: 2\n");
  EXPECT_EQ(documents_of("kind: A\nkind: B\n").substr(0, 14), "! f.yaml:2:1: ") << documents_of("kind: A\nkind: B\n");
}

}  // namespace
}  // namespace margay::verbs
