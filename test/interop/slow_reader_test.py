#!/usr/bin/env python3
"""A peer that stops reading: others are told in time, memory stays bounded, and it gets the right end when it reads again."""
import socket
import struct

import lab
from lab import InteropTest, Lan, Margay, wait_until
from raw import RawPeer, attribute
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
    def test_others_are_not_held_up_and_memory_is_bounded(self):
        lan = Lan(self, 4)
        margay = Margay(lan, 1)
        margay.configure(64512, [dict(peerIP=f"10.98.0.{host}", asNumber=64511 + host) for host in (2, 3, 4)], defaults=dict(passive=True))
        margay.start()
        sender, fast, slow = RawPeer(lan, 2, 64513, US), RawPeer(lan, 3, 64514, US), SlowRaw(lan, 4, 64515, US)
        for peer in (sender, fast, slow):
            self.addCleanup(peer.close)
            peer.connect(hold=0)
        sizes = []
        for number in range(ROUNDS):
            marker = f"10.5.{number}.0/24"
            sender.send(big_round(number) + announce([marker], sound(False)))
            fast.wait(lambda: marker in fast.routes, f"round {number} at the one that reads", 15)
            fast.messages.clear()
            sizes.append(resident_kb(margay.processes[0]))
        sender.send(withdraw(PREFIXES[:500]))
        fast.wait(lambda: not set(PREFIXES[:500]) & fast.routes.keys(), "withdrawals", 15)
        print(f"resident after the first round {sizes[0]} kB, at most {max(sizes)} kB")
        self.assertLess(max(sizes) - sizes[0], GROWTH_MAX_KB, f"resident set by round: {sizes}")
        self.assertTrue(margay.is_established("10.98.0.4"), margay.peer("10.98.0.4")["lastError"])
        slow.wait(lambda: slow.routes == fast.routes, lambda: f"the end: {len(slow.routes)} of {len(fast.routes)}", 60)
        self.assertEqual(len(slow.routes), 1500 + ROUNDS)
        self.assertEqual([margay.peer(f"10.98.0.{host}")["timesDropped"] for host in (2, 3, 4)], [0, 0, 0])
        # And it hears of what comes then.
        sender.send(announce(["10.6.0.0/24"], sound(False)))
        slow.wait(lambda: "10.6.0.0/24" in slow.routes, "the next change")
        wait_until(lambda: margay.peer("10.98.0.4")["queuedBytes"] == 0, "nothing left over")


if __name__ == "__main__":
    lab.main()
