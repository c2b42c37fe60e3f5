#!/usr/bin/env python3
"""Messages of the shapes that made other speakers crash, hang or drop sessions, over live sessions with others attached.

Each case names what it once did to whom. Ours must answer as the RFCs say, go on, and pass on only what parses.
"""
import struct

import lab
from lab import InteropTest, Lan, Margay, wait_until
from malformed import ACCEPT, DISCARD, IGNORE, OUR_AS, RESET, SENDER_AS, US, WITHDRAW, MalformedTest, mp_reach, only, raw
from raw import KEEPALIVE, MARKER, NOTIFICATION, OPEN, REFRESH, UPDATE, RawPeer, attribute, message, path, prefix, update
from updates import NEXT_HOP, announce, some_communities, sound

V6_HOP = b"\xfd\x98" + b"\0" * 13 + b"\2"
ACCEPTED = (ACCEPT, DISCARD)


def with_extra(extra):
    return lambda internal: sound(internal, extra=extra)


def long_path(*segments):
    """A path of many segments; the eBGP sender's own number first."""
    return lambda internal: sound(internal, replace={2: attribute(0x40, 2, (b"" if internal else path(SENDER_AS)) + b"".join(segments))})


def full(size):
    """A sound route whose attributes have about `size` bytes, most of them in an unknown transitive attribute."""
    return lambda internal: sound(internal, replace={99: attribute(0xC0, 99, b"\xaa" * (size - len(sound(internal)) - 4))})


