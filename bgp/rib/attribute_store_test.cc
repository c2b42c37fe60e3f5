// The tables at the bottom: attribute sets, rewritten attributes, prefixes, next hops.
#include "bgp/rib/attribute_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "bgp/rib/attribute_rewrite.h"
#include "bgp/rib/compact_index.h"
#include "bgp/rib/next_hop_store.h"
#include "bgp/rib/prefix_table.h"
#include "bgp/rib/rib_fixture.h"

namespace margay::bgp::rib {
namespace {

bytes::View view_of(const std::string& text) { return bytes::view_of(text); }

TEST(AttributeStore, EqualSetsAreOne) {
  AttributeStore store;
  const std::string one = attributes_of({.path = {1, 2}}), two = attributes_of({.path = {1, 3}});
  const AttributeId a = store.intern(view_of(one)), b = store.intern(view_of(two)), again = store.intern(view_of(one));
  EXPECT_EQ(a, again);
  EXPECT_NE(a, b);
  EXPECT_EQ(store.size(), 2U);
  EXPECT_EQ(store.intern(view_of(one), a), a);
  EXPECT_EQ(store.intern(view_of(one), b), a) << "a wrong guess does no harm";
  for (int i = 0; i < 4; ++i) store.release(a);
  EXPECT_EQ(store.size(), 1U);
  store.release(b);
  EXPECT_EQ(store.size(), 0U);
  EXPECT_EQ(store.memory_bytes(), 0U);
}

TEST(AttributeStore, ReadsWhatTheDecisionAsks) {
  AttributeStore store;
  const std::string bytes = attributes_of({.path = {7, 8, 9},
                                           .local_pref = 5,
                                           .med = 6,
                                           .communities = {kNoExport, kLlgrStale},
                                           .originator = 99,
                                           .clusters = {1, 2},
                                           .origin = Origin::kEgp});
  const AttributeRecord& record = store[store.intern(view_of(bytes))];
  EXPECT_EQ(record.local_pref, 5U);
  EXPECT_EQ(record.med, 6U);
  EXPECT_EQ(record.neighbour_asn, 7U);
  EXPECT_EQ(record.path_length, 3U);
  EXPECT_EQ(record.originator_id, 99U);
  EXPECT_EQ(record.cluster_list_length, 2U);
  EXPECT_EQ(record.origin, Origin::kEgp);
  EXPECT_TRUE(record.has(AttributeRecord::kNoExport) && record.has(AttributeRecord::kLlgrStale));
  EXPECT_FALSE(record.has(AttributeRecord::kNoAdvertise) || record.has(AttributeRecord::kGracefulShutdown));
  const std::string plain = attributes_of({});
  EXPECT_EQ(store[store.intern(view_of(plain))].local_pref, kDefaultLocalPref);
}

TEST(AttributeStore, RemembersTheLastRewritingAsLongAsTheSetIsThere) {
  AttributeStore store;
  const AttributeId from = store.intern(view_of(attributes_of({.path = {1}})));
  const AttributeId first = store.intern(view_of(attributes_of({.path = {2, 1}})));
  const AttributeId second = store.intern(view_of(attributes_of({.path = {3, 1}})));
  EXPECT_EQ(store.rewritten(from, 2), kNoId);
  store.set_rewritten(from, 2, first);
  store.release(first);
  EXPECT_EQ(store.rewritten(from, 2), first);
  EXPECT_EQ(store.rewritten(from, 3), kNoId);
  store.set_rewritten(from, 3, second);
  EXPECT_EQ(store.rewritten(from, 2), kNoId);
  EXPECT_EQ(store.size(), 2U) << "the one before has gone";
  store.release(second);
  store.release(from);
  EXPECT_EQ(store.memory_bytes(), 0U);
}

TEST(AttributeStore, SurvivesAStormOfSets) {
  AttributeStore store;
  SeededRandom random(3);
  std::vector<std::pair<AttributeId, std::uint32_t>> held;
  for (int i = 0; i < 20'000; ++i) {
    if (!held.empty() && random.below(5) < 2) {
      const std::size_t at = random.below(held.size());
      ASSERT_EQ(store[held[at].first].neighbour_asn, held[at].second);
      store.release(held[at].first);
      held[at] = held.back();
      held.pop_back();
    } else {
      const auto asn = 1 + static_cast<std::uint32_t>(random.below(3000));
      held.emplace_back(store.intern(view_of(attributes_of({.path = {asn}}))), asn);
    }
  }
  for (const auto& [id, asn] : held) store.release(id);
  EXPECT_EQ(store.memory_bytes(), 0U);
}

AttributeText some_text(SeededRandom& random) {
  AttributeText text;
  for (std::uint64_t i = random.below(3) == 0 ? random.below(260) : random.below(5); i > 0; --i) {
    text.path.push_back(1 + static_cast<std::uint32_t>(random.below(100'000)));
  }
  if (random.below(2) == 0) text.local_pref = static_cast<std::uint32_t>(random.next());
  if (random.below(2) == 0) text.med = static_cast<std::uint32_t>(random.next());
  for (std::uint64_t i = random.below(4); i > 0; --i)
    text.communities.push_back(static_cast<std::uint32_t>(random.next()));
  if (random.below(2) == 0) text.originator = 1 + static_cast<std::uint32_t>(random.below(9));
  if (random.below(2) == 0) text.clusters = {1, 2};
  return text;
}

TEST(AttributeRewrite, DoesWhatTheEditorDoes) {
  SeededRandom random(5);
  std::string out;
  int rewritten = 0;
  for (int i = 0; i < 5'000; ++i) {
    AttributeEditor builder{AttributeView(view_of(attributes_of(some_text(random))))};
    if (random.below(4) == 0) builder.add_community(LargeCommunity{1, 2, 3});
    if (random.below(8) == 0) builder.add_extended_community(0x0002000100000064U);
    const std::string attributes = builder.finish();
    const Asn asn(64512);
    AttributeEditor external{AttributeView(view_of(attributes))};
    external.remove_for_ebgp();
    external.set_local_pref(std::nullopt);
    external.set_med(std::nullopt);
    external.prepend({&asn, 1});
    if (rewrite_for_external(view_of(attributes), asn, out)) {
      ++rewritten;
      ASSERT_EQ(out, external.finish());
    }
    AttributeEditor internal{AttributeView(view_of(attributes))};
    internal.set_local_pref(77);
    rewrite_local_pref(view_of(attributes), 77, out);
    ASSERT_EQ(out, internal.finish());
  }
  EXPECT_GT(rewritten, 3'000);
}

TEST(PrefixTable, NumbersStayWhileNeededAndAreUsedAgain) {
  for (const Family family : kFamilies) {
    PrefixTable table(family);
    const bool is_v4 = family == Family::kIpv4Unicast;
    std::vector<IpPrefix> prefixes;
    for (std::uint32_t i = 0; i < 5'000; ++i) {
      prefixes.push_back(
          is_v4 ? IpPrefix::containing(IpAddress::v4(i << 12), 20 + static_cast<int>(i % 13))
                : IpPrefix::containing(IpAddress::v6(std::uint64_t{i} << 32, i), 64 + static_cast<int>(i % 65)));
    }
    for (const IpPrefix& prefix : prefixes) table.hold(table.find_or_add(prefix));
    EXPECT_EQ(table.size(), prefixes.size());
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
      const PrefixId id = table.find(prefixes[i]);
      ASSERT_NE(id, kNoId);
      ASSERT_EQ(table.prefix(id), prefixes[i]);
      if (i % 2 == 0) table.unhold(id);
    }
    EXPECT_EQ(table.find(prefixes[0]), kNoId);
    EXPECT_EQ(table.size(), prefixes.size() / 2);
    const PrefixId limit = table.limit();
    for (std::size_t i = 0; i < prefixes.size(); i += 2) table.hold(table.find_or_add(prefixes[i]));
    EXPECT_EQ(table.limit(), limit);
    std::sort(prefixes.begin(), prefixes.end());
    const std::vector<PrefixId> sorted = table.sorted();
    for (std::size_t i = 0; i < prefixes.size(); ++i) ASSERT_EQ(table.prefix(sorted[i]), prefixes[i]);
    for (const PrefixId id : sorted) table.unhold(id);
    EXPECT_EQ(table.memory_bytes(), 0U);
  }
}

TEST(PrefixTable, PrefixesOfOneAddressAreTold) {
  PrefixTable table(Family::kIpv4Unicast);
  const PrefixId shorter = table.find_or_add(prefix_of("10.0.0.0/8")),
                 longer = table.find_or_add(prefix_of("10.0.0.0/9"));
  EXPECT_NE(shorter, longer);
  EXPECT_EQ(table.find(prefix_of("10.0.0.0/10")), kNoId);
}

// Also with hashes that hardly differ, around the end of the table, and through every growth.
TEST(CompactIndex, FindsWhatIsThereWhateverCameAndWent) {
  for (const std::uint32_t hash_mask : {0xffffffffU, 0xf000000fU, 0x3U, 0xffff0000U}) {
    SeededRandom random(hash_mask);
    CompactIndex index;
    IdAllocator ids;
    std::map<std::uint32_t, std::uint32_t> hashes;  // by number
    const auto hash_of = [&](std::uint32_t id) { return hashes.at(id); };
    for (int step = 0; step < 3'500; ++step) {
      const bool grows = step < 1'500 || step % 2 == 0;
      if (grows || hashes.empty()) {
        const std::uint32_t id = ids.allocate();
        hashes[id] = static_cast<std::uint32_t>(random.next()) & hash_mask;
        index.insert(id, hashes[id], [&](const auto& put) {
          for (const auto& [one, hash] : hashes) put(one, hash);
        });
      } else {
        const auto gone = std::next(hashes.begin(), static_cast<std::ptrdiff_t>(random.below(hashes.size())));
        index.erase(gone->first, hash_of);
        ids.release(gone->first);
        hashes.erase(gone);
      }
      if (step % 500 != 0) continue;
      for (const auto& [id, hash] : hashes) {
        ASSERT_EQ(index.find(hash, [id = id](std::uint32_t other) { return other == id; }), id) << hash_mask;
      }
      ASSERT_EQ(index.find(0x12345678U & hash_mask, [](std::uint32_t) { return false; }), kNoId);
    }
    while (!hashes.empty()) {
      const std::uint32_t id = hashes.begin()->first;
      index.erase(id, hash_of);
      hashes.erase(id);
    }
    EXPECT_EQ(index.memory_bytes(), 0U);
  }
}

TEST(NextHopStore, EqualNextHopsAreOne) {
  NextHopStore store;
  const NextHop plain{address_of("2001:db8::1"), std::nullopt}, both{address_of("2001:db8::1"), address_of("fe80::1")};
  const NextHopId a = store.intern(plain), b = store.intern(both);
  EXPECT_NE(a, b);
  EXPECT_EQ(store.intern(plain, b), a);
  EXPECT_EQ(store[b], both);
  store.release(a);
  store.release(a);
  store.release(b);
  EXPECT_EQ(store.memory_bytes(), 0U);
}

// Sets that differ in the top bits of two words were one to a hash of shifts and products without a key: each of the
// pairs doubles their number.
TEST(KeyedHash, DifferencesThatCancelDoNotCollide) {
  constexpr std::uint32_t kPairs = 12;
  const HashKey key;
  std::set<std::uint64_t> hashes;
  for (std::uint32_t set = 0; set < 1U << kPairs; ++set) {
    std::string value(kPairs * 16, 'x');
    for (std::uint32_t pair = 0; pair < kPairs; ++pair) {
      if ((set >> pair & 1) == 0) continue;
      value[pair * 16 + 7] = static_cast<char>(value[pair * 16 + 7] ^ 0x80);
      value[pair * 16 + 11] = static_cast<char>(value[pair * 16 + 11] ^ 0x80);
      value[pair * 16 + 15] = static_cast<char>(value[pair * 16 + 15] ^ 0x80);
    }
    hashes.insert(hash_bytes(bytes::view_of(value), key));
  }
  EXPECT_EQ(hashes.size(), std::size_t{1} << kPairs);
}

// What collides under one key is nothing under another.
TEST(KeyedHash, EachKeyHasItsOwn) {
  const std::string value = "the same bytes";
  EXPECT_NE(hash_bytes(bytes::view_of(value), HashKey{1, 2}), hash_bytes(bytes::view_of(value), HashKey{1, 3}));
  EXPECT_NE(hash_bytes(bytes::view_of(value), HashKey{1, 2}), hash_bytes(bytes::view_of(value), HashKey{4, 2}));
  EXPECT_NE(HashKey{}.first, HashKey{}.first);
}

}  // namespace
}  // namespace margay::bgp::rib
