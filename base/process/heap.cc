#include "base/process/heap.h"

#include <malloc.h>

namespace margay::process {
namespace {

constexpr int kArenas = 1;
constexpr int kOwnPages = 256 << 10;  // bytes from which on a block has pages of its own
constexpr int kKept = 1 << 20;        // bytes at the end of the heap that stay although they are free
constexpr int kStep = 512 << 10;      // bytes it grows by

}  // namespace

void keep_heap_small() {
#ifdef __GLIBC__
  (void)mallopt(M_ARENA_MAX, kArenas);
  // Said once, it does not grow.
  (void)mallopt(M_MMAP_THRESHOLD, kOwnPages);
  (void)mallopt(M_TRIM_THRESHOLD, kKept);
  (void)mallopt(M_TOP_PAD, kStep);
#endif
}

void return_free_memory() {
#ifdef __GLIBC__
  (void)malloc_trim(0);
#endif
}

}  // namespace margay::process