CASES = [
    # Attributes that are not there
    raw("NLRI and no attributes (FRR CVE-2023-41358)", lambda i: b"", WITHDRAW),
    raw("only unknown transitive attributes and NLRI (FRR CVE-2023-46753)",
        lambda i: b"\xff\x1f\x00\x10" + bytes(range(16)), WITHDRAW),
    raw("one empty unknown attribute and NLRI (FRR CVE-2023-47235)", lambda i: b"\xc0\xff\x00", WITHDRAW),
    raw("the same without NLRI, which is no End-of-RIB", lambda i: b"\xc0\xff\x00", IGNORE, nlri=b""),
    raw("MP_UNREACH, a broken ORIGIN and NLRI (FRR CVE-2023-47234)",
        lambda i: sound(i, replace={1: attribute(0x40, 1, b"\x09")}, extra=attribute(0x80, 15, b"\0\2\1")), WITHDRAW),
    raw("an attribute to withdraw for, where MP_UNREACH is all there is (7606 5.2; FRR CVE-2023-47234)",
        lambda i: attribute(0x80, 15, b"\0\2\1") + attribute(0xC0, 8, b"\0\0\1"), RESET, nlri=b"", code=(3, 1)),
    raw("the same with one that is only discarded", lambda i: attribute(0x80, 15, b"\0\2\1") + attribute(0x40, 6, b"\1"), IGNORE, nlri=b""),
    # Attributes that are cut, odd, or of others' formats
    only(26, 0x80, b"\1", (WITHDRAW, DISCARD), why="AIGP of one byte (FRR CVE-2023-41359)"),
    only(26, 0x80, b"\1\0\x0b\0\0", (WITHDRAW, DISCARD), why="AIGP whose TLV runs past it"),
    only(26, 0x80, b"\1\0\x02" + b"\0" * 8, (WITHDRAW, DISCARD), why="AIGP TLV shorter than its header"),
    only(23, 0xC0, b"", (WITHDRAW, DISCARD), why="TUNNEL_ENCAPSULATION of length 0 (FRR CVE-2023-38802)"),
    only(23, 0xC0, b"\0\x0d", (WITHDRAW, DISCARD), why="TUNNEL_ENCAPSULATION cut in a header (FRR CVE-2024-44070)"),
    only(23, 0xC0, b"\0\x0d\0\4\x7f\x09\1\2", (WITHDRAW, DISCARD, ACCEPT), why="TUNNEL_ENCAPSULATION: sub-TLV runs past its tunnel"),
    only(23, 0xC0, b"\0\x0d\0\4\x80\x7f\xff\1", (WITHDRAW, DISCARD, ACCEPT), why="TUNNEL_ENCAPSULATION: two-byte sub-TLV length cut"),
    only(40, 0xC0, b"", (DISCARD, ACCEPT), why="PREFIX_SID of length 0"),
    only(40, 0xC0, b"\5\0\1", (DISCARD, ACCEPT), why="PREFIX_SID: SRv6 TLV cut (FRR CVE-2023-31490)"),
    only(40, 0xC0, b"\3\0\2\0", (DISCARD, ACCEPT), why="PREFIX_SID: SRGB cut (FRR CVE-2024-31948)"),
    only(40, 0xC0, b"\1\0\x07" + b"\0" * 7 + b"\x28" * 9, (DISCARD, ACCEPT), why="PREFIX_SID with rubbish behind it (frr 19336)"),
    only(22, 0xC0, b"\0\6", WITHDRAW, why="PMSI_TUNNEL of length 2"),
    only(25, 0xC0, b"\0" * 19, WITHDRAW, why="IPv6 extended communities of length 19"),
    only(29, 0x80, b"\1\0\xff\xff", (DISCARD, ACCEPT), why="BGP-LS: TLV runs past it"),
    only(35, 0xC0, b"\0\0\1", WITHDRAW, why="ONLY_TO_CUSTOMER of length 3"),
    only(35, 0xC0, b"", WITHDRAW, why="ONLY_TO_CUSTOMER of length 0"),
    only(128, 0xC0, b"\0\0\xfd\xe8\x40\1", ACCEPT, why="ATTR_SET with a cut attribute inside is not looked into"),
    only(255, 0xC0, b"", ACCEPT, why="an empty attribute of the development number"),
    only(0, 0xC0, b"\1", (ACCEPT, DISCARD, WITHDRAW), why="attribute type 0"),
    only(2, 0x40, b"\x03\x00", WITHDRAW, why="an empty confederation segment from outside (GoBGP GHSA-frrj-87jh-2772)"),
    only(2, 0x40, b"\x02\xff" + struct.pack("!I", SENDER_AS), WITHDRAW, why="a segment of 255 that holds one"),
    # Order and flags
    raw("AS4_PATH before AS_PATH (GoBGP CVE-2026-41643)",
        lambda i: attribute(0xC0, 17, path(65001)) + sound(i), ACCEPT),
    raw("all attributes backwards", lambda i: b"".join(reversed([
        attribute(0x40, 1, b"\0"), attribute(0x40, 2, b"" if i else path(SENDER_AS)), attribute(0x40, 3, NEXT_HOP),
        attribute(0x40, 5, b"\0\0\0\x64") if i else b"", attribute(0xC0, 16, b"\0\2\0\1\0\0\0\1")])), ACCEPT),
    raw("extended length where it is not needed", lambda i: sound(i, replace={1: b"\x50\1\0\1\0"}), ACCEPT),
    raw("low flag bits set", lambda i: sound(i, replace={1: b"\x4f\1\1\0"}), ACCEPT),
    only(200, 0x40, b"", RESET, why="an unknown well-known attribute (GoBGP CVE-2026-41642)") | dict(code=(3, 2)),
    only(200, 0x00, b"\1", RESET, why="an unknown attribute without any flag") | dict(code=(3, 2)),
    only(1, 0x00, b"\0", WITHDRAW, why="ORIGIN without its transitive flag (gobgp 3392)"),
    # Families and next hops
    raw("MP_REACH of length 0 (FRR CVE-2023-46752)", with_extra(attribute(0x80, 14, b"")), RESET, code=(3, 9)),
    raw("MP_REACH of 4 bytes", with_extra(attribute(0x80, 14, b"\0\2\1\0")), RESET, code=(3, 9)),
    raw("MP_REACH: next hop of length 0", with_extra(mp_reach(b"")), RESET, code=(3, 9)),
    raw("MP_REACH: next hop of length 255", with_extra(attribute(0x80, 14, b"\0\2\1\xff" + V6_HOP + b"\0")), RESET, code=(3, 9)),
    raw("MP_REACH: prefix cut", with_extra(mp_reach(V6_HOP, b"\x40\x20\x01")), RESET, code=(3, 9)),
    raw("MP_UNREACH: prefix cut", with_extra(attribute(0x80, 15, b"\0\2\1\x40\x20")), RESET, code=(3, 9)),
    raw("MP_UNREACH twice", with_extra(attribute(0x80, 15, b"\0\2\1") * 2), RESET, code=(3, 1)),
    raw("flowspec NLRI of length 0, not agreed on (FRR CVE-2023-38406)", with_extra(mp_reach(b"", b"\0", 1, 133)), ACCEPT),
    raw("flowspec NLRI that says 4,095 bytes (BIRD 3d96db91a)", with_extra(mp_reach(b"", b"\xff\xff\1\2", 1, 133)), ACCEPT),
    raw("labelled NLRI that runs past the message (FRR CVE-2023-38407)", with_extra(mp_reach(NEXT_HOP, b"\xf0\1\2", 1, 4)), ACCEPT),
    raw("EVPN with an unknown type, not agreed on", with_extra(mp_reach(NEXT_HOP, b"\x77\xff", 25, 70)), ACCEPT),
    raw("MP_UNREACH of family 0/0", with_extra(attribute(0x80, 15, b"\0\0\0\x18\x0a")), ACCEPT),
    # Sizes that overflow when written again
    only(8, 0xC0, some_communities(63)[3:], ACCEPTED, why="communities of 252 bytes"),
    raw("communities of 256 bytes, which need the longer header", lambda i: sound(i, replace={8: some_communities(64)}), ACCEPT),
    raw("a path of 255 in one segment, before which ours is put", long_path(path(*range(1000, 1255))), ACCEPT),
    raw("a path of 765 in three segments (OpenBGPD d76d10659)",
        long_path(*[path(*range(n, n + 255)) for n in (1000, 2000, 3000)]), ACCEPT),
    raw("255 segments of one", long_path(*[path(1000 + n) for n in range(255)]), ACCEPT),
    raw("attributes of 3,900 bytes (frr 22045)", full(3900), ACCEPT),
    raw("a message of 4,096 bytes to which our number cannot be added", full(4096 - 23 - 4), WITHDRAW, differs=True),
    raw("an unknown transitive attribute of 3,000 bytes", lambda i: sound(i, replace={99: attribute(0xC0, 99, b"\xaa" * 3000)}), ACCEPT),
    raw("20 unknown transitive attributes",
        lambda i: sound(i, extra=b"".join(attribute(0xC0, 100 + n, bytes([n] * n)) for n in range(20))), ACCEPT),
    raw("600 prefixes of length 0", lambda i: sound(i), IGNORE, nlri=b"\0" * 600),
]


