#!/usr/bin/env python3
"""Graceful restart (RFC 4724, 8538) and long-lived graceful restart (RFC 9494), both roles, with all three brands at once."""
import struct
import time

import brands
import lab
from brands import address
from lab import InteropTest, Lan, Margay, Ping, wait_until
from raw import RawPeer, attribute, communities, graceful_restart, long_lived, path, prefix, update, usual_capabilities

OURS, OURS_TOO, OURS_V6 = "10.1.0.0/24", "10.1.1.0/24", "2001:db8:1::/64"
HOSTS = {"BIRD": 2, "FRR": 3, "GoBGP": 4}
ASNS = {"BIRD": 64513, "FRR": 64514, "GoBGP": 64515}
LLGR_STALE, NO_LLGR = "65535:6", "65535:7"


def theirs(host, second=False):
    return f"10.{host}.{int(second)}.0/24"


class RestartBase(InteropTest):
    needs = brands.NEEDS

    def network(self, hosts=4):
        self.lan = Lan(self, hosts)
        self.margay = Margay(self.lan, 1)
        self.peers = {}
        return self.lan, self.margay

    def configure(self, prefixes=(OURS, OURS_TOO, OURS_V6), others=(), **more):
        peers = [dict(peerIP=address(HOSTS[brand]), asNumber=ASNS[brand], **more.pop(brand, {})) for brand in HOSTS]
        self.margay.configure(64512, peers + list(others), localPrefixes=list(prefixes), **more)

    def options(self, brand, second=True, **more):
        host = HOSTS[brand]
        prefixes = [theirs(host), f"2001:db8:{host}::/64"] + ([theirs(host, True)] if second else [])
        return dict(asn=ASNS[brand], prefixes=prefixes) | more

    def start_peers(self, **more):
        for brand, host in HOSTS.items():
            self.peers[brand] = brands.make(self.lan, brand, host, **self.options(brand, **more))
            self.peers[brand].start()

    def wait_each(self, condition, what, limit=40):
        """Of each brand, in the same time; names who is late and what it says."""
        late = {}

        def all_hold():
            late.clear()
            late.update({brand: peer for brand, peer in self.peers.items() if not condition(brand, peer)})
            return not late

        wait_until(all_hold, lambda: f"{what}: not with {sorted(late)}\n" + "\n".join(
            f"{brand}: {peer.detail(OURS)}\n{peer.log()[-2000:]}" for brand, peer in late.items())
            + f"\nmargay: {self.margay.show('peers', check=False)}\n{self.margay.log()[-3000:]}", limit)

    def wait_exchanged(self):
        self.wait_each(lambda brand, peer: peer.is_up() and peer.has(OURS) and peer.has(OURS_TOO) and peer.has(OURS_V6), "our routes")
        wanted = {theirs(host, second) for host in HOSTS.values() for second in (False, True)}
        wanted |= {f"2001:db8:{host}::/64" for host in HOSTS.values()}
        wait_until(lambda: wanted <= self.margay.routes().keys(), lambda: f"{wanted} in {sorted(self.margay.routes())}")

    def kernel_has(self, host, *prefixes):
        return set(prefixes) <= {line.split()[0] for line in self.lan.routes(host).splitlines()}

    def from_peer(self, host):
        return self.margay.routes(address(host), "in")


