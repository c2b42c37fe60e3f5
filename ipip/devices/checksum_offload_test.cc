#include "ipip/devices/checksum_offload.h"

#include <gtest/gtest.h>

#include <utility>

namespace margay::ipip {
namespace {

TEST(ChecksumOffload, IsBrokenBefore57) {
  const std::pair<const char*, bool> cases[] = {
      {"3.10.0-1160.el7.x86_64", true},
      {"4.19.0-27-amd64", true},
      {"5.4.0-26-generic", true},
      {"5.6.19", true},
      {"5.7.0-rc1", false},
      {"5.10.0", false},
      {"6.1.0-18-amd64", false},
      {"10.0", false},
      {"5.7-custom", false},
      {"5.6-custom", true},
      {"", false},
      {"six.one", false},
  };
  for (const auto& [release, is_broken] : cases) EXPECT_EQ(is_checksum_offload_broken(release), is_broken) << release;
}

TEST(ChecksumOffload, TheSettingIsTheStrongerWord) {
  const std::pair<const char*, std::optional<bool>> cases[] = {
      {"", std::nullopt},
      {"ChecksumOffloadBroken=true", true},
      {"SNATFullyRandom=true, ChecksumOffloadBroken = false", false},
      {"ChecksumOffloadBroken=", std::nullopt},
      {"ChecksumOffloadBroken", std::nullopt},
      {"ChecksumOffloadBroken=maybe", std::nullopt},
      {"RestoreSupportsLock=false", std::nullopt},
  };
  for (const auto& [text, said] : cases) EXPECT_EQ(checksum_offload_override(text), said) << text;
}

TEST(ChecksumOffload, AnInterfaceThatIsNotThereIsAnError) {
  EXPECT_FALSE(has_checksum_offload("no-such-link").ok());
  EXPECT_FALSE(set_checksum_offload("no-such-link", false).ok());
}

}  // namespace
}  // namespace margay::ipip
