// Views and editor of attributes in canonical form.

#include "bgp/wire/attributes.h"

#include <gtest/gtest.h>

#include "base/core/text.h"
#include "bgp/wire/test_bytes.h"

namespace margay::bgp {
namespace {

using bytes::view_of;
using test::hex;
using test::to_hex;

struct PathCase {
  std::string_view bytes, text;
  std::size_t length;
  std::optional<std::uint32_t> first, last;
};

const PathCase kPaths[] = {
    {"", "", 0, std::nullopt, std::nullopt},
    {"02 01 0000fde9", "65001", 1, 65001, 65001},
    {"02 03 0000fde9 00010001 0000fde9", "65001 65537 65001", 3, 65001, 65001},
    {"02 01 0000fde9 01 02 00000001 00000002", "65001 {1,2}", 2, 65001, 2},
    {"01 02 00000001 00000002", "{1,2}", 1, std::nullopt, 2},
    {"03 02 00000001 00000002 02 01 00000003", "(1 2) 3", 1, std::nullopt, 3},
    {"04 02 00000001 00000002 02 01 00000003", "[1,2] 3", 1, std::nullopt, 3},
    {"02 01 00000001 02 01 00000002", "1 2", 2, 1, 2},
    // Cut short: what is whole counts.
    {"02 02 00000001", "", 0, std::nullopt, std::nullopt},
    {"02 01 00000001 02", "1", 1, 1, 1},
};

TEST(AsPathView, CountsAndPrints) {
  for (const PathCase& each : kPaths) {
    const std::string bytes = hex(each.bytes);
    const AsPathView path(view_of(bytes));
    EXPECT_EQ(path.to_string(), each.text);
    EXPECT_EQ(path.length(), each.length) << each.text;
    EXPECT_EQ(path.first(), each.first ? std::optional(Asn(*each.first)) : std::nullopt) << each.text;
    EXPECT_EQ(path.last(), each.last ? std::optional(Asn(*each.last)) : std::nullopt) << each.text;
  }
}

TEST(AsPathView, FindsNumbers) {
  const std::string bytes = hex("02 02 00000001 00000002 01 02 00000001 00000003 02 01 00000004");
  const AsPathView path(view_of(bytes));
  EXPECT_EQ(path.count(Asn(1)), 2U);
  EXPECT_EQ(path.count(Asn(9)), 0U);
  EXPECT_EQ(path.numbers(), (std::vector{Asn(1), Asn(2), Asn(1), Asn(3), Asn(4)}));
  EXPECT_TRUE(path.starts_with({}));
  EXPECT_TRUE(path.starts_with(std::vector{Asn(1)}));
  EXPECT_TRUE(path.starts_with(std::vector{Asn(1), Asn(2)}));
  EXPECT_FALSE(path.starts_with(std::vector{Asn(2)}));
  EXPECT_FALSE(path.starts_with(std::vector{Asn(1), Asn(2), Asn(1)}));  // that one is in a set
  const std::string two_segments = hex("02 01 00000001 02 01 00000002");
  EXPECT_TRUE(AsPathView(view_of(two_segments)).starts_with(std::vector{Asn(1), Asn(2)}));
  EXPECT_FALSE(AsPathView(view_of(two_segments)).starts_with(std::vector{Asn(1), Asn(2), Asn(3)}));
}

TEST(AttributeView, ReadsEachAttribute) {
  const std::string bytes =
      hex("40 01 01 01 40 02 06 02 01 0000fde9 80 04 04 00000007 40 05 04 00000064 c0 08 08 00000001 ffffff01"
          "80 09 04 01020304 80 0a 08 0a000001 0a000002 c0 10 08 0002fde900000001 c0 20 0c 000000010000000200000003");
  const AttributeView view(view_of(bytes));
  EXPECT_EQ(view.origin(), Origin::kEgp);
  EXPECT_EQ(view.as_path().to_string(), "65001");
  EXPECT_EQ(view.med(), 7U);
  EXPECT_EQ(view.local_pref(), 100U);
  EXPECT_EQ(view.originator_id(), RouterId(0x01020304));
  EXPECT_EQ(view.cluster_list_length(), 2U);
  EXPECT_TRUE(view.cluster_list_contains(RouterId(0x0a000002)));
  EXPECT_FALSE(view.cluster_list_contains(RouterId(0x0a000003)));
  EXPECT_TRUE(view.has_community(kNoExport));
  EXPECT_FALSE(view.has_community(kNoAdvertise));
  EXPECT_EQ(view.communities(), (std::vector<std::uint32_t>{1, kNoExport}));
  EXPECT_TRUE(view.has_community(LargeCommunity{1, 2, 3}));
  EXPECT_FALSE(view.has_community(LargeCommunity{1, 2, 4}));
  EXPECT_EQ(view.extended_communities(), std::vector<std::uint64_t>{0x0002fde900000001});
  EXPECT_FALSE(view.find(AttributeType::kAggregator));
  EXPECT_EQ(to_hex(bytes::text_of(*view.find(AttributeType::kMultiExitDisc))), "00000007");
}

TEST(AttributeView, WithoutAttributesAllIsAbsent) {
  const AttributeView view;
  EXPECT_EQ(view.origin(), Origin::kIncomplete);
  EXPECT_TRUE(view.as_path().empty());
  EXPECT_EQ(view.med(), std::nullopt);
  EXPECT_EQ(view.local_pref(), std::nullopt);
  EXPECT_EQ(view.originator_id(), std::nullopt);
  EXPECT_EQ(view.cluster_list_length(), 0U);
  EXPECT_TRUE(view.communities().empty());
  EXPECT_FALSE(view.has_community(1U));
}

TEST(AttributeEditor, MakesTheCanonicalFormWhateverTheOrder) {
  AttributeEditor editor;
  editor.add_community(LargeCommunity{2, 0, 0});
  editor.add_community(LargeCommunity{1, 0, 0});
  editor.set_local_pref(100);
  editor.add_extended_community(0x0002000000000001);
  editor.add_community(2U);
  editor.add_community(1U);
  editor.add_community(2U);
  editor.prepend_cluster(RouterId(1));
  editor.prepend_cluster(RouterId(2));
  editor.set_originator_id(RouterId(9));
  editor.set_med(7);
  editor.set_as_path(std::vector{Asn(1), Asn(2)});
  editor.set_origin(Origin::kIncomplete);
  EXPECT_EQ(to_hex(editor.finish()),
            to_hex(hex("40 01 01 02 40 02 0a 02 02 00000001 00000002 80 04 04 00000007 40 05 04 00000064"
                       "c0 08 08 00000001 00000002 80 09 04 00000009 80 0a 08 00000002 00000001"
                       "c0 10 08 0002000000000001 c0 20 18 000000010000000000000000 000000020000000000000000")));
}

TEST(AttributeEditor, KeepsWhatItDoesNotTouch) {
  const std::string bytes = hex("40 01 01 00 40 02 00 e0 63 02 abcd f0 64 0100") + std::string(256, 'x');
  EXPECT_EQ(AttributeEditor(AttributeView(view_of(bytes))).finish(), bytes);
}

TEST(AttributeEditor, RemovesAndSetsBack) {
  AttributeEditor editor;
  editor.set_origin(Origin::kIgp);
  editor.set_med(1);
  editor.set_med(std::nullopt);
  editor.set_local_pref(1);
  editor.set_local_pref(std::nullopt);
  editor.add_community(1U);
  editor.add_community(5U);
  editor.remove_community(5U);
  editor.remove_community(7U);
  EXPECT_EQ(to_hex(editor.finish()), "40010100c0080400000001");
  editor.remove_community(1U);
  editor.set_as_path({});
  EXPECT_EQ(to_hex(editor.finish()), "40010100400200");
  editor.remove(AttributeType::kOrigin);
  editor.remove(AttributeType::kOrigin);
  EXPECT_EQ(to_hex(editor.finish()), "400200");
}

TEST(AttributeEditor, SetSortsLists) {
  AttributeEditor editor;
  editor.set(AttributeType::kCommunities, view_of(hex("00000003 00000001 00000003")));
  EXPECT_EQ(to_hex(editor.finish()), "c008080000000100000003");
  editor.set(AttributeType::kCommunities, view_of(hex("00000002")));
  EXPECT_EQ(to_hex(editor.finish()), "c0080400000002");
}

TEST(AttributeEditor, LeavesNothingInternalForEbgp) {
  const std::string bytes =
      hex("40 01 01 00 40 02 06 02 01 0000fde9 80 04 04 00000007 40 05 04 00000064 c0 08 04 00000001 80 09 04 01020304"
          "80 0a 04 0a000001 c0 10 10 0002fde900000001 4002fde900000001"
          "c0 19 14 4002 20010db8000000000000000000000001 0001 c0 28 0a 01 0007 00000000000001 e0 63 01 07");
  AttributeEditor editor{AttributeView(view_of(bytes))};
  editor.remove_for_ebgp();
  EXPECT_EQ(to_hex(editor.finish()),
            to_hex(hex("40 01 01 00 40 02 06 02 01 0000fde9 c0 08 04 00000001 c0 10 08 0002fde900000001 e0 63 01 07")));
}

std::string path_after(std::string_view before, std::size_t count) {
  AttributeEditor editor;
  editor.set(AttributeType::kAsPath, view_of(hex(before)));
  editor.prepend(std::vector<Asn>(count, Asn(7)));
  const std::string bytes = editor.finish();
  return to_hex(bytes::text_of(*AttributeView(view_of(bytes)).find(AttributeType::kAsPath)));
}

TEST(AttributeEditor, PrependJoinsSequencesAndBeginsNewSegments) {
  EXPECT_EQ(path_after("", 1), "020100000007");
  EXPECT_EQ(path_after("02 01 00000001", 2), "0203000000070000000700000001");
  EXPECT_EQ(path_after("01 01 00000001", 1), "020100000007010100000001");
  EXPECT_EQ(path_after("02 01 00000001", 0), "020100000001");
}

TEST(AttributeEditor, ASegmentNeverPasses255) {  // RFC 4271 §5.1.2
  for (const std::size_t count : {254U, 255U, 256U, 600U}) {
    AttributeEditor editor;
    editor.set_as_path(std::vector{Asn(1)});
    std::vector<Asn> numbers;
    for (std::uint32_t i = 0; i < count; ++i) numbers.emplace_back(1000 + i);
    editor.prepend(numbers);
    const std::string bytes = editor.finish();
    const AsPathView path = AttributeView(view_of(bytes)).as_path();
    numbers.emplace_back(1);
    EXPECT_EQ(path.numbers(), numbers);
    EXPECT_EQ(path.length(), count + 1);
    EXPECT_EQ(path.bytes().size(), (count + 1 + 254) / 255 * 2 + (count + 1) * 4);
  }
}

TEST(AttributeEditor, APathThatNoAttributeCanHoldIsCutAndStaysReadable) {
  AttributeEditor editor;
  editor.set_as_path(std::vector<Asn>(20'000, Asn(1)));
  const std::string bytes = editor.finish();
  EXPECT_EQ(bytes.size(), 4U + 65535);
  EXPECT_LT(AttributeView(view_of(bytes)).as_path().length(), 20'000U);
}

}  // namespace
}  // namespace margay::bgp
