// The first packets of 200 pods of a real agent, and what policy denies of the datagrams that are sent to all addresses
// meanwhile. Needs root.
#include <chrono>
#include <cstdio>

#include "test/slice/first_packets.h"

int main() {
  using margay::test::TwoNodes;
  std::string why;
  const auto nodes = TwoNodes::start(&why);
  if (nodes == nullptr) {
    std::printf("first packets: %s\n", why.c_str());
    return 0;
  }
  (void)margay::test::poll_until(std::chrono::seconds(30), [&] { return nodes->is_ready(TwoNodes::Who::kA); });
  const margay::test::FirstPackets seen = margay::test::try_first_packets(*nodes, 200);
  std::printf("first packet after ADD passes                %d of %d\n", seen.passed, seen.open);
  std::printf("denied datagrams that passed                 %zu of %zu sent to all addresses, while %d pods started\n",
              seen.leaked, seen.sent, seen.closed);
  if (!seen.problem.empty()) std::printf("%s\n", seen.problem.c_str());
  return seen.problem.empty() ? 0 : 1;
}
