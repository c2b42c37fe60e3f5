#!/usr/bin/env python3
"""A peer that stops reading: others are told in time, memory stays bounded, and it gets the right end when it reads again."""
import itertools
import os
import socket
import struct

import lab
from lab import InteropTest, Lan, Margay, wait_until
from raw import REFRESH, RawPeer, attribute, message
from updates import announce, sound, withdraw

US = "10.98.0.1"
PREFIXES = [f"10.{100 + n // 256}.{n % 256}.0/24" for n in range(2000)]
ROUNDS = 30
GROWTH_MAX_KB = 24 * 1024  # of what would be 60 MB if all of it waited for the slow one


class SlowRaw(RawPeer):
    """With little room in its kernel."""

    def connect_socket(self):
        super().connect_socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)


def resident_kb(process):
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def big_round(number):
    """Each prefix with a kilobyte of attributes of its own, other ones each round."""
    out = []
    for index, one in enumerate(PREFIXES):
        values = [(64000 + number) << 16 | index] + [65010 << 16 | n for n in range(250)]
        out.append(announce([one], sound(False, replace={8: attribute(0xC0, 8, struct.pack(f"!{len(values)}I", *values))})))
    return b"".join(out)


class SlowReaderTest(InteropTest):
    def start(self):
        self.lan, self.numbers = Lan(self, 4), itertools.count()
        self.margay = Margay(self.lan, 1)
        self.configure()
        # With sanitizers, freed memory would be kept for a while.
        self.margay.start("env", "ASAN_OPTIONS=" + ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=1"])))
        peers = RawPeer(self.lan, 2, 64513, US), RawPeer(self.lan, 3, 64514, US), SlowRaw(self.lan, 4, 64515, US)
        for peer in peers:
            self.addCleanup(peer.close)
            peer.connect(hold=0)
        return peers

    def configure(self, slow=None, **more):
        peers = [dict(peerIP=f"10.98.0.{host}", asNumber=64511 + host) for host in (2, 3)]
        self.margay.configure(64512, peers + [dict(peerIP="10.98.0.4", asNumber=64515, **(slow or {}))], defaults=dict(passive=True), **more)

    def play(self, sender, fast, rounds):
        """Rounds of changes, each waited for at the one that reads; gives the resident set after each."""
        sizes = []
        for number in itertools.islice(self.numbers, rounds):
            marker = f"10.5.{number}.0/24"
            sender.send(big_round(number) + announce([marker], sound(False)))
            fast.wait(lambda: marker in fast.routes, f"round {number} at the one that reads", 15)
            fast.messages.clear()
            sizes.append(resident_kb(self.margay.processes[0]))
        return sizes

    def assert_no_session_ended(self):
        self.assertEqual([(peer["timesEstablished"], peer["timesDropped"]) for peer in self.margay.show("peers")], [(1, 0)] * 3)

    def test_others_are_not_held_up_and_memory_is_bounded(self):
        sender, fast, slow = self.start()
        sizes = self.play(sender, fast, ROUNDS)
        sender.send(withdraw(PREFIXES[:500]))
        fast.wait(lambda: not set(PREFIXES[:500]) & fast.routes.keys(), "withdrawals", 15)
        print(f"resident after the first round {sizes[0]} kB, at most {max(sizes)} kB")
        self.assertLess(max(sizes) - sizes[0], GROWTH_MAX_KB, f"resident set by round: {sizes}")
        self.assertTrue(self.margay.is_established("10.98.0.4"), self.margay.peer("10.98.0.4")["lastError"])
        slow.wait(lambda: slow.routes == fast.routes, lambda: f"the end: {len(slow.routes)} of {len(fast.routes)}", 60)
        self.assertEqual(len(slow.routes), 1500 + ROUNDS)
        self.assert_no_session_ended()
        # And it hears of what comes then.
        sender.send(announce(["10.6.0.0/24"], sound(False)))
        slow.wait(lambda: "10.6.0.0/24" in slow.routes, "the next change")
        wait_until(lambda: self.margay.peer("10.98.0.4")["queuedBytes"] == 0, "nothing left over")

    def test_what_it_may_hear_changes_while_it_does_not_read(self):
        """It asks for a refresh, and its filter changes twice: in the end it knows what the last one lets through."""
        sender, fast, slow = self.start()
        self.play(sender, fast, 4)
        slow.send(message(REFRESH, b"\0\1\0\1"))
        for rejected in (PREFIXES[0], PREFIXES[1]):
            rules = dict(exportV4=[dict(cidr=rejected, matchOperator="Equal", action="Reject")])
            self.configure(dict(filters=["f"]), filters=[("f", rules)])
            self.margay.reload()
            self.play(sender, fast, 3)
        wanted = {one: attributes for one, attributes in fast.routes.items() if one != PREFIXES[1]}
        slow.wait(lambda: slow.routes == wanted, lambda: f"the end: {len(slow.routes)} of {len(wanted)}, {slow.routes.keys() ^ wanted.keys()}", 60)
        self.configure()
        self.margay.reload()
        slow.wait(lambda: slow.routes == fast.routes, "all, without a filter")
        self.assert_no_session_ended()


if __name__ == "__main__":
    lab.main()
