#!/usr/bin/env python3
"""NOTIFICATIONs both ways: codes, texts of RFC 9003, hard resets of RFC 8538, and what lastError says of them."""
import signal

import brands
import lab
from brands import address
from lab import InteropTest, Lan, Margay, wait_until
from raw import MARKER, NOTIFICATION, OPEN, RawPeer, graceful_restart, message, open_message, usual_capabilities
from updates import announce, sound

US = "10.98.0.1"
UMLAUTS = "Wartung von Gerät Ü bis fünf – ☃ 终"
LONGEST = "ü" * 127 + "x"  # 255 bytes
assert len(LONGEST.encode()) == 255


def text(words, length=None):
    data = words if isinstance(words, bytes) else words.encode()
    return bytes([len(data) if length is None else length]) + data


# code, subcode, data, what lastError must say, what it must not
RECEIVED = [
    (6, 0, b"", "received Cease/Unspecific", "data"),
    (6, 1, b"\0\1\1\0\0\0\x64", "Maximum Number of Prefixes Reached", ""),
    (6, 2, b"", "Cease/Administrative Shutdown", "data"),
    (6, 2, text(""), "Cease/Administrative Shutdown", "data"),
    (6, 2, text("power work until 5"), "Administrative Shutdown: power work until 5", "data"),
    (6, 2, text(UMLAUTS), UMLAUTS, "data"),
    (6, 2, text("x" * 128), "x" * 128, "data"),
    (6, 2, text(LONGEST), LONGEST, "data"),
    (6, 2, text("two\nlines\x1b[31mred\0end"), "two lines", "\x1b"),
    (6, 2, text(b"bad \xff\xfe utf"), "bad ?", "\ufffd"),
    (6, 2, text(b"cut \xe2\x82"), "cut ?", ""),
    (6, 2, text("turned \u202e round"), "turned", "\u202e"),
    (6, 2, text("short", 200), "Administrative Shutdown (data c873686f7274)", ""),  # CVE-2019-16159: longer than there is
    (6, 2, b"\xff", "Administrative Shutdown (data ff)", ""),
    (6, 2, text("kept") + b"trailing", "kept", "trailing"),
    (6, 3, b"", "Cease/Peer De-configured", ""),
    (6, 4, text("reset by Ann"), "Cease/Administrative Reset: reset by Ann", ""),
    (6, 5, b"", "Cease/Connection Rejected", ""),
    (6, 6, b"", "Cease/Other Configuration Change", ""),
    (6, 7, b"", "Cease/Connection Collision Resolution", ""),
    (6, 8, b"", "Cease/Out of Resources", ""),
    (6, 9, b"\6\2" + text("hard words"), "Cease/Hard Reset (Cease/Administrative Shutdown: hard words)", ""),
    (6, 9, b"\4\0", "Cease/Hard Reset (Hold Timer Expired)", ""),
    (6, 9, b"\6\x09\6\x09\6\x09", "Cease/Hard Reset (Cease/Hard Reset (data 06090609))", ""),
    (6, 10, b"", "Cease/BFD Down", ""),
    (6, 200, b"\1\2\3", "Cease/200 (data 010203)", ""),
    (4, 0, b"", "Hold Timer Expired", ""),
    (8, 0, b"", "Send Hold Timer Expired", ""),  # RFC 9687
    (3, 5, b"\x40\1\2\0\0", "UPDATE Message Error/Attribute Length Error (data 4001020000)", ""),
    (5, 3, b"\2", "Finite State Machine Error/Unexpected Message in Established", ""),
    (7, 1, b"\0\1\0\1", "ROUTE-REFRESH Message Error/Invalid Message Length", ""),
    (77, 9, b"", "Code 77/9", ""),
    (0, 0, b"", "Code 0/0", ""),
]


