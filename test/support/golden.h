// Golden files: expected output kept as text beside the test (testdata/), so that a change of what people see is a diff
// that a person reviews. UPDATE_GOLDEN=1 rewrites them; the test then passes, and the diff is the review.
//
// Header-only: usable by any folder's unit tests.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"

namespace margay::test {

// `path` from the source tree's root: "ctl/render/testdata/table.txt".
inline void expect_golden(const std::string& path, const std::string& actual) {
  const char* root = std::getenv("MARGAY_SOURCE_DIR");
  ASSERT_NE(root, nullptr) << "MARGAY_SOURCE_DIR is not set; run by ctest";
  const std::string file = std::string(root) + "/" + path;
  if (const char* update = std::getenv("UPDATE_GOLDEN"); update != nullptr && *update == '1') {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << actual;
    return;
  }
  std::ifstream in(file, std::ios::binary);
  ASSERT_TRUE(in.good()) << file << " is not there; UPDATE_GOLDEN=1 makes it";
  const std::string expected{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  EXPECT_EQ(actual, expected) << "differs from " << path << "; if the change is meant: UPDATE_GOLDEN=1";
}

}  // namespace margay::test
