// What holds for any UPDATE: encoding and decoding are inverse, the canonical form stays as it is, and bytes cut short
// or changed never make the decoder read past their end (AddressSanitizer watches exact-size copies).

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "base/core/random.h"
#include "bgp/wire/attributes.h"
#include "bgp/wire/decode.h"
#include "bgp/wire/encode.h"
#include "bgp/wire/test_bytes.h"

namespace margay::bgp {
namespace {

using bytes::view_of;

struct Route {
  std::string attributes;
  NextHop next_hop;
  std::vector<Nlri> nlri;
};

std::uint32_t number(SeededRandom& random) { return static_cast<std::uint32_t>(random.next()); }

Asn random_asn(SeededRandom& random) {
  return Asn(1 + (random.below(2) == 0 ? static_cast<std::uint32_t>(random.below(65000)) : number(random) >> 1));
}

std::string random_bytes(SeededRandom& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& each : bytes) each = static_cast<char>(random.next());
  return bytes;
}

std::string random_attributes(SeededRandom& random) {
  AttributeEditor editor;
  editor.set_origin(static_cast<Origin>(random.below(3)));
  std::vector<Asn> path(1 + random.below(random.below(10) == 0 ? 600 : 6));
  for (Asn& asn : path) asn = random_asn(random);
  path[0] = Asn(65001);
  editor.set_as_path(path);
  editor.set_local_pref(number(random));
  if (random.below(2) == 0) editor.set_med(number(random));
  if (random.below(4) == 0) editor.set_originator_id(RouterId(number(random)));
  for (auto i = random.below(3); i > 0; --i) editor.prepend_cluster(RouterId(number(random)));
  for (auto i = random.below(80); i > 0; --i) editor.add_community(static_cast<std::uint32_t>(random.below(100)));
  for (auto i = random.below(4); i > 0; --i)
    editor.add_community(LargeCommunity{number(random) & 1, number(random) & 1, number(random) & 1});
  for (auto i = random.below(4); i > 0; --i) editor.add_extended_community(random.next());
  if (random.below(4) == 0) editor.set(AttributeType::kAtomicAggregate, {});
  if (random.below(4) == 0) editor.set(AttributeType::kAggregator, view_of(std::string("\0\1\0\1\1\2\3\4", 8)));
  if (random.below(4) == 0)
    editor.set(static_cast<AttributeType>(200), view_of(random_bytes(random, random.below(400))));
  return editor.finish();
}

Nlri random_nlri(SeededRandom& random, Family family, bool has_path_id) {
  const std::uint32_t path_id = has_path_id ? number(random) : 0;
  if (family == Family::kIpv4Unicast) {
    const auto bits = static_cast<std::uint32_t>(random.below(0x70000000));
    return {IpPrefix::containing(IpAddress::v4(bits), static_cast<int>(random.below(33))), path_id};
  }
  const IpAddress address = IpAddress::v6(0x2000'0000'0000'0000U | random.next() >> 4, random.next());
  return {IpPrefix::containing(address, static_cast<int>(random.below(129))), path_id};
}

Route random_route(SeededRandom& random, Family family, bool has_path_id) {
  Route route{random_attributes(random), {}, {}};
  route.next_hop.address = IpAddress::v4(0xc0000200U | static_cast<std::uint32_t>(random.below(255)));
  if (family == Family::kIpv6Unicast) route.next_hop.address = IpAddress::v6(0x2001'0db8'0000'0000U, random.next() | 1);
  if (family == Family::kIpv6Unicast && random.below(2) == 0) {
    route.next_hop.link_local = IpAddress::v6(0xfe80'0000'0000'0000U, random.next());
  }
  for (auto i = 1 + random.below(random.below(20) == 0 ? 3000 : 10); i > 0; --i) {
    route.nlri.push_back(random_nlri(random, family, has_path_id));
  }
  return route;
}

struct Contexts {
  DecodeContext decode;
  EncodeContext encode;
};

Contexts random_contexts(SeededRandom& random) {
  Contexts both;
  both.decode.families = {true, true};
  both.decode.is_internal = true;
  both.decode.peer_asn = Asn(65001);
  both.decode.four_octet_as = both.encode.four_octet_as = random.below(2) == 0;
  both.decode.extended_message = both.encode.extended_message = random.below(2) == 0;
  both.decode.add_path = both.encode.add_path = {random.below(2) == 0, random.below(2) == 0};
  return both;
}

TEST(UpdateProperty, EncodingAndDecodingAreInverse) {
  SeededRandom random(1);
  Update update;
  for (int round = 0; round < 2000; ++round) {
    const Contexts contexts = random_contexts(random);
    const Family family = kFamilies[random.below(2)];
    const Route route = random_route(random, family, contexts.encode.add_path[family]);
    std::string bytes;
    const auto count = encode_reach(contexts.encode, view_of(route.attributes), route.next_hop, route.nlri, bytes);
    ASSERT_TRUE(count.ok()) << count.error().message;
    std::vector<Nlri> seen;
    std::size_t messages = 0;
    for (bytes::View rest = view_of(bytes); !rest.empty(); ++messages) {
      const auto header = decode_header(rest, contexts.decode);
      ASSERT_TRUE(header.ok() && header->has_value());
      ASSERT_TRUE(decode_update(rest.first((*header)->size), contexts.decode, update).ok());
      ASSERT_TRUE(update.faults.empty()) << update.faults[0].what;
      ASSERT_EQ(test::to_hex(update.attributes), test::to_hex(route.attributes));
      ASSERT_EQ(update.reach[family].next_hop, route.next_hop);
      seen.insert(seen.end(), update.reach[family].nlri.begin(), update.reach[family].nlri.end());
      rest = rest.subspan((*header)->size);
    }
    ASSERT_EQ(messages, *count);
    ASSERT_EQ(seen, route.nlri);
  }
}

TEST(UpdateProperty, WithdrawalsComeBack) {
  SeededRandom random(2);
  Update update;
  for (int round = 0; round < 500; ++round) {
    const Contexts contexts = random_contexts(random);
    const Family family = kFamilies[random.below(2)];
    const Route route = random_route(random, family, contexts.encode.add_path[family]);
    std::string bytes;
    std::size_t left = encode_withdraw(contexts.encode, route.nlri, bytes);
    std::vector<Nlri> seen;
    for (bytes::View rest = view_of(bytes); !rest.empty(); --left) {
      const auto header = decode_header(rest, contexts.decode);
      ASSERT_TRUE(header.ok() && header->has_value());
      ASSERT_TRUE(decode_update(rest.first((*header)->size), contexts.decode, update).ok());
      ASSERT_TRUE(update.faults.empty());
      seen.insert(seen.end(), update.withdrawn[family].begin(), update.withdrawn[family].end());
      rest = rest.subspan((*header)->size);
    }
    ASSERT_EQ(left, 0U);
    ASSERT_EQ(seen, route.nlri);
  }
}

// The attributes of a random set, shuffled, some of them twice, lists reversed: another way to write the same.
std::string shuffled(SeededRandom& random, std::string_view canonical) {
  std::vector<std::string> attributes;
  while (!canonical.empty()) {
    const bool is_long = (canonical[0] & 0x10) != 0;
    const auto at = [&](std::size_t index) { return static_cast<std::uint8_t>(canonical[index]); };
    const std::size_t size = is_long ? 4 + at(2) * 256U + at(3) : 3U + at(2);
    std::string one(canonical.substr(0, size));
    if (one[1] == 8 && size > 7) {  // COMMUNITIES: the first one once more, at the end, and Extended Length
      const std::string value = one.substr(is_long ? 4 : 3);
      const std::string longer = value + value.substr(0, 4);
      one = std::string("\xd0\x08") + test::two_octets(longer.size()) + longer;
    }
    attributes.push_back(std::move(one));
    canonical.remove_prefix(size);
  }
  for (std::size_t i = attributes.size(); i > 1; --i) std::swap(attributes[i - 1], attributes[random.below(i)]);
  std::string out;
  for (const std::string& each : attributes) out += each;
  return out;
}

TEST(UpdateProperty, HoweverWrittenTheCanonicalFormIsTheSame) {
  SeededRandom random(3);
  DecodeContext context = random_contexts(random).decode;
  context.four_octet_as = true;
  context.add_path = {};
  Update update;
  for (int round = 0; round < 500; ++round) {
    const std::string canonical = random_attributes(random);
    const std::string message =
        test::update({}, shuffled(random, canonical) + test::hex("40 03 04 c0000201"), test::hex("08 0a"));
    ASSERT_TRUE(decode_update(view_of(message), context, update).ok());
    ASSERT_TRUE(update.faults.empty()) << update.faults[0].what;
    ASSERT_EQ(test::to_hex(update.attributes), test::to_hex(canonical));
    ASSERT_EQ(AttributeEditor(AttributeView(view_of(canonical))).finish(), canonical);
  }
}

// In memory of its own, of exactly its size.
class ExactCopy {
 public:
  explicit ExactCopy(std::string_view from)
      : size_(from.size()), bytes_(std::make_unique<std::uint8_t[]>(from.size())) {
    std::copy(from.begin(), from.end(), bytes_.get());
  }
  [[nodiscard]] bytes::View view() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<std::uint8_t[]> bytes_;
};

// Reads all that a view can be asked.
std::size_t read_all(const AttributeView& view) {
  const AsPathView path = view.as_path();
  std::size_t sum = path.length() + path.numbers().size() + path.to_string().size() + path.count(Asn(1));
  sum += view.communities().size() + view.large_communities().size() + view.extended_communities().size();
  sum += view.cluster_list_length();
  for (const bool each :
       {path.first().has_value(), path.last().has_value(), path.starts_with({}), view.med().has_value(),
        view.local_pref().has_value(), view.originator_id().has_value(), view.cluster_list_contains(RouterId(1)),
        view.has_community(1U), view.has_community(LargeCommunity{}), view.origin() == Origin::kIgp}) {
    sum += each ? 1U : 0U;
  }
  return sum;
}

TEST(UpdateProperty, CutAndChangedBytesAreReadWithinTheirEnd) {
  SeededRandom random(4);
  Update update;
  std::size_t good = 0, bad = 0;
  for (int round = 0; round < 3000; ++round) {
    const Contexts contexts = random_contexts(random);
    const Family family = kFamilies[random.below(2)];
    Route route = random_route(random, family, contexts.encode.add_path[family]);
    route.nlri.resize(std::min<std::size_t>(route.nlri.size(), 8));
    std::string message;
    ASSERT_TRUE(encode_reach(contexts.encode, view_of(route.attributes), route.next_hop, route.nlri, message).ok());
    for (auto i = random.below(4); i > 0; --i)
      message[19 + random.below(message.size() - 19)] = static_cast<char>(random.next());
    if (random.below(2) == 0) message.resize(random.below(message.size()));
    const ExactCopy copy(message);
    const bool ok = decode_update(copy.view(), contexts.decode, update).ok();
    (ok ? good : bad) += 1;
    if (ok) {
      const ExactCopy attributes(update.attributes);
      EXPECT_LE(read_all(AttributeView(attributes.view())), 1'000'000U);
    }
  }
  EXPECT_GT(good, 500U);
  EXPECT_GT(bad, 500U);
}

TEST(AttributeViewProperty, BytesThatAreNoAttributesAreReadWithinTheirEnd) {
  SeededRandom random(5);
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = random_attributes(random);
    bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    bytes.resize(random.below(bytes.size()));
    const ExactCopy copy(bytes);
    const AttributeView view(copy.view());
    EXPECT_LE(read_all(view), 1'000'000U);
    EXPECT_LE(AttributeEditor(view).finish().size(), bytes.size() + 4);
  }
}

TEST(OpenProperty, CutAndChangedBytesAreReadWithinTheirEnd) {
  SeededRandom random(6);
  Capabilities all;
  all.multiprotocol = {{1, 1}, {2, 1}};
  all.route_refresh = all.extended_message = all.enhanced_route_refresh = true;
  all.extended_next_hop = {{1, 1}};
  all.graceful_restart = GracefulRestart{true, true, 120, {{{1, 1}, true}}};
  all.four_octet_asn = Asn(65000);
  all.add_path[{1, 1}] = {true, true};
  all.long_lived[{1, 1}] = {true, 1000};
  all.hostname = "node";
  all.software_version = "margay";
  std::string open;
  encode_open({Asn(65000), 90, RouterId(1), all}, open);
  std::size_t good = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = open;
    for (auto i = random.below(3); i > 0; --i)
      bytes[19 + random.below(bytes.size() - 19)] = static_cast<char>(random.next());
    if (random.below(2) == 0) bytes.resize(random.below(bytes.size()));
    const ExactCopy copy(bytes);
    const auto decoded = decode_open(copy.view());
    if (decoded.ok()) {
      ++good;
      EXPECT_LT(decoded->capabilities.to_strings().size(), 100U);
    }
    (void)decode_notification(copy.view());
    (void)decode_route_refresh(copy.view());
    (void)decode_header(copy.view(), {});
  }
  EXPECT_GT(good, 500U);
}

}  // namespace
}  // namespace margay::bgp