class ReceivedTest(InteropTest):
    def test_every_notification_is_told_in_words(self):
        """Each from a peer of its own: the session goes down, lastError says what was received, nothing else suffers."""
        lan = Lan(self, 2)
        sources = [f"10.98.0.{100 + n}" for n in range(len(RECEIVED))]
        lan.ip(2, *(f"addr add {source}/24 dev eth0" for source in sources))
        margay = Margay(lan, 1)
        margay.configure(64512, [dict(peerIP=source, asNumber=64513) for source in sources + ["10.98.0.2"]], defaults=dict(passive=True))
        margay.start()
        bystander = RawPeer(lan, 2, 64513, US).connect()
        peers = [RawPeer(lan, 2, 64513, US, source=source).connect() for source in sources]
        for peer, (code, subcode, data, _, _) in zip(peers, RECEIVED):
            self.addCleanup(peer.close)
            peer.send(message(NOTIFICATION, bytes([code, subcode]) + data))
        wait_until(lambda: all(p["state"] != "Established" or p["address"] == "10.98.0.2" for p in margay.show("peers")),
                   lambda: f"sessions end: {[p['address'] for p in margay.show('peers') if p['state'] == 'Established']}")
        shown = {peer["address"]: peer for peer in margay.show("peers")}
        for source, (code, subcode, data, wanted, unwanted) in zip(sources, RECEIVED):
            with self.subTest(code=code, subcode=subcode, data=data):
                said = shown[source]["lastError"]
                self.assertIn(wanted, said)
                self.assertTrue(not unwanted or unwanted not in said, said)
                self.assertEqual(said.count("received"), 1, said)
                self.assertEqual(said.count(wanted), 1, said)
                self.assertEqual(shown[source]["timesDropped"], 1)
        self.assertEqual(shown["10.98.0.2"]["state"], "Established")
        bystander.close()