class GracefulRestartTest(RestartBase):
    def test_killed_speaker_loses_no_packet_and_no_route(self):
        """kill -9, pings across its routes; when it is back, what it does not announce again goes at its End-of-RIB."""
        lan, margay = self.network()
        self.configure(installRoutes=True)
        lan.ip(1, "addr add 10.1.0.1/24 dev lo")
        for host in HOSTS.values():
            lan.ip(host, f"addr add 10.{host}.0.1/24 dev lo")
        lan.ip(HOSTS["GoBGP"], f"route add {OURS} via 10.98.0.1")  # it programs no kernel
        margay.start()
        self.start_peers(restart=60)
        self.peers["BIRD"].reconfigure("protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; }\n"
                                       + brands.bird_config(self.peers["BIRD"].options))
        self.wait_exchanged()
        wait_until(lambda: self.kernel_has(1, *(theirs(host) for host in HOSTS.values())), "routes in our kernel")
        wait_until(lambda: self.kernel_has(2, OURS) and self.kernel_has(3, OURS), "our routes in their kernels")
        pings = {brand: Ping(lan, 1, "10.1.0.1", f"10.{host}.0.1") for brand, host in HOSTS.items()}
        wait_until(lambda: all(ping.answered() for ping in pings.values()), "first answers")
        margay.kill()
        self.wait_each(lambda _, peer: not peer.is_up(), "the session ends")
        for brand, peer in self.peers.items():
            self.assertTrue(peer.has(OURS) and peer.has(OURS_TOO) and peer.has(OURS_V6), f"{brand} keeps our routes")
        self.assertIn("(stale)", self.peers["FRR"].detail(OURS))
        self.assertRegex(self.peers["GoBGP"].detail(OURS), r"S\*>")
        self.assertTrue(self.kernel_has(1, *(theirs(host) for host in HOSTS.values())))
        self.configure([OURS, OURS_V6], installRoutes=True)
        margay.start()
        self.wait_each(lambda _, peer: peer.is_up() and not peer.has(OURS_TOO), "End-of-RIB sweeps what is gone")
        for brand, peer in self.peers.items():
            self.assertTrue(peer.has(OURS) and peer.has(OURS_V6), f"{brand} has what was announced again")
        wait_until(lambda: "(stale)" not in self.peers["FRR"].detail(OURS), "fresh in FRR")
        wait_until(lambda: all(self.from_peer(h).get(theirs(h), {"stale": True})["stale"] is False for h in HOSTS.values()), "their routes anew")
        self.assertEqual({brand: ping.stop() for brand, ping in pings.items()}, {brand: [] for brand in HOSTS})
        self.assertTrue(self.kernel_has(1, *(theirs(host) for host in HOSTS.values())))

    def test_killed_peers_keep_their_routes_until_they_are_back(self):
        """All three die; stale, still forwarding; back without one prefix, which goes at their End-of-RIB."""
        lan, margay = self.network()
        self.configure(installRoutes=True)
        lan.ip(1, "addr add 10.1.0.1/24 dev lo")
        for host in HOSTS.values():
            lan.ip(host, f"addr add 10.{host}.0.1/24 dev lo", f"route add {OURS} via 10.98.0.1 metric 9999")
        margay.start()
        self.start_peers(restart=60)
        self.wait_exchanged()
        firsts = [theirs(host) for host in HOSTS.values()]
        wait_until(lambda: self.kernel_has(1, *firsts), "routes in our kernel")
        pings = {brand: Ping(lan, 1, "10.1.0.1", f"10.{host}.0.1") for brand, host in HOSTS.items()}
        wait_until(lambda: all(ping.answered() for ping in pings.values()), "first answers")
        for peer in self.peers.values():
            peer.kill()
        wait_until(lambda: not any(margay.is_established(address(h)) for h in HOSTS.values()), "all sessions end")
        for brand, host in HOSTS.items():
            kept = self.from_peer(host)
            self.assertTrue({theirs(host), theirs(host, True)} <= kept.keys(), f"{brand}: {sorted(kept)}")
            self.assertTrue(all(route["stale"] for route in kept.values()), brand)
            self.assertGreaterEqual(margay.peer(address(host))["prefixesStale"], 3, brand)
        self.assertTrue(self.kernel_has(1, *firsts))
        for brand, peer in self.peers.items():
            peer.set(brands.Options(HOSTS[brand], **self.options(brand, second=False, restart=60)))
            peer.restart()
        self.wait_each(lambda brand, _: margay.is_established(address(HOSTS[brand])), "back", 60)
        wait_until(lambda: all(theirs(h, True) not in self.from_peer(h) for h in HOSTS.values()),
                   lambda: f"End-of-RIB sweeps: {margay.show('peers')}", 60)
        wait_until(lambda: all(not self.from_peer(h)[theirs(h)]["stale"] for h in HOSTS.values()), "the others are fresh")
        self.assertEqual({brand: ping.stop() for brand, ping in pings.items()}, {brand: [] for brand in HOSTS})
        self.assertTrue(self.kernel_has(1, *firsts))

    def test_peers_that_stay_away_lose_their_routes_when_the_restart_time_ends(self):
        _, margay = self.network()
        self.configure(installRoutes=True)
        margay.start()
        self.start_peers(restart=4)
        self.wait_exchanged()
        wait_until(lambda: self.kernel_has(1, *(theirs(host) for host in HOSTS.values())), "routes in our kernel")
        killed = time.monotonic()
        for peer in self.peers.values():
            peer.kill()
        wait_until(lambda: not any(margay.is_established(address(h)) for h in HOSTS.values()), "all sessions end")
        gone = {}

        def all_gone():
            known, kernel = margay.routes(), self.lan.routes(1)
            for host in HOSTS.values():
                if theirs(host) not in known and theirs(host) not in kernel:
                    gone.setdefault(host, time.monotonic() - killed)
            return len(gone) == len(HOSTS)

        wait_until(all_gone, lambda: f"all routes go: {gone} {margay.show('peers')}")
        self.assertGreaterEqual(min(gone.values()), 4, "not before the time they asked for")

    def test_hold_time_expiry_keeps_routes_where_both_understand_it(self):
        """RFC 8538: all cables are cut. FRR and GoBGP offer the N bit, this BIRD does not."""
        _, margay = self.network()
        self.configure(defaults=dict(holdTime="3s"))
        margay.start()
        self.start_peers(restart=60, hold=3)
        self.wait_exchanged()
        for host in HOSTS.values():
            self.lan.cut(host)
        for brand, host in HOSTS.items():
            wait_until(lambda: not margay.is_established(address(host)), f"the session with {brand} ends")
            self.assertIn("hold time of 3 s expired", margay.peer(address(host))["lastError"])
        self.assertEqual(self.from_peer(HOSTS["BIRD"]), {})
        for brand in ("FRR", "GoBGP"):
            kept = self.from_peer(HOSTS[brand])
            self.assertTrue({theirs(HOSTS[brand]), theirs(HOSTS[brand], True)} <= kept.keys(), f"{brand}: {sorted(kept)}")
            self.assertTrue(all(route["stale"] for route in kept.values()), brand)
            wait_until(lambda: not self.peers[brand].is_up(), f"{brand} sees it, too")
            self.assertTrue(self.peers[brand].has(OURS), f"{brand} keeps our routes")
        for host in HOSTS.values():
            self.lan.mend(host)
        self.wait_exchanged()
        wait_until(lambda: all(not route["stale"] for route in margay.routes().values()), "all fresh")


