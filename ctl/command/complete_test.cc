#include "ctl/command/complete.h"

#include <string>
#include <vector>

#include "base/core/text.h"
#include "ctl/command/commands.h"
#include "gtest/gtest.h"

namespace margay::command {
namespace {

// The line up to the cursor; a blank at its end begins a new word.
Completion at(std::string_view line) {
  std::vector<std::string> words;
  for (const std::string_view word : split(line, ' ')) words.emplace_back(word);
  return complete(root(), words);
}

std::string texts(const Completion& completion) {
  std::vector<std::string> out;
  for (const Candidate& candidate : completion.candidates) out.push_back(candidate.text);
  return join(out, " ");
}

TEST(Complete, CommandsAndFlags) {
  EXPECT_EQ(texts(at("a")), "apply api-resources");
  EXPECT_EQ(texts(at("-n x del")), "delete");
  EXPECT_EQ(texts(at("frob")), "");
  EXPECT_EQ(texts(at("get --wat")), "--watch --watch-only");
  EXPECT_EQ(texts(at("get --watch --wat")), "--watch-only") << "what is given is not offered again";
  EXPECT_EQ(texts(at("apply -f a --file")), "--filename") << "unless it may be repeated";
  EXPECT_EQ(texts(at("get --kube")), "--kubeconfig") << "global flags too";
  EXPECT_EQ(texts(at("get -- --wat")), "") << "behind -- there are no flags";
  EXPECT_EQ(texts(at("help ex")), "explain exit-codes");
  EXPECT_EQ(texts(at("help get ")), "");
  EXPECT_EQ(texts(at("completion ")), "bash zsh fish");
}

TEST(Complete, ValuesOfFlags) {
  EXPECT_EQ(texts(at("patch ippool x -t ")), "strategic merge json");
  EXPECT_EQ(texts(at("patch ippool x --type=m")), "--type=merge");
  EXPECT_EQ(texts(at("patch ippool x --type m")), "merge");
  EXPECT_EQ(texts(at("apply --dry-run=")), "--dry-run=none --dry-run=client --dry-run=server");
  EXPECT_EQ(texts(at("get x -o js")), "json jsonl jsonpath= jsonpath-file=");
  EXPECT_EQ(texts(at("get x -o=wi")), "-o=wide");
  EXPECT_EQ(at("apply -f ").wanted, Candidates::kFiles);
  EXPECT_EQ(at("get x -n ").wanted, Candidates::kNamespaces);
  EXPECT_EQ(at("--context ").wanted, Candidates::kContexts);
  EXPECT_EQ(at("get x -l ").wanted, Candidates::kNone);
}

TEST(Complete, KindsObjectsAndFieldsAreAskedFor) {
  const Completion kinds = at("get ipp");
  EXPECT_EQ(kinds.wanted, Candidates::kKinds);
  EXPECT_EQ(kinds.prefix, "ipp");
  const Completion second = at("get ippool,bg");
  EXPECT_EQ(second.wanted, Candidates::kKinds);
  EXPECT_EQ(second.kept, "ippool,");
  EXPECT_EQ(second.prefix, "bg");
  const Completion objects = at("delete bgppeer ra");
  EXPECT_EQ(objects.wanted, Candidates::kObjects);
  EXPECT_EQ(objects.kind, "bgppeer");
  EXPECT_EQ(objects.prefix, "ra");
  const Completion more = at("delete bgppeer a b ");
  EXPECT_EQ(more.wanted, Candidates::kObjects);
  const Completion slashed = at("get ippool/m");
  EXPECT_EQ(slashed.wanted, Candidates::kObjects);
  EXPECT_EQ(slashed.kind, "ippool");
  EXPECT_EQ(slashed.kept, "ippool/");
  EXPECT_EQ(slashed.prefix, "m");
  const Completion next_slashed = at("get ippool/m bgppeer/");
  EXPECT_EQ(next_slashed.wanted, Candidates::kObjects);
  EXPECT_EQ(next_slashed.kind, "bgppeer");
  const Completion field = at("explain ippool.spec.ip");
  EXPECT_EQ(field.wanted, Candidates::kFieldPaths);
  EXPECT_EQ(field.kind, "ippool.spec");
  EXPECT_EQ(field.kept, "ippool.spec.");
  EXPECT_EQ(field.prefix, "ip");
  EXPECT_EQ(at("explain ipp").wanted, Candidates::kKinds);
}

TEST(Complete, NamesOfNodes) {
  for (const char* line : {"node status w", "node status worker-1 w", "node status -o json w"}) {
    const Completion nodes = at(line);
    EXPECT_EQ(nodes.wanted, Candidates::kObjects) << line;
    EXPECT_EQ(nodes.kind, "nodes");
    EXPECT_EQ(nodes.prefix, "w");
  }
  EXPECT_EQ(texts(at("node ")), "status checksystem");
  EXPECT_EQ(texts(at("bgp ")), "peers routes neighbor");
  EXPECT_EQ(texts(at("bgp routes --re")), "--received --request-timeout");
  EXPECT_EQ(texts(at("node status -o w")), "wide");
}

TEST(Complete, FlagsForTheConnectionAreKnown) {
  const Completion completion = at("--context lab -n shop get networksets --kubeconfig=/x -oyaml ");
  EXPECT_EQ(completion.so_far.text("context"), "lab");
  EXPECT_EQ(completion.so_far.text("namespace"), "shop");
  EXPECT_EQ(completion.so_far.text("kubeconfig"), "/x");
  EXPECT_EQ(completion.so_far.text("output"), "yaml");
}

TEST(Complete, NothingStopsIt) {
  for (const char* line : {"", " ", "-", "--", "get --frob x ", "-q get ", "get -o", "get --output", "patch a b c d ",
                           "--=", "-=", "get -=x", "get ,/", "get /,x", "explain .", "version x y "}) {
    (void)at(line);
  }
  EXPECT_EQ(texts(complete(root(), {})).substr(0, 5), "apply");
}

TEST(Complete, LinesAsCobraWritesThem) {
  EXPECT_EQ(completion_lines({{"a", "first\nsecond"}, {"b", ""}}, false), "a\tfirst\nb\n:4\n");
  EXPECT_EQ(completion_lines({}, true), ":0\n");
}

TEST(Complete, ScriptsForThreeShells) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    EXPECT_NE(completion_script(shell).find("__complete"), std::string::npos) << shell;
  }
  EXPECT_EQ(completion_script("tcsh"), "");
}

}  // namespace
}  // namespace margay::command
