#include "datastore/watch/resource_of.h"

#include <gtest/gtest.h>

namespace margay::watch {
namespace {

using model::Kind;

TEST(ResourceOf, KindsLieWhereTheServerKeepsThem) {
  EXPECT_EQ(resource_of(Kind::kPod), (kube::ResourceType{"", "v1", "pods", "Pod", true}));
  EXPECT_EQ(resource_of(Kind::kLease), (kube::ResourceType{"coordination.k8s.io", "v1", "leases", "Lease", true}));
  EXPECT_EQ(resource_of(Kind::kNetworkPolicy),
            (kube::ResourceType{"projectcalico.org", "v3", "networkpolicies", "NetworkPolicy", true}));
  EXPECT_EQ(resource_of(Kind::kKubernetesNetworkPolicy),
            (kube::ResourceType{"networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", true}));
  EXPECT_EQ(resource_of(Kind::kEndpointSlice).group, "discovery.k8s.io");
  EXPECT_EQ(old_version_of(Kind::kEndpointSlice), "v1beta1");
  EXPECT_EQ(old_version_of(Kind::kPod), "");
  EXPECT_EQ(resource_of(Kind::kBlockAffinity).plural, "blockaffinities");
  EXPECT_EQ(resource_of(Kind::kCalicoNodeStatus).plural, "caliconodestatuses");
}

}  // namespace
}  // namespace margay::watch
