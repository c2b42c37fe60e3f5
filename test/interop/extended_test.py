#!/usr/bin/env python3
"""Extended messages (RFC 8654): more than 4,096 bytes where both sides can, never where one cannot."""
import brands
import lab
from brands import address
from lab import InteropTest, Lan, Margay, wait_until
from raw import EXTENDED_MESSAGE, REFRESH, RawPeer, communities, message, usual_capabilities
from updates import announce, some_communities, sound

US = "10.98.0.1"
COUNT = 1500  # communities: 6,000 bytes
WIDE, NARROW = "10.50.0.0/24", "10.51.0.0/24"
CROWD = [f"10.{60 + n // 256}.{n % 256}.0/24" for n in range(2500)]  # 10,000 bytes of NLRI


class ExtendedTest(InteropTest):
    needs = brands.NEEDS

    def observer(self, host, asn, extended):
        peer = RawPeer(self.lan, host, asn, US)
        peer.connect(hold=0, capabilities=usual_capabilities(asn) + ([EXTENDED_MESSAGE] if extended else []))
        self.addCleanup(peer.close)
        return peer

    def test_long_messages_go_to_who_can_and_only_to_them(self):
        """From a raw speaker to BIRD (with and without), FRR (with), GoBGP (without), and raw ones that measure."""
        self.lan = Lan(self, 8)
        hosts = {"BIRD": 2, "FRR": 3, "GoBGP": 4, "old BIRD": 5}
        asns = {6: 64600, 7: 64601, 8: 64602}
        margay = Margay(self.lan, 1)
        margay.configure(64512, [dict(peerIP=address(host), asNumber=64513) for host in hosts.values()]
                         + [dict(peerIP=address(host), asNumber=asn) for host, asn in asns.items()])
        margay.start()
        peers = {}
        for brand, host in hosts.items():
            more = {"BIRD": "enable extended messages on;", "old BIRD": "enable extended messages off;"}.get(brand, "")
            peers[brand] = brands.make(self.lan, brand.removeprefix("old "), host, more=more)
            peers[brand].start()
        sender, able, unable = (self.observer(host, asn, host != 8) for host, asn in asns.items())
        for brand, peer in peers.items():
            wait_until(lambda: peer.is_up() and margay.is_established(address(hosts[brand])), lambda: f"{brand}: {margay.log()}{peer.log()}", 60)
        # First a short form of the same route, which those who cannot take the long one must not keep.
        sender.send(announce([WIDE, NARROW], sound(False, asn=64600)) + announce(CROWD, sound(False, asn=64600), room=60000))
        for observer in (able, unable):
            observer.wait(lambda: {WIDE, NARROW, *CROWD} <= observer.routes.keys(), "all routes")
        self.assertGreater(able.largest, 4096, "NLRI of one attribute set is packed into long messages")
        self.assertGreater(unable.largest, 3900, "and into full ones of the old size")
        for brand, peer in peers.items():
            wait_until(lambda: peer.has(WIDE) and peer.has(CROWD[-1]), lambda: f"{brand} has the short form: {peer.log()}")
        sender.send(announce([WIDE], sound(False, asn=64600, replace={8: some_communities(COUNT)})))
        able.wait(lambda: WIDE in able.routes and len(communities(able.routes[WIDE])) == COUNT, "the long route")
        unable.wait(lambda: WIDE not in unable.routes, "its withdrawal")
        for brand in ("BIRD", "FRR"):
            wait_until(lambda: self.count(peers[brand], brand) == COUNT, lambda: f"{brand}: {self.count(peers[brand], brand)} communities\n{peers[brand].log()}")
        for brand in ("old BIRD", "GoBGP"):
            wait_until(lambda: not peers[brand].has(WIDE), f"{brand} does not keep the old form")
            self.assertTrue(peers[brand].has(NARROW), brand)
        sender.send(announce([WIDE], sound(False, asn=64600, med=7)))
        unable.wait(lambda: WIDE in unable.routes, "short again")
        for brand, peer in peers.items():
            wait_until(lambda: peer.has(WIDE), f"{brand} has it again")
            self.assertEqual(margay.peer(address(hosts[brand]))["timesDropped"], 0, brand)
        self.assertLessEqual(unable.largest, 4096)

    def count(self, peer, brand):
        if brand == "BIRD":
            return peer.detail(WIDE).count("(65010,")
        paths = peer.ask_json(f"show bgp ipv4 unicast {WIDE} json").get("paths", [])
        return len(paths[0].get("community", {}).get("list", [])) if paths else 0

    def test_long_messages_are_taken_from_bird(self):
        self.lan = Lan(self, 3)
        margay = Margay(self.lan, 1)
        margay.configure(64512, [dict(peerIP=address(2), asNumber=64513), dict(peerIP=address(3), asNumber=64601)])
        margay.start()
        bird = brands.make(self.lan, "BIRD", 2, prefixes=[WIDE], more="enable extended messages on;")
        adds = "".join(f"bgp_community.add((65010,{n}));" for n in range(COUNT))
        bird.configure(brands.bird_config(bird.options).replace("export where source = RTS_STATIC;", f"export filter {{ {adds} accept; }};", 1))
        bird.start()
        able = self.observer(3, 64601, True)
        able.wait(lambda: WIDE in able.routes, "BIRD's route")
        self.assertEqual(len(communities(able.routes[WIDE])), COUNT)
        self.assertGreater(able.largest, 4096)
        self.assertEqual(len(margay.routes()[WIDE]["communities"]), COUNT)

    def test_who_was_not_offered_it_must_not_use_it(self):
        for offered in (False, True):
            with self.subTest(offered=offered):
                self.lan = Lan(self, 2)
                margay = Margay(self.lan, 1)
                margay.configure(64512, [dict(peerIP=address(2), asNumber=64600)], defaults=dict(passive=True, extendedMessages=offered))
                margay.start()
                sender = self.observer(2, 64600, True)
                sender.send(announce([WIDE], sound(False, asn=64600, replace={8: some_communities(1100)})))
                if offered:
                    wait_until(lambda: WIDE in margay.routes(), "taken")
                    sender.send(message(REFRESH, b"\0\1\0\1"))
                    sender.drain()
                    self.assertFalse(sender.is_closed)
                else:
                    sender.wait(lambda: sender.notification, "Bad Message Length")
                    self.assertEqual(sender.notification, (1, 2))
                margay.kill()


if __name__ == "__main__":
    lab.main()
