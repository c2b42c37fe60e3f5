// MARGAY_CHECK: for our own mistakes only, never for what a peer, the API server, the kernel or a user can cause.
// Always on; prints the condition with its place on standard error and aborts.
#pragma once

namespace margay {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace margay

#define MARGAY_CHECK(condition)                               \
  do {                                                        \
    if (!(condition)) [[unlikely]]                            \
      ::margay::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
