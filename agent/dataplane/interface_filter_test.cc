#include "agent/dataplane/interface_filter.h"

#include <gtest/gtest.h>

namespace margay::agent {
namespace {

InterfaceFilter filter(std::string_view list, std::size_t problem_count = 0) {
  FieldErrors problems;
  InterfaceFilter out(list, problems);
  EXPECT_EQ(problems.size(), problem_count) << to_string(problems);
  return out;
}

TEST(InterfaceFilter, NamesAreWholeAndPatternsAreParts) {
  const InterfaceFilter both = filter("kube-ipvs0, /^veth/ ,/[0-9]{3}$/,a.b");
  for (const char* name : {"kube-ipvs0", "veth7", "eth100", "a.b"}) EXPECT_TRUE(both.matches(name)) << name;
  for (const char* name : {"kube-ipvs01", "kube-ipvs", "xveth7", "eth10", "axb", ""}) {
    EXPECT_FALSE(both.matches(name)) << name;
  }
}

TEST(InterfaceFilter, AnEmptyListExcludesNothing) {
  EXPECT_FALSE(filter("").matches("eth0"));
  EXPECT_FALSE(filter(" , ,").matches(""));
  EXPECT_FALSE(InterfaceFilter().matches("eth0"));
}

TEST(InterfaceFilter, APatternThatCannotBeReadIsReportedAndTheOthersCount) {
  const InterfaceFilter rest = filter("/(/,dummy0,/[/", 2);
  EXPECT_TRUE(rest.matches("dummy0"));
  EXPECT_FALSE(rest.matches("("));
  EXPECT_TRUE(filter("/,//").matches("/")) << "a name, not a pattern";
}

}  // namespace
}  // namespace margay::agent