class SentTest(InteropTest):
    def start(self, peers=(2,), connect=None, **more):
        self.lan = Lan(self, 4)
        self.margay = Margay(self.lan, 1)
        self.hosts, self.more = peers, dict(defaults=dict(passive=True)) | more
        self.configure()
        self.margay.start()
        self.raws = {host: RawPeer(self.lan, host, 64513, US) for host in peers}
        for raw in self.raws.values():
            self.addCleanup(raw.close)
            raw.connect(**(connect or {}))
        return [self.raws[host] for host in peers]

    def configure(self, without=(), **defaults):
        more = self.more | dict(defaults=self.more["defaults"] | defaults)
        hosts = [host for host in self.hosts if host not in without]
        self.margay.configure(64512, [dict(peerIP=address(host), asNumber=64513) for host in hosts], **more)

    def assert_told(self, raw, code, data=None):
        raw.wait(lambda: raw.notification is not None, "a NOTIFICATION")
        self.assertEqual(raw.notification, code)
        if data is not None:
            self.assertEqual(raw.notification_data, data)

    def test_shutdown_with_each_text(self):
        for words in ("back at 6", UMLAUTS, LONGEST, ""):
            with self.subTest(words=words):
                (raw,) = self.start()
                self.configure(shutDown=True, shutdownText=words)
                self.margay.reload()
                self.assert_told(raw, (6, 2), text(words) if words else b"")
                said = self.margay.peer(address(2))["lastError"]
                self.assertIn(words or "Administrative Shutdown", said)
                self.margay.kill()

    def test_a_text_that_is_too_long_is_refused_by_its_field(self):
        (raw,) = self.start()
        self.configure(shutDown=True, shutdownText="ü" * 128)
        result = self.lan.run(1, lab.BGPD, "--socket", self.margay.socket, "--reload", check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("shutdownText", result.stderr + result.stdout)
        self.assertTrue(self.margay.is_established(address(2)))
        self.assertFalse(raw.read(0) and raw.is_closed)

    def test_reset_with_text_cut_at_a_whole_character(self):
        (raw,) = self.start()
        self.margay.post("/reset", peer=address(2), text="ü" * 200)
        self.assert_told(raw, (6, 4), text("ü" * 127))
        raw.connect()
        self.margay.post("/reset", peer=address(2), text="by Ann")
        self.assert_told(raw, (6, 4), text("by Ann"))

    def test_removed_changed_stopped(self):
        left, right, last = self.start((2, 3, 4))
        self.configure(without=(2,))
        self.margay.reload()
        self.assert_told(left, (6, 3))
        self.assertTrue(self.margay.is_established(address(3)))
        self.hosts = (3, 4)
        self.configure(holdTime="120s")
        self.margay.reload()
        for raw in (right, last):
            self.assert_told(raw, (6, 6))
            raw.connect()
        self.margay.processes[-1].send_signal(signal.SIGINT)
        for raw in (right, last):
            self.assert_told(raw, (6, 2))
            self.assertIn("stopped by an admin", raw.notification_data.decode())

    def test_who_keeps_routes_after_notifications_gets_hard_resets(self):
        """RFC 8538: with the N bit, an end for good is a Hard Reset around the words; a reset stays as it is."""
        capabilities = usual_capabilities(64513) + [graceful_restart(60, flags=4)]
        (raw,) = self.start(connect=dict(capabilities=capabilities))
        self.margay.post("/reset", peer=address(2), text="soon back")
        self.assert_told(raw, (6, 4), text("soon back"))
        raw.connect(capabilities=capabilities)
        self.configure(shutDown=True, shutdownText="for good")
        self.margay.reload()
        self.assert_told(raw, (6, 9), b"\6\2" + text("for good"))

    def test_hold_time(self):
        (raw,) = self.start(connect=dict(hold=3))
        raw.wait(lambda: raw.notification, "the hold timer")
        self.assertEqual(raw.notification, (4, 0))
        self.assertIn("hold time of 3 s expired", self.margay.peer(address(2))["lastError"])

    def test_prefix_limit(self):
        (raw,) = self.start(defaults=dict(passive=True, prefixLimit=dict(max=3)))
        raw.send(announce([f"10.9.{n}.0/24" for n in range(4)], sound(False)))
        self.assert_told(raw, (6, 1))
        self.assertEqual(raw.notification_data[:3], b"\0\1\1")  # RFC 4486: family and limit
        self.assertEqual(int.from_bytes(raw.notification_data[3:7], "big"), 3)
        self.assertIn("Maximum Number of Prefixes", self.margay.peer(address(2))["lastError"])

    def test_strangers_and_second_connections(self):
        (raw,) = self.start()
        stranger = RawPeer(self.lan, 3, 64513, US)
        stranger.connect_socket()
        stranger.wait(lambda: stranger.notification, "a refusal")
        self.assertEqual(stranger.notification, (6, 5))
        second = RawPeer(self.lan, 2, 64513, US)  # while the first is established: RFC 4271 6.8
        second.connect_socket()
        second.send(open_message(64513, address(2)))
        second.wait(lambda: second.notification, "the collision")
        self.assertEqual(second.notification, (6, 7))
        self.assertFalse(raw.read(0.2) and raw.is_closed)
        self.assertTrue(self.margay.is_established(address(2)))

    def test_openings_that_cannot_be(self):
        """OPEN errors: code and data as RFC 4271 6.2, 5492 and 6286 say; lastAttemptError speaks of them."""
        self.start(())
        cases = [
            ("version", MARKER + b"\0\x1d\1\3\xfc\1\0\x5a\x0a\x62\0\2\0", (2, 1), b"\0\4", "Unsupported Version"),
            ("AS", open_message(64999, address(2)), (2, 2), None, "64999"),
            ("identifier 0", open_message(64513, "0.0.0.0"), (2, 3), None, "BGP Identifier"),
            ("hold time 2", open_message(64513, address(2), hold=2), (2, 6), None, "hold time 2"),
            ("no family", open_message(64513, address(2), capabilities=[(1, b"\0\x19\0\x41"), (65, b"\0\0\xfc\1")]), (2, 7), None, "family"),
            ("header", b"\0" * 16 + b"\0\x13\4", (1, 1), None, "Synchronized"),
            ("length", MARKER + b"\0\x12\4", (1, 2), b"\0\x12", "Message Length"),
            ("type", MARKER + b"\0\x13\x63", (1, 3), b"\x63", "Message Type"),
            ("state", message(4), (5, 1), None, "OpenSent"),
        ]
        sources = [f"10.98.0.{100 + n}" for n in range(len(cases))]
        self.lan.ip(2, *(f"addr add {source}/24 dev eth0" for source in sources))
        self.margay.configure(64512, [dict(peerIP=source, asNumber=64513) for source in sources], defaults=dict(passive=True, families=["ipv4"]))
        self.margay.reload()
        for source, (name, data, code, wanted, said) in zip(sources, cases):
            with self.subTest(name):
                raw = RawPeer(self.lan, 2, 64513, US, source=source)
                raw.connect_socket()
                raw.wait(lambda: raw.messages and raw.messages[0][0] == OPEN, "an OPEN")
                raw.send(data)
                self.assert_told(raw, code, wanted)
                wait_until(lambda: said in self.margay.peer(source)["lastAttemptError"], lambda: f"{said}: {self.margay.peer(source)}", 5)
                raw.close()


class BrandsTest(InteropTest):
    needs = brands.NEEDS

    def test_texts_both_ways_with_each_peer(self):
        lan = Lan(self, 4)
        margay = Margay(lan, 1)
        hosts = {"BIRD": 2, "FRR": 3, "GoBGP": 4}

        def configure(**more):
            margay.configure(64512, [dict(peerIP=address(host), asNumber=64513) for host in hosts.values()], **more)

        configure()
        margay.start()
        more = {"FRR": "bgp graceful-restart-disable"}  # it shows no text inside a Hard Reset
        peers = {brand: brands.make(lan, brand, host, more=more.get(brand, "")) for brand, host in hosts.items()}
        for peer in peers.values():
            peer.start()
        for brand, peer in peers.items():
            wait_until(lambda: margay.is_established(address(hosts[brand])) and peer.is_up(), lambda: f"{brand}: {margay.log()}{peer.log()}")
        peers["BIRD"].ask("disable", "margay", f'"{UMLAUTS}"')
        peers["FRR"].ask(f"configure terminal\nrouter bgp\nneighbor {US} shutdown message {UMLAUTS}")
        peers["GoBGP"].ask("neighbor", US, "shutdown", "--reason", UMLAUTS)
        for brand, host in hosts.items():
            wait_until(lambda: UMLAUTS in margay.peer(address(host))["lastError"], lambda: f"{brand}'s words: {margay.peer(address(host))}")
            self.assertIn("Administrative Shutdown", margay.peer(address(host))["lastError"])
        peers["BIRD"].ask("enable", "margay")
        peers["FRR"].ask(f"configure terminal\nrouter bgp\nno neighbor {US} shutdown")
        peers["GoBGP"].ask("neighbor", US, "enable")
        for brand, peer in peers.items():
            wait_until(lambda: margay.is_established(address(hosts[brand])) and peer.is_up(), lambda: f"{brand} is back: {margay.log()}{peer.log()}", 60)
        configure(defaults=dict(shutDown=True, shutdownText="back at 6 o'clock"))
        margay.reload()
        said = {
            "BIRD": lambda: peers["BIRD"].ask("show", "protocols", "all", "margay").stdout,
            "FRR": lambda: peers["FRR"].ask(f"show bgp neighbors {US} json").stdout,
            "GoBGP": lambda: peers["GoBGP"].log(),
        }
        for brand, ask in said.items():
            wait_until(lambda: "back at 6 o'clock" in ask(), lambda: f"{brand} tells our words:\n{ask()}")


if __name__ == "__main__":
    lab.main()
