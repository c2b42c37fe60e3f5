#include "test/support/patience.h"

#include <cstdlib>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::test {

int patience() {
  const char* const told = std::getenv("MARGAY_TEST_PATIENCE");
  if (told == nullptr) return 1;
  const auto times = parse_number<int>(told);
  MARGAY_CHECK(times && *times >= 1 && *times <= 100);
  return *times;
}

}  // namespace margay::test
