#!/usr/bin/env python3
"""Route refresh (RFC 2918), enhanced (RFC 7313): what is asked for is told, what differs is told once, no session ends."""
import struct

import brands
import lab
from brands import address
from lab import InteropTest, Lan, Margay, wait_until
from raw import ENHANCED_REFRESH, REFRESH, UPDATE, RawPeer, communities, message, usual_capabilities
from updates import announce, some_communities, sound

US = "10.98.0.1"
OURS = [f"10.1.{n}.0/24" for n in range(6)]
HOSTS = {"BIRD": 2, "FRR": 3, "GoBGP": 4}
REQUEST, BEGIN, END = 0, 1, 2


def refresh(kind=REQUEST, afi=1, safi=1):
    return message(REFRESH, struct.pack("!HBB", afi, kind, safi))


def marks(peer, since=0):
    """What came in order: "update", or (afi, kind) of a ROUTE-REFRESH; End-of-RIB and keepalives left out."""
    out = []
    for kind, body in peer.messages[since:]:
        if kind == REFRESH:
            out.append((struct.unpack("!H", body[:2])[0], body[2]))
        elif kind == UPDATE and len(body) > 4 and "update" not in out[-1:]:
            out.append("update")
    return out


class RawRefreshTest(InteropTest):
    def start(self, **more):
        self.lan = Lan(self, 3)
        self.margay = Margay(self.lan, 1)
        self.configure(**more)
        self.margay.start()

    def configure(self, **more):
        peers = [dict(peerIP=address(2), asNumber=64513), dict(peerIP=address(3), asNumber=64514, **more.pop("second", {}))]
        self.margay.configure(64512, peers, localPrefixes=OURS + ["2001:db8:1::/64"], **dict(defaults=dict(passive=True)) | more)

    def peer(self, host, asn, *capabilities):
        peer = RawPeer(self.lan, host, asn, US)
        peer.connect(hold=0, capabilities=usual_capabilities(asn) + list(capabilities))
        peer.wait(lambda: peer.end_of_rib == {4, 6}, "End-of-RIB of both families")
        self.addCleanup(peer.close)
        return peer

    def ask(self, peer, data, condition, what):
        """Sends; gives what was told until the condition held."""
        before, told = len(peer.messages), len(peer.told)
        peer.send(data)
        peer.wait(lambda: condition(before, told), what)
        return marks(peer, before), peer.told[told:]

    def test_plain_request_brings_the_family_once_more(self):
        self.start()
        peer = self.peer(2, 64513)
        order, told = self.ask(peer, refresh(), lambda _, told: len(peer.told) - told >= len(OURS), "our routes")
        self.assertEqual(order, ["update"], "no marks without the enhanced capability")
        self.assertEqual(sorted(told), sorted(("+", one) for one in OURS))
        order, told = self.ask(peer, refresh(afi=2), lambda _, told: len(peer.told) > told, "our IPv6 route")
        self.assertEqual((order, told), (["update"], [("+", "2001:db8:1::/64")]))
        # What is no family of this session, and what RFC 7313 defines but was not agreed on, is passed over.
        odd = refresh(afi=25, safi=65) + refresh(afi=1, safi=2) + refresh(BEGIN) + refresh(END) + refresh(77)
        order, told = self.ask(peer, odd + refresh(afi=2), lambda _, told: ("+", "2001:db8:1::/64") in peer.told[told:], "the last one")
        self.assertEqual(told, [("+", "2001:db8:1::/64")])
        self.assertEqual(self.margay.peer(address(2))["timesDropped"], 0)

    def test_enhanced_request_is_answered_between_marks(self):
        self.start()
        peer = self.peer(2, 64513, ENHANCED_REFRESH)
        for afi, routes in ((1, OURS), (2, ["2001:db8:1::/64"])):
            order, told = self.ask(peer, refresh(afi=afi), lambda before, _: (afi, END) in marks(peer, before), "EoRR")
            self.assertEqual(order, [(afi, BEGIN), "update", (afi, END)])
            self.assertEqual(sorted(told), sorted(("+", one) for one in routes))
        order, _ = self.ask(peer, refresh() * 50, lambda before, _: marks(peer, before).count((1, END)) >= 1, "EoRR")
        wait_until(lambda: self.margay.peer(address(2))["queuedBytes"] == 0, "all answered")
        peer.drain()
        self.assertEqual(self.margay.peer(address(2))["timesDropped"], 0, "many requests are no fault")

    def test_wrong_length_is_an_error_of_its_own(self):
        self.start()
        peer = self.peer(2, 64513, ENHANCED_REFRESH)
        peer.send(message(REFRESH, b"\0\1\0"))
        peer.wait(lambda: peer.notification, "a NOTIFICATION")
        self.assertIn(peer.notification, ((1, 2), (7, 1)))

    def test_we_ask_and_what_is_not_told_again_goes_with_the_end_mark(self):
        self.start()
        peer, watcher = self.peer(2, 64513, ENHANCED_REFRESH), self.peer(3, 64514)
        prefixes = [f"10.5.{n}.0/24" for n in range(8)]
        peer.send(announce(prefixes, sound(False)))
        watcher.wait(lambda: set(prefixes) <= watcher.routes.keys(), "the routes")
        told = len(watcher.told)
        before = len(peer.messages)
        self.margay.post("/refresh", peer=address(2))
        peer.wait(lambda: {(1, REQUEST), (2, REQUEST)} <= set(marks(peer, before)), "requests for both families")
        peer.send(refresh(BEGIN) + announce(prefixes[:3], sound(False)) + announce(prefixes[3:5], sound(False, replace={8: some_communities(1)})))
        watcher.wait(lambda: ("+", prefixes[4]) in watcher.told[told:], "what changed")
        self.assertTrue(set(prefixes) <= self.margay.routes().keys(), "nothing goes before the end mark")
        peer.send(refresh(END))
        watcher.wait(lambda: not set(prefixes[5:]) & watcher.routes.keys(), "what was not told again")
        wanted = [("+", one) for one in prefixes[3:5]] + [("-", one) for one in prefixes[5:]]
        self.assertEqual(sorted(watcher.told[told:]), sorted(wanted), "exactly the differences")
        self.assertEqual(self.margay.peer(address(2))["timesDropped"], 0)

    def test_our_filters_change_and_only_differences_are_told(self):
        self.start()
        peer, watcher = self.peer(2, 64513), self.peer(3, 64514)
        prefixes = [f"10.5.{n}.0/24" for n in range(8)]
        peer.send(announce(prefixes, sound(False)))
        watcher.wait(lambda: set(prefixes) <= watcher.routes.keys(), "the routes")
        told = len(watcher.told)
        rules = dict(exportV4=[dict(cidr=prefixes[0], matchOperator="Equal", action="Reject"),
                               dict(cidr=prefixes[1], matchOperator="Equal", action="Accept", operations=[dict(addCommunity=dict(value="64512:7"))])])
        self.configure(second=dict(filters=["f"]), filters=[("f", rules)])
        self.margay.reload()
        watcher.wait(lambda: prefixes[0] not in watcher.routes and "64512:7" in communities(watcher.routes[prefixes[1]]), "the differences")
        self.configure()
        self.margay.reload()
        watcher.wait(lambda: prefixes[0] in watcher.routes and not communities(watcher.routes[prefixes[1]]), "back again")
        wanted = [("-", prefixes[0]), ("+", prefixes[0]), ("+", prefixes[1]), ("+", prefixes[1])]
        self.assertEqual(sorted(watcher.told[told:]), sorted(wanted))
        for host in (2, 3):
            self.assertEqual(self.margay.peer(address(host))["timesDropped"], 0)


