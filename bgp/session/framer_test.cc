#include "bgp/session/framer.h"

#include <gmock/gmock.h>

#include "base/core/random.h"
#include "bgp/wire/encode.h"

namespace margay::bgp::session {
namespace {

using testing::ElementsAre;

std::string keepalive_bytes() {
  std::string bytes;
  encode_keepalive(bytes);
  return bytes;
}

std::string end_of_rib_bytes() {
  std::string bytes;
  encode_end_of_rib(Family::kIpv6Unicast, bytes);
  return bytes;
}

struct Seen {
  std::vector<std::string> messages;
  std::optional<DecodeError> error;

  void feed(Framer& framer, std::string_view bytes, const DecodeContext& context = {}) {
    error = framer.feed(bytes::view_of(bytes), context, [this](MessageType, bytes::View message) {
      messages.emplace_back(bytes::text_of(message));
      return true;
    });
  }
};

TEST(Framer, HandsOnWholeMessagesHoweverTheyAreCut) {
  const std::string stream =
      keepalive_bytes() + end_of_rib_bytes() + keepalive_bytes() + end_of_rib_bytes() + end_of_rib_bytes();
  for (std::uint64_t seed = 1; seed < 200; ++seed) {
    SeededRandom random(seed);
    Framer framer;
    Seen seen;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random.below(40), stream.size() - at);
      seen.feed(framer, std::string_view(stream).substr(at, size));
      ASSERT_FALSE(seen.error);
      at += size;
    }
    EXPECT_THAT(seen.messages, ElementsAre(keepalive_bytes(), end_of_rib_bytes(), keepalive_bytes(), end_of_rib_bytes(),
                                           end_of_rib_bytes()));
  }
}

TEST(Framer, OneByteAtATime) {
  Framer framer;
  Seen seen;
  for (const char byte : keepalive_bytes() + end_of_rib_bytes()) seen.feed(framer, std::string_view(&byte, 1));
  EXPECT_THAT(seen.messages, ElementsAre(keepalive_bytes(), end_of_rib_bytes()));
}

TEST(Framer, ABadHeaderIsToldAfterTheMessagesBeforeIt) {
  for (const std::size_t cut : {std::size_t{0}, std::size_t{5}, std::size_t{19}, std::size_t{30}}) {
    std::string bad = keepalive_bytes();
    bad[0] = 0;
    const std::string stream = keepalive_bytes() + bad;
    Framer framer;
    Seen seen;
    seen.feed(framer, stream.substr(0, cut));
    if (!seen.error) seen.feed(framer, stream.substr(cut));
    EXPECT_THAT(seen.messages, ElementsAre(keepalive_bytes()));
    ASSERT_TRUE(seen.error);
    EXPECT_EQ(seen.error->notification.code, 1);
    EXPECT_FALSE(framer.bad_bytes().empty());
    EXPECT_LE(framer.bad_bytes().size(), kHeaderSize);
  }
}

TEST(Framer, ALengthThatIsTooLongIsAnErrorBeforeItsBytesCome) {
  std::string bad = end_of_rib_bytes().substr(0, 19);
  bad[16] = static_cast<char>(0x7f);
  Framer framer;
  Seen seen;
  seen.feed(framer, bad);
  ASSERT_TRUE(seen.error);
  EXPECT_EQ(seen.error->notification.subcode, 2);
  DecodeContext extended;
  extended.extended_message = true;
  Framer other;
  seen.feed(other, bad, extended);
  EXPECT_FALSE(seen.error);
}

TEST(Framer, NothingIsHandedOnAfterTheConnectionIsGone) {
  Framer framer;
  int count = 0;
  (void)framer.feed(bytes::view_of(keepalive_bytes() + keepalive_bytes()), {}, [&](MessageType, bytes::View) {
    ++count;
    return false;
  });
  EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace margay::bgp::session
