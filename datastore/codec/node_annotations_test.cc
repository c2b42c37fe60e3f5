#include "datastore/codec/node_annotations.h"

#include "gtest/gtest.h"

namespace margay::codec {
namespace {

const StringMap kAll{{"projectcalico.org/IPv4Address", "192.0.2.1/24"},
                     {"projectcalico.org/IPv6Address", "2001:db8::1/64"},
                     {"projectcalico.org/ASNumber", "64512"},
                     {"projectcalico.org/RouteReflectorClusterID", "244.0.0.1"},
                     {"projectcalico.org/IPv4IPIPTunnelAddr", "10.0.0.1"},
                     {"projectcalico.org/IPv4VXLANTunnelAddr", "10.0.0.2"},
                     {"projectcalico.org/VXLANTunnelMACAddr", "66:00:00:00:00:01"},
                     {"projectcalico.org/IPv6VXLANTunnelAddr", "2001:db8:1::1"},
                     {"projectcalico.org/VXLANTunnelMACAddrV6", "66:00:00:00:00:02"},
                     {"projectcalico.org/IPv4WireguardInterfaceAddr", "10.0.0.3"},
                     {"projectcalico.org/IPv6WireguardInterfaceAddr", "2001:db8:1::2"},
                     {"projectcalico.org/WireguardPublicKey", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="},
                     {"projectcalico.org/WireguardPublicKeyV6", "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="},
                     {"other.io/a", "kept"}};

TEST(NodeAnnotations, EveryFieldComesBack) {
  model::NodeNetworking node;
  EXPECT_EQ(to_string(read_node_annotations(kAll, node)), "");
  EXPECT_EQ(node.ipv4_address->length, 24);
  EXPECT_EQ(node.route_reflector_cluster_id->value(), 0xf4000001U);
  StringMap again{{"other.io/a", "kept"}};
  write_node_annotations(node, again);
  EXPECT_EQ(again, kAll);
}

TEST(NodeAnnotations, AbsentAndEmptyAreNone) {
  model::NodeNetworking node;
  node.as_number = Asn(1);
  EXPECT_TRUE(read_node_annotations({{"projectcalico.org/ASNumber", ""}}, node).empty());
  EXPECT_EQ(node, model::NodeNetworking{});
  StringMap annotations = kAll;
  write_node_annotations(node, annotations);
  EXPECT_EQ(annotations, (StringMap{{"other.io/a", "kept"}}));
}

TEST(NodeAnnotations, ErrorsNameTheAnnotation) {
  model::NodeNetworking node;
  const FieldErrors errors = read_node_annotations({{"projectcalico.org/IPv4Address", "2001:db8::1/64"},
                                                    {"projectcalico.org/ASNumber", "x"},
                                                    {"projectcalico.org/WireguardPublicKey", "foobar"}},
                                                   node);
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_EQ(errors[0].path, "metadata.annotations[projectcalico.org/IPv4Address]");
  EXPECT_EQ(errors[0].message, "2001:db8::1/64 is not IPv4");
  EXPECT_EQ(errors[1].path, "metadata.annotations[projectcalico.org/ASNumber]");
  EXPECT_EQ(errors[2].message, "\"foobar\" is not a WireGuard key: 32 bytes in base64");
  EXPECT_EQ(node, model::NodeNetworking{});
}

TEST(NodeAnnotations, ATextThatSaysTheSameStays) {
  StringMap annotations{{"projectcalico.org/ASNumber", "1.10"}};
  model::NodeNetworking node;
  ASSERT_TRUE(read_node_annotations(annotations, node).empty());
  write_node_annotations(node, annotations);
  EXPECT_EQ(annotations.get("projectcalico.org/ASNumber"), "1.10");
}

}  // namespace
}  // namespace margay::codec
