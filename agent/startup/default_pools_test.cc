#include "agent/startup/default_pools.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/text.h"

namespace margay::startup {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> pools(const std::map<std::string, std::string>& variables,
                               const PoolSurroundings& surroundings) {
  SeededRandom random(1);
  std::vector<std::string> out;
  for (const model::IpPool& pool : default_pools(read_environment(variables), surroundings, random)) {
    out.push_back(concat(pool.metadata.name, " ", pool.spec.cidr.to_string(), " /", pool.spec.block_length(), " ",
                         model::to_string(pool.spec.ipip_mode), pool.spec.nat_outgoing ? " nat" : ""));
  }
  return out;
}

IpPrefix prefix(std::string_view text) { return *IpPrefix::parse(text); }

TEST(DefaultPools, TheEnvironmentThenKubeadmThenAPrivateRange) {
  EXPECT_THAT(pools({{"CALICO_IPV4POOL_CIDR", "10.48.0.0/16"}}, {.pod_networks = {prefix("10.244.0.0/16")}}),
              ElementsAre("default-ipv4-ippool 10.48.0.0/16 /26 Always nat"));
  EXPECT_THAT(pools({}, {.pod_networks = {prefix("fd00::/48"), prefix("10.244.0.0/16")}}),
              ElementsAre("default-ipv4-ippool 10.244.0.0/16 /26 Always nat"));
  EXPECT_THAT(pools({}, {}), ElementsAre("default-ipv4-ippool 192.168.0.0/16 /26 Always nat"));
}

TEST(DefaultPools, NetworksOfTheHostAreNotTaken) {
  EXPECT_THAT(pools({}, {.host_networks = {prefix("192.168.1.0/24"), prefix("172.16.0.0/15"), prefix("10.0.0.0/8")}}),
              ElementsAre("default-ipv4-ippool 172.18.0.0/16 /26 Always nat"));
  EXPECT_THAT(pools({}, {.host_networks = {prefix("192.168.1.0/24"), prefix("172.16.0.0/12")}}),
              ElementsAre("default-ipv4-ippool 192.168.0.0/16 /26 Always nat"))
      << "somebody has to look at it";
}

TEST(DefaultPools, Ipv6IsARandomUniqueLocalPrefix) {
  const auto found = pools({{"IP", "none"}}, {.has_ipv6 = true});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0], ::testing::MatchesRegex("default-ipv6-ippool fd[0-9a-f:]+/48 /122 Never"));
  SeededRandom one(1), other(2);
  const auto a = default_pools(read_environment({}), {.has_ipv6 = true}, one);
  const auto b = default_pools(read_environment({}), {.has_ipv6 = true}, other);
  EXPECT_NE(a[1].spec.cidr, b[1].spec.cidr);
  EXPECT_EQ(a[1].spec.cidr.length(), 48);
}

TEST(DefaultPools, NoneWhereThereIsOneOrNoneIsWanted) {
  EXPECT_THAT(pools({}, {.present = {prefix("10.0.0.0/8")}}), IsEmpty());
  EXPECT_THAT(pools({{"NO_DEFAULT_POOLS", "true"}}, {}), IsEmpty());
  EXPECT_THAT(pools({{"CALICO_IPV4POOL_CIDR", "none"}}, {}), IsEmpty());
  EXPECT_THAT(pools({{"CALICO_IPV4POOL_CIDR", "broken"}}, {}), IsEmpty());
  EXPECT_THAT(pools({}, {.present = {prefix("fd00::/48")}, .has_ipv6 = true}),
              ElementsAre("default-ipv4-ippool 192.168.0.0/16 /26 Always nat"));
}

TEST(DefaultPools, ABlockIsNeverLargerThanItsPool) {
  EXPECT_THAT(pools({{"CALICO_IPV4POOL_CIDR", "10.0.0.0/28"}}, {}),
              ElementsAre("default-ipv4-ippool 10.0.0.0/28 /28 Always nat"));
}

}  // namespace
}  // namespace margay::startup
