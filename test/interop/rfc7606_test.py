#!/usr/bin/env python3
"""RFC 7606 over live sessions: what a malformed UPDATE does to its route, to the session, and to a second peer.

Cases are written from the RFCs named in them; malformed.py says how they are tried.
"""
import struct

import lab
from malformed import ACCEPT, DISCARD, RESET, SENDER_AS, WITHDRAW, MalformedTest, mp_reach, only, raw
from raw import attribute, path
from updates import NEXT_HOP, sound

CASES = [
    # ORIGIN (RFC 7606 7.1)
    only(1, 0x40, b"", WITHDRAW, why="ORIGIN of length 0"),
    only(1, 0x40, b"\0\0", WITHDRAW, why="ORIGIN of length 2"),
    only(1, 0x40, b"\3", WITHDRAW, why="ORIGIN 3"),
    only(1, 0x40, b"\xff", WITHDRAW, why="ORIGIN 255"),
    only(1, 0xC0, b"\0", WITHDRAW, why="ORIGIN flagged optional (3c)"),
    only(1, 0x00, b"\0", WITHDRAW, why="ORIGIN flagged non-transitive (3c)"),
    only(1, 0x60, b"\0", ACCEPT, why="ORIGIN with the Partial bit, which is ignored"),
    raw("ORIGIN missing (3d)", lambda i: sound(i, skip=(1,)), WITHDRAW),
    raw("ORIGIN twice: the first counts (3g)", lambda i: sound(i, extra=attribute(0x40, 1, b"\2")), ACCEPT),
    # AS_PATH (7.2)
    only(2, 0x40, b"\x05\x01" + struct.pack("!I", SENDER_AS), WITHDRAW, why="AS_PATH: segment type 5"),
    only(2, 0x40, b"\x00\x01" + struct.pack("!I", SENDER_AS), WITHDRAW, why="AS_PATH: segment type 0"),
    only(2, 0x40, b"\x02\x02" + struct.pack("!I", SENDER_AS), WITHDRAW, why="AS_PATH: segment runs past the attribute"),
    only(2, 0x40, path(SENDER_AS) + b"\x02", WITHDRAW, why="AS_PATH: one byte left over"),
    only(2, 0x40, path(SENDER_AS) + b"\x02\x00", WITHDRAW, why="AS_PATH: empty segment"),
    only(2, 0x40, path(SENDER_AS, 0, 65001), WITHDRAW, why="AS_PATH: AS 0 (RFC 7607)"),
    only(2, 0x40, path(SENDER_AS) + path(65001, 65002, kind=1), WITHDRAW, why="AS_PATH: AS_SET (RFC 9774)"),
    only(2, 0x40, path(65001, kind=3) + path(SENDER_AS), WITHDRAW, why="AS_PATH: confederation segment from outside one (RFC 5065 5)"),
    only(2, 0xC0, path(SENDER_AS), WITHDRAW, why="AS_PATH flagged optional"),
    raw("AS_PATH missing", lambda i: sound(i, skip=(2,)), WITHDRAW),
    raw("AS_PATH empty on eBGP (RFC 4271 6.3)", lambda i: sound(i, replace={2: attribute(0x40, 2, b"")}), WITHDRAW, ACCEPT),
    raw("AS_PATH does not begin with the peer's AS (RFC 4271 6.3)", lambda i: sound(i, replace={2: attribute(0x40, 2, path(65001))}), WITHDRAW, ACCEPT),
    # NEXT_HOP (7.3)
    only(3, 0x40, b"\x0a\x62\x00", WITHDRAW, why="NEXT_HOP of length 3"),
    only(3, 0x40, NEXT_HOP + b"\0", WITHDRAW, why="NEXT_HOP of length 5"),
    only(3, 0x40, b"", WITHDRAW, why="NEXT_HOP of length 0"),
    only(3, 0xC0, NEXT_HOP, WITHDRAW, why="NEXT_HOP flagged optional"),
    only(3, 0x40, b"\0\0\0\0", WITHDRAW, why="NEXT_HOP 0.0.0.0"),
    only(3, 0x40, b"\x7f\0\0\1", WITHDRAW, why="NEXT_HOP 127.0.0.1"),
    only(3, 0x40, b"\xe0\0\0\1", WITHDRAW, why="NEXT_HOP 224.0.0.1"),
    only(3, 0x40, b"\xff\xff\xff\xff", WITHDRAW, why="NEXT_HOP 255.255.255.255"),
    raw("NEXT_HOP missing", lambda i: sound(i, skip=(3,)), WITHDRAW),
    # MULTI_EXIT_DISC (7.4)
    only(4, 0x80, b"\0\0\1", WITHDRAW, why="MED of length 3"),
    only(4, 0x80, b"", WITHDRAW, why="MED of length 0"),
    only(4, 0xC0, b"\0\0\0\1", WITHDRAW, why="MED flagged transitive"),
    only(4, 0x00, b"\0\0\0\1", WITHDRAW, why="MED flagged well-known"),
    # LOCAL_PREF (7.5)
    only(5, 0x40, b"\0\0\0\7", DISCARD, ACCEPT, why="LOCAL_PREF on eBGP is dropped"),
    only(5, 0x40, b"\0\0\7", DISCARD, WITHDRAW, why="LOCAL_PREF of length 3"),
    raw("LOCAL_PREF missing on iBGP", lambda i: sound(i, skip=(5,)), ACCEPT, WITHDRAW),
    # ATOMIC_AGGREGATE, AGGREGATOR (7.6, 7.7)
    only(6, 0x40, b"\0", DISCARD, why="ATOMIC_AGGREGATE of length 1"),
    only(7, 0xC0, b"\0\0\1\2\3\4\5", DISCARD, why="AGGREGATOR of length 7"),
    only(7, 0xC0, b"", DISCARD, why="AGGREGATOR of length 0"),
    only(7, 0xC0, struct.pack("!I", 0) + NEXT_HOP, DISCARD, why="AGGREGATOR with AS 0 (RFC 7607)"),
    # Communities (7.8, 7.14, RFC 8092 6)
    only(8, 0xC0, b"\0\0\1", WITHDRAW, why="COMMUNITIES of length 3"),
    only(8, 0xC0, b"", WITHDRAW, why="COMMUNITIES of length 0"),
    only(8, 0x40, b"\xfd\xe8\0\1", WITHDRAW, why="COMMUNITIES flagged well-known"),
    only(16, 0xC0, b"\0\2\xfd\xe8\0\0\0", WITHDRAW, why="EXTENDED_COMMUNITIES of length 7"),
    only(16, 0xC0, b"", WITHDRAW, why="EXTENDED_COMMUNITIES of length 0"),
    only(16, 0xC0, b"\x3f\xff\1\2\3\4\5\6", ACCEPT, why="EXTENDED_COMMUNITIES of an unknown type"),
    only(32, 0xC0, b"\0" * 11, WITHDRAW, why="LARGE_COMMUNITY of length 11"),
    only(32, 0xC0, b"", WITHDRAW, why="LARGE_COMMUNITY of length 0"),
    # ORIGINATOR_ID, CLUSTER_LIST (7.9, 7.10)
    only(9, 0x80, b"\1\2\3\4", DISCARD, ACCEPT, why="ORIGINATOR_ID on eBGP is dropped"),
    only(9, 0x80, b"\1\2\3", DISCARD, WITHDRAW, why="ORIGINATOR_ID of length 3"),
    only(10, 0x80, b"\1\2\3\4", DISCARD, ACCEPT, why="CLUSTER_LIST on eBGP is dropped"),
    only(10, 0x80, b"\1\2\3\4\5", DISCARD, WITHDRAW, why="CLUSTER_LIST of length 5"),
    only(10, 0x80, b"", DISCARD, WITHDRAW, why="CLUSTER_LIST of length 0"),
    # AS4_PATH, AS4_AGGREGATOR from a speaker of four octets (RFC 6793 6)
    only(17, 0xC0, path(65001), DISCARD, why="AS4_PATH from a four-octet speaker"),
    only(18, 0xC0, struct.pack("!I", 65001) + NEXT_HOP, DISCARD, why="AS4_AGGREGATOR from a four-octet speaker"),
    # Unknown attributes (RFC 4271 5, 6.3)
    only(99, 0xC0, b"\1\2\3", ACCEPT, why="unknown optional transitive attribute is passed on"),
    only(99, 0x80, b"\1\2\3", DISCARD, why="unknown optional non-transitive attribute is dropped"),
    only(200, 0x40, b"\1", RESET, why="unknown well-known attribute (3/2)") | dict(code=(3, 2)),
    # Framing (RFC 7606 3, 4, 5)
    raw("total attribute length runs past the message", lambda i: sound(i), RESET, code=(3, 1), attributes_length=4000),
    raw("withdrawn length runs past the message", None, RESET, code=(3, 1), bytes=lambda: b"\x00\xff\x00\x00"),
    raw("an attribute runs past the attributes", lambda i: sound(i, extra=b"\xc0\x63\x40\x01"), WITHDRAW),
    raw("an attribute header is cut off", lambda i: sound(i, extra=b"\xc0\x63"), WITHDRAW),
    raw("an extended header is cut off", lambda i: sound(i, extra=b"\xd0\x63\x00"), WITHDRAW),
    raw("no attributes at all, but a prefix", lambda i: b"", WITHDRAW),
    raw("only an unknown attribute, and a prefix", lambda i: attribute(0xC0, 99, b"\1"), WITHDRAW),
    raw("MED 300 bytes long", lambda i: sound(i, replace={4: attribute(0x80, 4, b"\0" * 300)}), WITHDRAW),
    raw("a broken attribute without any prefix (5.2)", lambda i: sound(i, extra=b"\xc0\x63\x40\x01"), RESET, code=(3, 1), nlri=b""),
    raw("a prefix of 33 bits (5.3)", lambda i: sound(i), RESET, code=(3, 10), nlri=b"\x21\x0a\x05\x00\x00\x01"),
    raw("a prefix that is cut off (5.3)", lambda i: sound(i), RESET, code=(3, 10), nlri=b"\x18\x0a\x05"),
    # MP_REACH_NLRI, MP_UNREACH_NLRI (7.11, 7.12)
    raw("MP_REACH twice (3g)", lambda i: sound(i, extra=mp_reach(b"\xfd\x98" + b"\0" * 13 + b"\2") * 2), RESET, code=(3, 1)),
    raw("MP_REACH: next hop of 5 bytes", lambda i: sound(i, extra=mp_reach(b"\xfd\x98\0\0\2")), RESET, code=(3, 9)),
    raw("MP_REACH: next hop runs past the attribute",
        lambda i: sound(i, extra=attribute(0x80, 14, b"\0\2\1\x10\xfd\x98")), RESET, code=(3, 9)),
    raw("MP_REACH: prefix of 129 bits",
        lambda i: sound(i, extra=mp_reach(b"\xfd\x98" + b"\0" * 13 + b"\2", b"\x81" + b"\x20" * 17)), RESET, code=(3, 9)),
    raw("MP_UNREACH of length 2", lambda i: sound(i, extra=attribute(0x80, 15, b"\0\2")), RESET, code=(3, 9)),
    raw("MP_REACH of a family that was not agreed on is ignored (RFC 4760 7)",
        lambda i: sound(i, extra=mp_reach(NEXT_HOP, b"\x18\x0a\x05\x01", safi=2, afi=1)), ACCEPT),
    # Others that must never end a session
    only(23, 0xC0, b"\0\x0d\0\xff\1", (WITHDRAW, DISCARD, ACCEPT), why="TUNNEL_ENCAPSULATION with a broken TLV (CVE-2023-38802)"),
    only(26, 0x80, b"\1\0", (WITHDRAW, DISCARD), why="AIGP with a broken TLV (CVE-2023-41359)"),
    only(40, 0xC0, b"\1\0\xff", (DISCARD, ACCEPT), why="PREFIX_SID with a broken TLV (CVE-2024-31948)"),
    only(128, 0xC0, b"\1", ACCEPT, why="ATTR_SET is not looked at"),
    only(28, 0xC0, b"\1\2\3\4", ACCEPT, why="attribute 28 is not looked at"),
]


class Rfc7606Test(MalformedTest):
    def test_ebgp(self):
        self.run_table(CASES, False)

    def test_ibgp(self):
        self.run_table(CASES, True)


if __name__ == "__main__":
    lab.main()
