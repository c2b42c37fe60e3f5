// Heap: how a long-lived process uses glibc's (malloc(3), mallopt(3)).
//
// A daemon of ours has a few threads that hand each other objects, and now and then needs megabytes for a moment: a
// list of the API server, what iptables-save prints. glibc's defaults are made for threads that share nothing and
// blocks that come back: each thread gets an arena of its own, which objects freed by another thread leave full of
// holes, and a large block that was freed once makes all later ones of its size come from such an arena instead of from
// pages of their own, which go back at once. Without another allocator than glibc's both do nothing.
#pragma once

namespace margay::process {

// Before the first thread is made.
void keep_heap_small();
// Gives what is free back to the kernel; takes some milliseconds.
void return_free_memory();

}  // namespace margay::process