class CveUpdateTest(MalformedTest):
    def test_ebgp(self):
        self.run_table(CASES, False)

    def test_ibgp(self):
        self.run_table(CASES, True)


def opening(parameters, length=None, hold=b"\0\x5a", tail=b""):
    size = len(parameters) if length is None else length
    return message(OPEN, b"\4\xfc\1" + hold + b"\x0a\x62\0\2" + bytes([size]) + parameters + tail)


def capability(code, value=b"", length=None):
    return bytes([code, len(value) if length is None else length]) + value


def offered(*capabilities):
    """Capabilities beside those of a usual OPEN, in one parameter."""
    inner = capability(1, b"\0\1\0\1") + capability(65, struct.pack("!I", SENDER_AS)) + b"".join(capabilities)
    return opening(bytes([2, len(inner)]) + inner)


def extended_opening(parameters, length=None):
    """RFC 9072."""
    size = len(parameters) if length is None else length
    return message(OPEN, b"\4\xfc\1\0\x5a\x0a\x62\0\2\xff\xff" + struct.pack("!H", size) + parameters)


UP = "session"
FOUR_OCTETS = capability(65, struct.pack("!I", SENDER_AS))
# What is sent, and what must come of it: a session, or a NOTIFICATION. (2, 0) is "recognized but malformed" (RFC 4271 6.2).
OPENINGS = [
    ("extended parameters cut after the marks (FRR CVE-2022-40302)", opening(b"\xff", 0xFF), (2, 0)),
    ("extended parameters with a cut length", opening(b"\xff\0", 0xFF), (2, 0)),
    ("extended parameters that say more than there is (FRR CVE-2022-40318)", extended_opening(b"\2\0\6", 300), (2, 0)),
    ("an extended parameter that says more than there is", extended_opening(b"\2\xff\xff\1"), (2, 0)),
    ("29 bytes, 0x6b of parameters, one there (FRR CVE-2022-43681)",
     MARKER + b"\0\x1e\1\4\xfc\1\0\xde\x0a\x62\0\2\x6b\xff", (2, 0)),
    ("no capability at all", opening(b""), UP),
    ("extended form though short", extended_opening(b"\2\0\x06" + FOUR_OCTETS), UP),
    ("LLGR of 6 bytes (FRR CVE-2023-31489)", offered(capability(71, b"\0\1\1\0\0\1")), (2, 0)),
    ("LLGR of 8 bytes", offered(capability(71, b"\0\1\1\0\0\1\1\1")), (2, 0)),
    ("graceful restart of 1 byte", offered(capability(64, b"\0")), (2, 0)),
    ("graceful restart of 5 bytes (FRR 8a98657bf)", offered(capability(64, b"\0\x78\0\1\1")), (2, 0)),
    ("software version longer than the rest (GoBGP CVE-2025-43971)",
     message(OPEN, bytes.fromhex("04fc01005a0a6200020b02094b070a000000000000")), UP),  # not looked into
    ("a capability cut by its parameter (gobgp 2598)", opening(bytes.fromhex("020d02010400010001014104")), (2, 0)),
    ("a capability that runs past its parameter", opening(b"\2\3\x41\4\0"), (2, 0)),
    ("a capability code without length", opening(b"\2\7" + FOUR_OCTETS + b"\1"), (2, 0)),
    ("four-octet AS of length 0 (GoBGP GHSA-gjrg-jjr3-56cm)", opening(b"\2\6\x41\0\1\2\0\1"), (2, 0)),
    ("a family of 3 bytes", offered(capability(1, b"\0\1\0")), (2, 0)),
    ("add-path of 3 bytes", offered(capability(69, b"\0\1\1")), (2, 0)),
    ("extended next hop of 5 bytes", offered(capability(5, b"\0\1\0\1\0")), (2, 0)),
    ("a role of 2 bytes", offered(capability(9, b"\0\1")), ((2, 0), UP)),
    ("host name longer than the capability", offered(capability(73, b"\xff\x41")), ((2, 0), UP)),
    ("unknown capabilities", offered(capability(200, b"\1\2\3"), capability(255, b"\0" * 100)), UP),
    ("every family and every capability twice", offered(*[capability(1, b"\0\1\0\1")] * 2, FOUR_OCTETS, capability(2), capability(2)), UP),
    ("a parameter that is unknown", opening(b"\7\1\0"), (2, 4)),
    ("authentication, which is no more", opening(b"\1\1\0"), (2, 4)),
    ("a parameter that runs past the OPEN", opening(b"\2\x20" + FOUR_OCTETS), (2, 0)),
    ("bytes behind the parameters", opening(b"\2\6" + FOUR_OCTETS, tail=b"\0\0"), (2, 0)),
    ("an OPEN of 28 bytes", MARKER + b"\0\x1c\1\4\xfc\1\0\x5a\x0a\x62\0\2", (1, 2)),
    ("AS 0 in the capability (RFC 7607)", opening(b"\2\6" + capability(65, b"\0\0\0\0")), (2, 2)),
]
# In an established session: messages that are none, or of others' extensions.
AFTERWARDS = [
    ("dynamic capability (FRR CVE-2024-31949)", message(6, b"\0\0\x40\xff"), {(1, 3)}),
    ("ORF in a refresh that was not agreed on (frr 22828)", message(REFRESH, b"\0\1\0\1\1\x40\0\xff\0"), {(7, 1), None}),
    ("a refresh of 3 bytes (FRR CVE-2023-41360)", message(REFRESH, b"\0\1\0"), {(1, 2), (7, 1)}),
    ("a second OPEN", offered(), {(5, 3)}),
    ("a keepalive with a body", message(KEEPALIVE, b"\0"), {(1, 2)}),
    ("a NOTIFICATION of one byte", message(NOTIFICATION, b"\6"), {(1, 2), None}),
    ("an UPDATE of 22 bytes", message(UPDATE, b"\0\0\0"), {(1, 2), (3, 1)}),
    ("type 0", message(0), {(1, 3)}),
    ("length 18", MARKER + b"\0\x12\4", {(1, 2)}),
    ("length 65,535", MARKER + b"\xff\xff\2", {(1, 2)}),
    ("a marker with a zero in it", b"\xff" * 15 + b"\0\0\x13\4", {(1, 1)}),
]


