"""What tests of malformed UPDATEs share: how a case is written, and how it is tried over a live session.

Each case announces a sound route, then the malformed UPDATE for the same prefix, then a sound marker. Two more peers, one
of another AS and one of ours (we reflect), tell what became of the route; everything they get must parse.
"""
import struct

from lab import InteropTest, Lan, Margay, wait_until
from raw import UPDATE, RawPeer, attribute, message, prefix, update
from updates import sound

US, SENDER_AS, OUR_AS, RECEIVER_AS = "10.98.0.1", 64513, 64512, 64514

RESET, WITHDRAW, DISCARD, ACCEPT = "session reset", "treat as withdraw", "attribute discard", "accept"
IGNORE = "ignored, old route left in place"


def only(kind, flags, value, ebgp, ibgp=None, why=""):
    """A case that puts `value` in place of attribute `kind` (or adds it)."""
    return dict(why=why, ebgp=ebgp, ibgp=ibgp or ebgp, build=lambda internal: sound(internal, replace={kind: attribute(flags, kind, value)}),
                kind=kind)


def raw(why, build, ebgp, ibgp=None, **more):
    return dict(why=why, build=build, ebgp=ebgp, ibgp=ibgp or ebgp, **more)


def mp_reach(next_hop, nlri=b"\x40\x20\x01\x0d\xb8\x00\x05\x00\x00", afi=2, safi=1, reserved=b"\0"):
    return attribute(0x80, 14, struct.pack("!HBB", afi, safi, len(next_hop)) + next_hop + reserved + nlri)


class MalformedTest(InteropTest):
    def sessions(self, sender_as):
        asns = {2: sender_as, 3: RECEIVER_AS, 4: OUR_AS}
        lan = Lan(self, 4)
        margay = Margay(lan, 1)
        margay.configure(OUR_AS, [dict(peerIP=f"10.98.0.{host}", asNumber=asn) for host, asn in asns.items()],
                         routeReflectorClusterID="10.98.0.1", defaults=dict(passive=True, gracefulRestart=False))
        margay.start()
        sender, receiver, inner = (RawPeer(lan, host, asn, US) for host, asn in asns.items())
        for peer in (sender, receiver, inner):
            self.addCleanup(peer.close)
            peer.connect()
        return margay, sender, receiver, inner

    def try_case(self, peers, number, case, internal):
        sender, receiver, inner = peers
        one, marker = f"10.5.{number}.0/24", f"10.6.{number}.0/24"
        # The sound route carries community 64999:1, which the malformed UPDATE does not: so an update that was ignored
        # with the old route left in place is told from one that was taken.
        old = attribute(0xC0, 8, struct.pack("!I", 64999 << 16 | 1))
        sender.send(update(sound(internal, replace={8: old}), prefix(one)))
        for peer in (receiver, inner):
            peer.wait(lambda: one in peer.routes, "the sound route")
        if case.get("bytes"):
            sender.send(message(UPDATE, case["bytes"]()))
        else:
            nlri = prefix(one) if case.get("nlri") is None else case["nlri"]
            sender.send(update(case["build"](internal), nlri, attributes_length=case.get("attributes_length")))
        sender.send(update(sound(internal), prefix(marker)))

        def settled():
            for peer in peers:
                peer.drain()
            return (marker in receiver.routes and marker in inner.routes) or sender.is_closed or receiver.is_closed or inner.is_closed

        wait_until(settled, f"marker or end of session: {case['why']}")
        if receiver.is_closed or inner.is_closed:
            return f"another session ends: {receiver.notification} {inner.notification}"
        if sender.is_closed:
            return f"{RESET} {sender.notification}"
        if (one in receiver.routes) != (one in inner.routes) and not case.get("differs"):
            return f"told to one only: {one in receiver.routes}, {one in inner.routes}"
        if one not in receiver.routes:
            return WITHDRAW
        got = receiver.routes[one]
        if got.get(8, (0, b""))[1] == struct.pack("!I", 64999 << 16 | 1):
            return IGNORE
        kind = case.get("kind")
        if kind in (5, 9, 10):  # an eBGP receiver gets none of them either way
            return "accept or discard"
        return DISCARD if kind is not None and kind not in got else ACCEPT

    def run_table(self, cases, internal):
        margay, *peers = self.sessions(OUR_AS if internal else SENDER_AS)
        wrong = []
        for number, case in enumerate(cases):
            wanted = case["ibgp" if internal else "ebgp"]
            wanted = wanted if isinstance(wanted, tuple) else (wanted,)
            got = self.try_case(peers, number, case, internal)
            expected = {f"{RESET} {case.get('code')}" if w == RESET else w for w in wanted}
            if expected & {DISCARD, ACCEPT}:
                expected.add("accept or discard")
            if got not in expected:
                wrong.append(f"{case['why']}: {got}, expected {' or '.join(sorted(expected))}")
            if peers[0].is_closed:
                # A fault is followed by an idle hold that doubles; a new speaker has none.
                margay.kill()
                margay.start()
                for peer in peers:
                    peer.connect()
        print(f"{len(cases) - len(wrong)} of {len(cases)} cases right ({'iBGP' if internal else 'eBGP'})")
        self.assertEqual(wrong, [])
