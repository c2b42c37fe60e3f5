#include "agent/cni/container_interfaces.h"

#include "base/file/temp_dir.h"
#include "gtest/gtest.h"

namespace margay::agent {
namespace {

TEST(ContainerInterfacesTest, AreKnownToTheNextLifeAndCannotLeaveTheFolder) {
  const file::TempDir folder = file::TempDir::make().value();
  {
    ContainerInterfaces interfaces(folder.at("a/b"));
    interfaces.put("c1", "eth0");
    interfaces.put("../../x", "eth1");
    interfaces.put("c2", "eth0");
    interfaces.put("c2", "net1");
    interfaces.put("c3", "eth0");
    interfaces.remove("c3");
  }
  ContainerInterfaces interfaces(folder.at("a/b"));
  EXPECT_EQ(interfaces.find("c1"), "eth0");
  EXPECT_EQ(interfaces.find("../../x"), "eth1");
  EXPECT_EQ(interfaces.find("c2"), "net1");
  EXPECT_EQ(interfaces.find("c3"), "");
  EXPECT_EQ(interfaces.find("nobody"), "");
  EXPECT_EQ(ContainerInterfaces("").find("c1"), "");
}

}  // namespace
}  // namespace margay::agent