class CveOpenTest(InteropTest):
    def start(self, count):
        self.lan = Lan(self, 3)
        self.sources = [f"10.98.0.{100 + n}" for n in range(count)]
        self.lan.ip(2, *(f"addr add {source}/24 dev eth0" for source in self.sources))
        self.margay = Margay(self.lan, 1)
        peers = [dict(peerIP=source, asNumber=SENDER_AS) for source in self.sources] + [dict(peerIP="10.98.0.3", asNumber=64514)]
        self.margay.configure(OUR_AS, peers, localPrefixes=["10.1.0.0/24"], defaults=dict(passive=True, families=["ipv4"]))
        self.margay.start()
        self.watcher = RawPeer(self.lan, 3, 64514, US).connect(hold=0)
        self.addCleanup(self.watcher.close)

    def assert_well(self, source):
        """The one who misbehaved may come again, and all goes on."""
        again = RawPeer(self.lan, 2, SENDER_AS, US, source=source).connect()
        again.send(announce(["10.5.0.0/24"], sound(False)))
        self.watcher.wait(lambda: "10.5.0.0/24" in self.watcher.routes, "a route")
        again.close()
        self.watcher.wait(lambda: "10.5.0.0/24" not in self.watcher.routes, "its end")
        self.assertIsNone(self.margay.processes[0].poll(), self.margay.log())
        self.assertEqual(self.margay.peer("10.98.0.3")["timesDropped"], 0)

    def test_openings(self):
        self.start(len(OPENINGS))
        wrong = []
        for source, (name, data, wanted) in zip(self.sources, OPENINGS):
            peer = RawPeer(self.lan, 2, SENDER_AS, US, source=source)
            peer.connect_socket()
            peer.wait(lambda: peer.messages, "an OPEN")
            peer.send(data)
            peer.wait(lambda: peer.notification or peer.is_up, f"an answer: {name}")
            got = peer.notification or UP
            if got not in (wanted if isinstance(wanted[0], tuple) else [wanted]):
                wrong.append(f"{name}: {got}, expected {wanted}")
            peer.close()
        self.assertEqual(wrong, [])
        wait_until(lambda: self.margay.show("peers"), "it answers")
        for source in self.sources[:3]:
            self.assert_well(source)

    def test_messages_of_a_session(self):
        self.start(len(AFTERWARDS))
        wrong = []
        for source, (name, data, wanted) in zip(self.sources, AFTERWARDS):
            peer = RawPeer(self.lan, 2, SENDER_AS, US, source=source).connect()
            marker = f"10.7.{len(wrong)}.0/24"
            peer.send(data + announce([marker], sound(False)))

            def settled():
                peer.drain()
                self.watcher.drain()
                return peer.is_closed or marker in self.watcher.routes

            wait_until(settled, f"an answer: {name}")
            if peer.notification not in wanted:
                wrong.append(f"{name}: {peer.notification}, expected {wanted}")
            peer.close()
            self.watcher.wait(lambda: marker not in self.watcher.routes, "the end of its route")
        self.assertEqual(wrong, [])
        self.assert_well(self.sources[0])


if __name__ == "__main__":
    lab.main()