class LongLivedTest(RestartBase):
    def observer(self, host, asn, capabilities):
        peer = RawPeer(self.lan, host, asn, address(1))
        peer.connect(hold=0, capabilities=usual_capabilities(asn) + capabilities)
        self.addCleanup(peer.close)
        return peer

    def test_speaker_that_stays_away_is_long_lived_with_each_peer(self):
        """Restart time over: LLGR_STALE; NO_LLGR goes; at the end of the long time all goes; back in time: fresh again."""
        self.network()
        rules = dict(exportV4=[dict(cidr=OURS_TOO, matchOperator="Equal", action="Accept", operations=[dict(addCommunity=dict(value=NO_LLGR))])])
        settings = dict(defaults=dict(restartTime="2s", longLivedStaleTime="9s"), filters=[("no-llgr", rules)],
                        **{brand: dict(filters=["no-llgr"]) for brand in HOSTS})
        self.configure(**settings)
        self.margay.start()
        self.start_peers(restart=60, long_lived=60)
        self.wait_exchanged()
        self.margay.kill()

        def is_long_lived(peer):
            return any(word in peer.detail(OURS) for word in ("(65535,6)", "llgr-stale"))

        self.wait_each(lambda _, peer: is_long_lived(peer), "LLGR_STALE")
        for brand, peer in self.peers.items():
            self.assertFalse(peer.has(OURS_TOO), f"{brand}: NO_LLGR\n{peer.detail(OURS_TOO)}")
        self.margay.start()
        self.wait_each(lambda _, peer: peer.is_up() and peer.has(OURS) and not is_long_lived(peer) and peer.has(OURS_TOO), "fresh again")
        self.margay.kill()
        self.wait_each(lambda _, peer: is_long_lived(peer), "LLGR_STALE once more")
        self.wait_each(lambda _, peer: not peer.has(OURS), "the end of the long time")

    def test_peers_that_stay_away_are_long_lived_here(self):
        """Depreferred, marked for those who know the mark, withdrawn from those who do not, gone at the end."""
        _, margay = self.network(7)
        others = [dict(peerIP=address(5), asNumber=64601), dict(peerIP=address(6), asNumber=64602), dict(peerIP=address(7), asNumber=64603)]
        self.configure(others=others, defaults=dict(longLivedStaleTime="60s"))
        margay.start()
        self.start_peers(restart=2, long_lived=7)
        self.add_no_llgr()
        capable = self.observer(5, 64601, [graceful_restart(60), long_lived(60)])
        plain = self.observer(6, 64602, [])
        rival = self.observer(7, 64603, [])
        firsts, seconds = [theirs(h) for h in HOSTS.values()], [theirs(h, True) for h in HOSTS.values()]
        for observer in (capable, plain):
            observer.wait(lambda: set(firsts + seconds) <= observer.routes.keys(), "their routes")
        # The same prefix from elsewhere, but farther: second to the peers' own while those are alive.
        sound = attribute(0x40, 1, b"\0") + attribute(0x40, 2, path(64603, 65001, 65002, 65003)) + attribute(0x40, 3, b"\x0a\x62\0\7")
        rival.send(update(sound, b"".join(prefix(f"2.{h}.0.0/16") for h in HOSTS.values())))
        wait_until(lambda: all(f"2.{h}.0.0/16" in margay.routes() for h in HOSTS.values()), "the rival's routes")
        for brand, host in HOSTS.items():
            self.assertEqual(margay.routes()[f"2.{host}.0.0/16"]["peer"], address(host), brand)
        killed = time.monotonic()
        for peer in self.peers.values():
            peer.kill()
        capable.wait(lambda: all(LLGR_STALE in communities(capable.routes[p]) for p in firsts), "LLGR_STALE")
        plain.wait(lambda: not set(firsts + seconds) & plain.routes.keys(), "withdrawals")
        capable.wait(lambda: not set(seconds) & capable.routes.keys(), "NO_LLGR is obeyed")
        for brand, host in HOSTS.items():
            wait_until(lambda: margay.routes()[f"2.{host}.0.0/16"]["peer"] == address(7), f"{brand} is depreferred")
            self.assertIn(f"2.{host}.0.0/16", plain.routes)
        self.assertGreaterEqual(time.monotonic() - killed, 2)
        capable.wait(lambda: not set(firsts) & capable.routes.keys(), "the end of the long time", 40)
        self.assertGreaterEqual(time.monotonic() - killed, 9, "restart time and long time")
        self.assertFalse(set(firsts) & margay.routes().keys())

    def add_no_llgr(self):
        """Second prefixes with NO_LLGR, and one that the rival has too."""
        bird, frr, gobgp = self.peers["BIRD"], self.peers["FRR"], self.peers["GoBGP"]
        text = brands.bird_config(bird.options)
        text = text.replace("ipv4; ", "ipv4; route 2.2.0.0/16 blackhole; ").replace(
            "export where source = RTS_STATIC;",
            f"export filter {{ if source != RTS_STATIC then reject; if net = {theirs(2, True)} then bgp_community.add((65535,7)); accept; }};", 1)
        bird.reconfigure(text)
        lines = ["configure terminal", f"ip prefix-list second permit {theirs(3, True)}", "route-map out permit 10", "match ip address prefix-list second",
                 "set community no-llgr", "route-map out permit 20", "router bgp", "address-family ipv4 unicast", "network 2.3.0.0/16",
                 f"neighbor {frr.options.us} route-map out out"]
        frr.ask("\n".join(lines))
        gobgp.add("2.4.0.0/16")
        gobgp.add(theirs(4, True), "community", "65535:7")
        for host in HOSTS.values():
            wait_until(lambda: "no-llgr" in self.from_peer(host).get(theirs(host, True), {"communities": []})["communities"]
                       and f"2.{host}.0.0/16" in self.from_peer(host),
                       lambda: f"NO_LLGR from host {host}: {self.from_peer(host)}\n{self.margay.log()[-2000:]}")


if __name__ == "__main__":
    lab.main()
