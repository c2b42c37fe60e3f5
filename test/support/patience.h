// How much slower than usual the machine is that tests run on: 1, or what MARGAY_TEST_PATIENCE says (1 to 100). Time
// limits of tests are as many times as long there, and what they send goes at as many times the distance. For emulated
// processors (test/vm); what a test asserts is the same everywhere.
#pragma once

namespace margay::test {

int patience();

}  // namespace margay::test