class BrandsRefreshTest(InteropTest):
    needs = brands.NEEDS

    def start(self):
        self.lan = Lan(self, 5)
        self.margay = Margay(self.lan, 1)
        peers = [dict(peerIP=address(host), asNumber=64513) for host in HOSTS.values()] + [dict(peerIP=address(5), asNumber=64600)]
        self.margay.configure(64512, peers, localPrefixes=OURS, defaults=dict(families=["ipv4"]))
        self.margay.start()
        self.theirs = {brand: [f"10.{host}.{n}.0/24" for n in range(4)] for brand, host in HOSTS.items()}
        more = {"FRR": f"neighbor {US} route-map in in\nneighbor {US} route-map out out"}
        self.peers = {brand: brands.make(self.lan, brand, host, families=(4,), prefixes=self.theirs[brand], per_family=more.get(brand, ""))
                      for brand, host in HOSTS.items()}
        frr = self.peers["FRR"]
        frr.configure(brands.frr_config(frr.options) + "route-map in permit 10\nroute-map out permit 10\n")
        for peer in self.peers.values():
            peer.start()
        self.watcher = RawPeer(self.lan, 5, 64600, US).connect(hold=0)
        self.addCleanup(self.watcher.close)
        for brand, peer in self.peers.items():
            wait_until(lambda: peer.is_up() and all(peer.has(one) for one in OURS), lambda: f"{brand}: {self.margay.log()}{peer.log()}", 60)
            self.watcher.wait(lambda: set(self.theirs[brand]) <= self.watcher.routes.keys(), f"{brand}'s routes")

    def refreshes_from(self, brand):
        return self.margay.peer(address(HOSTS[brand]))["messagesReceived"]["routeRefreshes"]

    def assert_no_reset(self):
        for brand, host in HOSTS.items():
            peer = self.margay.peer(address(host))
            self.assertEqual((peer["timesEstablished"], peer["timesDropped"]), (1, 0), f"{brand}: {peer['lastError']}")

    def test_peers_change_what_they_import_and_ask_again(self):
        self.start()
        told = len(self.watcher.told)
        bird, frr, gobgp = (self.peers[brand] for brand in HOSTS)
        text = brands.bird_config(bird.options)
        bird.reconfigure(text.replace("import all;", f"import filter {{ if net = {OURS[0]} then reject; accept; }};", 1))
        frr.ask(f"configure terminal\nip prefix-list one permit {OURS[0]}\nroute-map in deny 5\nmatch ip address prefix-list one")
        frr.ask("clear bgp * soft in")
        for brand in ("BIRD", "FRR"):
            peer = self.peers[brand]
            wait_until(lambda: not peer.has(OURS[0]) and peer.has(OURS[1]), lambda: f"{brand} drops one: {peer.routes()}")
            wait_until(lambda: self.refreshes_from(brand) > 0, f"{brand} has asked")
        bird.reconfigure(text)
        frr.ask("configure terminal\nno route-map in deny 5")
        frr.ask("clear bgp * soft in")
        gobgp.ask("neighbor", US, "softresetin")
        for brand, peer in self.peers.items():
            wait_until(lambda: all(peer.has(one) for one in OURS), lambda: f"{brand} has all again: {peer.routes()}")
        self.assert_no_reset()
        self.watcher.drain()
        self.assertEqual(self.watcher.told[told:], [], "nobody else hears of it")

    def test_peers_change_what_they_export(self):
        """The one that goes and the one that changes are told; what is sent again unchanged is not passed on."""
        self.start()
        told = len(self.watcher.told)
        bird, frr, gobgp = (self.peers[brand] for brand in HOSTS)
        for brand in HOSTS:
            self.margay.post("/refresh", peer=address(HOSTS[brand]))  # all of it once more: nothing for others
        gone, changed = {brand: self.theirs[brand][0] for brand in HOSTS}, {brand: self.theirs[brand][1] for brand in HOSTS}
        text = brands.bird_config(bird.options).replace(
            "export where source = RTS_STATIC;", f"export filter {{ if source != RTS_STATIC || net = {gone['BIRD']} then reject; "
            f"if net = {changed['BIRD']} then bgp_community.add((64513,7)); accept; }};", 1)
        bird.reconfigure(text)
        frr.ask(f"configure terminal\nip prefix-list gone permit {gone['FRR']}\nip prefix-list changed permit {changed['FRR']}\n"
                "route-map out deny 3\nmatch ip address prefix-list gone\nroute-map out permit 5\nmatch ip address prefix-list changed\n"
                "set community 64513:7")
        frr.ask("clear bgp * soft out")
        gobgp.ask("global", "rib", "del", gone["GoBGP"])
        gobgp.add(changed["GoBGP"], "community", "64513:7")
        gobgp.ask("neighbor", US, "softresetout")
        for brand in HOSTS:
            self.watcher.wait(lambda: gone[brand] not in self.watcher.routes and "64513:7" in communities(self.watcher.routes[changed[brand]]),
                              f"{brand}'s differences; told {self.watcher.told[told:]}")
        self.watcher.drain()
        wanted = sorted([("-", one) for one in gone.values()] + [("+", one) for one in changed.values()])
        self.assertEqual(sorted(self.watcher.told[told:]), wanted, "exactly the differences")
        self.assert_no_reset()


if __name__ == "__main__":
    lab.main()
