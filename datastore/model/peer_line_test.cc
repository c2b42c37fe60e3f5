#include "datastore/model/peer_line.h"

#include <gtest/gtest.h>

namespace margay::model {
namespace {

TEST(PeerLine, WhatIsWrittenIsRead) {
  for (const PeerLine& line : {PeerLine{"192.0.2.2", 64512, 3, 2, 1, ""},
                               PeerLine{"2001:db8::2", 4200000000, 0, 0, 0, "hold timer expired: code 4: 90 s"},
                               PeerLine{"192.0.2.3", std::nullopt, 0, 0, 0, "connect: Connection refused"}}) {
    EXPECT_EQ(parse_peer_line(to_string(line)), line) << to_string(line);
  }
  EXPECT_EQ(to_string(PeerLine{"192.0.2.3", std::nullopt, 0, 0, 0, "two\nlines"}),
            "192.0.2.3 AS? received 0 accepted 0 sent 0: two lines");
}

TEST(PeerLine, OtherTextIsNone) {
  for (const char* text :
       {"", ": ", "192.0.2.2", "192.0.2.2 AS1 received 1 accepted 1 sent", "192.0.2.2 1 received 1 accepted 1 sent 1",
        "192.0.2.2 AS received 1 accepted 1 sent 1", "192.0.2.2 AS1 received -1 accepted 1 sent 1",
        "192.0.2.2 AS1 received 1 accepted 1 sent 1 x", "192.0.2.2 ASx received 1 accepted 1 sent 1",
        "192.0.2.2 AS1 sent 1 accepted 1 received 1"}) {
    EXPECT_EQ(parse_peer_line(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace margay::model
