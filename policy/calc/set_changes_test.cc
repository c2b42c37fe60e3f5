#include "policy/calc/set_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace margay::policy {
namespace {

using What = IpSetDelta::What;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::string_view kId = "s:a";

IpSetMember member(std::string_view net) { return {.net = IpPrefix::parse(net).value(), .protocol = {}, .port = {}}; }

IpSetDelta creation(std::string_view net) { return {.what = What::kCreate, .added = {member(net)}, .removed = {}}; }
IpSetDelta addition(std::string_view net) { return {.what = What::kUpdate, .added = {member(net)}, .removed = {}}; }
IpSetDelta removal() { return {.what = What::kRemove, .added = {}, .removed = {}}; }

// The outside has the set, with one member.
SetChanges with_set_outside() {
  SetChanges out;
  out.add(IpSetId(kId), creation("10.0.0.1/32"));
  out.take();
  return out;
}

TEST(SetChanges, ASetThatCameAndWentInBetweenIsNotMentioned) {
  SetChanges changes;
  changes.add(IpSetId(kId), creation("10.0.0.1/32"));
  changes.add(IpSetId(kId), addition("10.0.0.2/32"));
  changes.add(IpSetId(kId), removal());
  EXPECT_THAT(changes.take(), IsEmpty());
}

TEST(SetChanges, ASetThatWentAndCameInBetweenIsReplaced) {
  SetChanges changes = with_set_outside();
  changes.add(IpSetId(kId), removal());
  changes.add(IpSetId(kId), creation("10.0.0.2/32"));
  EXPECT_THAT(changes.take(), ElementsAre(Pair(IpSetId(kId), creation("10.0.0.2/32"))));
  // It is outside still: its end is told.
  changes.add(IpSetId(kId), removal());
  EXPECT_THAT(changes.take(), ElementsAre(Pair(IpSetId(kId), removal())));
}

TEST(SetChanges, ASetThatWentCameAndWentIsRemoved) {
  SetChanges changes = with_set_outside();
  changes.add(IpSetId(kId), removal());
  changes.add(IpSetId(kId), creation("10.0.0.2/32"));
  changes.add(IpSetId(kId), removal());
  EXPECT_THAT(changes.take(), ElementsAre(Pair(IpSetId(kId), removal())));
  // And is forgotten: what comes and goes now is not mentioned.
  changes.add(IpSetId(kId), creation("10.0.0.3/32"));
  changes.add(IpSetId(kId), removal());
  EXPECT_THAT(changes.take(), IsEmpty());
}

TEST(SetChanges, ChangesOfASetOutsideAddUp) {
  SetChanges changes = with_set_outside();
  changes.add(IpSetId(kId), addition("10.0.0.3/32"));
  changes.add(IpSetId(kId), addition("10.0.0.2/32"));
  IpSetDelta both = addition("10.0.0.2/32");
  both.added.push_back(member("10.0.0.3/32"));
  EXPECT_THAT(changes.take(), ElementsAre(Pair(IpSetId(kId), both)));
  EXPECT_THAT(changes.take(), IsEmpty());
}

}  // namespace
}  // namespace margay::policy
