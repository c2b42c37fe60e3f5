// Bytes decide how a world of policies changes: the engine never breaks, its deltas add up, and the naive evaluator
// agrees with what it says.

#include <cstddef>
#include <cstdint>

#include "base/core/check.h"
#include "test/support/random_policy.h"

namespace {

// Draws from the bytes; zeros after their end.
class Bytes final : public margay::Random {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
  std::uint64_t next() override { return at_ == end_ ? 0 : *at_++; }
  [[nodiscard]] bool is_at_end() const { return at_ == end_; }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace margay;
  Bytes bytes(data, size);
  test::RandomPolicy world(bytes);
  test::PolicyPair pair;
  while (!bytes.is_at_end()) {
    for (std::uint64_t n = 1 + bytes.below(4); n > 0; --n) world.change(pair);
    MARGAY_CHECK(pair.flush().ok());
    for (int n = 0; n < 4; ++n) {
      const policy::Packet packet = world.packet();
      MARGAY_CHECK((pair.verdict(packet).answer == policy::Answer::kAllow) == pair.naive_allows(packet));
    }
  }
  return 0;
}
