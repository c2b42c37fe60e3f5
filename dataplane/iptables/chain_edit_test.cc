#include "dataplane/iptables/chain_edit.h"

#include <gtest/gtest.h>

#include <string>

#include "base/core/random.h"
#include "base/core/text.h"

namespace margay::iptables {
namespace {

// One letter is one rule.
std::vector<Mark> marks(std::string_view letters) {
  std::vector<Mark> out;
  for (const char letter : letters) {
    Mark mark;
    mark.text[0] = letter;
    out.push_back(mark);
  }
  return out;
}

std::string text_of(const std::vector<Edit>& edits, std::string_view wanted) {
  std::string out;
  for (const Edit& edit : edits) {
    switch (edit.what) {
      case Edit::What::kReplace: out += concat("R", edit.position, wanted[edit.wanted], ' '); break;
      case Edit::What::kInsert: out += concat("I", edit.position, wanted[edit.wanted], ' '); break;
      case Edit::What::kDelete: out += concat("D", edit.position, ' '); break;
      case Edit::What::kAppend: out += concat("A", wanted[edit.wanted], ' '); break;
    }
  }
  return std::string(trim(out));
}

// Does them as iptables would; an upper-case letter marks a rule that this life of the chain brought.
std::string done(std::string chain, const std::vector<Edit>& edits, std::string_view wanted) {
  for (const Edit& edit : edits) {
    const std::size_t at = edit.position - 1;
    if (edit.what == Edit::What::kAppend) {
      chain += wanted[edit.wanted];
      continue;
    }
    if (edit.what == Edit::What::kInsert) {
      EXPECT_LT(at, chain.size()) << "names a rule that is there";
      chain.insert(at, 1, wanted[edit.wanted]);
      continue;
    }
    EXPECT_LT(at, chain.size());
    if (edit.what == Edit::What::kReplace) {
      chain[at] = wanted[edit.wanted];
    } else {
      chain.erase(at, 1);
    }
  }
  return chain;
}

TEST(ChainEdit, SmallChangesAreSmall) {
  struct Case {
    const char* why;
    const char* actual;
    const char* wanted;
    const char* edits;
  };
  const Case cases[] = {
      {"nothing to do", "abc", "abc", ""},
      {"one comes before all others", "abc", "xabc", "I1x"},
      {"one comes last", "abc", "abcx", "Ax"},
      {"one in the middle", "abc", "abxc", "I3x"},
      {"one goes", "abc", "ac", "D2"},
      {"one is another", "abc", "axc", "R2x"},
      {"two places far apart", "abcdef", "xabcdeyf", "I1x I7y"},
      {"one moves to the end", "abcd", "bcda", "D1 Aa"},
      {"equal ones", "aaa", "aa", "D3"},
      {"a rule of somebody else", "ab?c", "abc", "D3"},
      {"from nothing", "", "ab", "Aa Ab"},
      {"to nothing", "ab", "", "D1 D1"},
      {"all others", "ab", "xyz", "R1x R2y Az"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(text_of(edits_between(marks(one.actual), marks(one.wanted)), one.wanted), one.edits) << one.why;
  }
}

TEST(ChainEdit, AnyChainBecomesAnyOther) {
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    SeededRandom random(seed);
    const auto letters = [&] {
      std::string out;
      for (std::uint64_t size = random.below(12); size > 0; --size) out += static_cast<char>('a' + random.below(8));
      return out;
    };
    const std::string actual = letters();
    const std::string wanted = letters();
    const auto edits = edits_between(marks(actual), marks(wanted));
    ASSERT_EQ(done(actual, edits, wanted), wanted) << "seed " << seed << ": " << actual << " to " << wanted;
    ASSERT_LE(edits.size(), std::max(actual.size(), wanted.size()) * 2) << "seed " << seed;
    for (std::size_t i = 1; i < edits.size(); ++i) {
      if (edits[i].what != Edit::What::kAppend) {
        ASSERT_LE(edits[i - 1].position, edits[i].position) << "seed " << seed;
      }
    }
  }
}

// nft finds a rule by a number the kernel gave it, which those of the same transaction do not have.
TEST(ChainEdit, NoEditNamesARuleThatAnotherOneBrought) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    SeededRandom random(seed);
    std::string actual;
    std::string wanted;
    for (char letter = 'a'; letter <= 'p'; ++letter) {
      if (random.below(3) > 0) actual += letter;
      if (random.below(3) > 0) wanted += letter;
    }
    std::string chain = actual;
    const auto edits = edits_between(marks(actual), marks(wanted));
    for (const Edit& edit : edits) {
      if (edit.what != Edit::What::kAppend) {
        ASSERT_GE(chain.at(edit.position - 1), 'a') << "seed " << seed;
      }
      const std::string upper = to_lower(wanted);
      std::string brought;
      for (const char letter : upper) brought += static_cast<char>(letter - 'a' + 'A');
      chain = done(chain, {edit}, brought);
    }
    ASSERT_EQ(to_lower(chain), wanted);
  }
}

}  // namespace
}  // namespace margay::iptables
