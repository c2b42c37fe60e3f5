#!/usr/bin/env python3
"""margay-bgpd and ExaBGP, which says odd things; a strict raw peer looks at what is passed on."""
import struct

import lab
from lab import Exabgp, InteropTest, Lan, Margay, wait_until
from raw import RawPeer, communities

US, THEM = "10.98.0.1", "10.98.0.2"
WATCHER_AS = 64600


class ExabgpTest(InteropTest):
    needs = [Exabgp]

    def start(self, routes="", capability="route-refresh enable; asn4 enable;", families="ipv4 unicast; ipv6 unicast;", **more):
        self.lan = Lan(self, 3)
        self.margay, self.exabgp = Margay(self.lan, 1), Exabgp(self.lan, 2)
        self.more = dict(localPrefixes=["10.1.0.0/24", "2001:db8:1::/64"]) | more
        self.configure()
        self.exabgp.configure(f"""
neighbor {US} {{
  router-id {THEM};
  local-address {THEM};
  local-as 64513;
  peer-as 64512;
  family {{ {families} }}
  capability {{ {capability} }}
  {Exabgp.API}
  static {{
    {routes}
  }}
}}
""")
        self.margay.start()
        self.exabgp.start()
        self.watcher = RawPeer(self.lan, 3, WATCHER_AS, US).connect(hold=0)
        self.addCleanup(self.watcher.close)
        wait_until(lambda: self.margay.is_established(THEM), lambda: f"session:\n{self.margay.log()}\n{self.exabgp.log()}", 60)

    def configure(self, **changes):
        more = dict(self.more)
        defaults = more.pop("defaults", {}) | changes
        self.margay.configure(64512, [dict(peerIP=THEM, asNumber=64513), dict(peerIP="10.98.0.3", asNumber=WATCHER_AS)], defaults=defaults, **more)

    def wait_routes(self, *prefixes):
        wait_until(lambda: set(prefixes) <= self.margay.routes().keys(),
                   lambda: f"{prefixes} in {sorted(self.margay.routes())}\n{self.margay.log()}\n{self.exabgp.log()}")
        self.watcher.wait(lambda: set(prefixes) <= self.watcher.routes.keys(), f"{prefixes} passed on")

    def passed(self, prefix, kind):
        return self.watcher.routes[prefix].get(kind)

    def test_routes_with_every_kind_of_attribute(self):
        self.start(f"""
    route 10.2.0.0/24 next-hop {THEM} med 70 origin egp as-path [ 64513 65010 65011 ] community [ 64513:1 64513:2 ] large-community [ 64513:1:2 ] extended-community [ target:64513:7 ];
    route 10.2.1.0/24 next-hop {THEM} aggregator ( 65011:{THEM} ) atomic-aggregate attribute [ 0x63 0xc0 0x0102 ];""")
        self.wait_routes("10.2.0.0/24", "10.2.1.0/24")
        route = self.margay.routes()["10.2.0.0/24"]
        self.assertEqual(route["asPath"], "64513 65010 65011")
        self.assertEqual(route["med"], 70)
        self.assertEqual(route["origin"], "EGP")
        self.assertTrue({"64513:1", "64513:2", "64513:1:2"} <= set(route["communities"]))
        self.assertIsNone(self.passed("10.2.0.0/24", 4), "MED goes no further")
        self.assertEqual(self.passed("10.2.0.0/24", 16)[1], b"\0\2\xfc\1\0\0\0\7")
        self.assertEqual(self.passed("10.2.1.0/24", 6)[1], b"")
        self.assertEqual(self.passed("10.2.1.0/24", 7)[1], struct.pack("!I", 65011) + b"\x0a\x62\0\2")
        self.exabgp.kill()
        wait_until(lambda: "10.2.0.0/24" not in self.margay.routes(), "its routes go with it")

    def test_unknown_attributes(self):
        self.start(f"""
    route 10.2.0.0/24 next-hop {THEM} attribute [ 0x63 0xc0 0x010203 ];
    route 10.2.1.0/24 next-hop {THEM} attribute [ 0x63 0xe0 0x0a ];
    route 10.2.2.0/24 next-hop {THEM} attribute [ 0x62 0x80 0xdead ];
    route 10.2.3.0/24 next-hop {THEM} attribute [ 0xfe 0xc0 0x{'ab' * 1000} ];""")
        self.wait_routes(*(f"10.2.{n}.0/24" for n in range(4)))
        self.assertEqual(self.passed("10.2.0.0/24", 0x63), (0xE0, b"\1\2\3"), "transitive: with the Partial bit")
        self.assertEqual(self.passed("10.2.1.0/24", 0x63), (0xE0, b"\x0a"))
        self.assertIsNone(self.passed("10.2.2.0/24", 0x62), "not transitive: dropped")
        self.assertEqual(self.passed("10.2.3.0/24", 0xFE)[1], b"\xab" * 1000)

    def test_long_lists_of_communities(self):
        plain = [f"65010:{n}" for n in range(400)]
        large = [f"65010:{n}:{n * 7}" for n in range(150)]
        extended = [f"target:65010:{n}" for n in range(150)]
        self.start(f"""
    route 10.2.0.0/24 next-hop {THEM} community [ {' '.join(reversed(plain))} ];
    route 10.2.1.0/24 next-hop {THEM} large-community [ {' '.join(large)} ];
    route 10.2.2.0/24 next-hop {THEM} extended-community [ {' '.join(extended)} origin:65010:5 ];
    route 10.2.3.0/24 next-hop {THEM} community [ no-export ];
    route 10.2.4.0/24 next-hop {THEM} community [ no-advertise ];
    route 10.2.5.0/24 next-hop {THEM} community [ 65535:0 ];""")
        self.wait_routes(*(f"10.2.{n}.0/24" for n in (0, 1, 2, 5)))
        self.assertEqual(sorted(communities(self.watcher.routes["10.2.0.0/24"])), sorted(plain))
        value = self.passed("10.2.1.0/24", 32)[1]
        self.assertEqual(sorted("%d:%d:%d" % struct.unpack("!III", value[i:i + 12]) for i in range(0, len(value), 12)), sorted(large))
        self.assertEqual(len(self.passed("10.2.2.0/24", 16)[1]), 151 * 8)
        wait_until(lambda: {"10.2.3.0/24", "10.2.4.0/24"} <= self.margay.routes().keys(), "both are ours to use")
        self.assertFalse({"10.2.3.0/24", "10.2.4.0/24"} & self.watcher.routes.keys(), "but not to pass on")
        self.assertEqual(self.margay.routes()["10.2.5.0/24"]["localPref"], 0, "graceful shutdown (RFC 8326)")

    def test_as_sets(self):
        routes = f"""
    route 10.2.0.0/24 next-hop {THEM} as-path [ 64513 65010 ( 65011 65012 ) ];
    route 10.2.1.0/24 next-hop {THEM} as-path [ 64513 65010 ];"""
        for is_allowed in (False, True):
            with self.subTest(is_allowed=is_allowed):
                self.start(routes, defaults=dict(allowASSet=is_allowed))
                self.wait_routes("10.2.1.0/24")
                if is_allowed:
                    self.wait_routes("10.2.0.0/24")
                    self.assertIn("65010", self.margay.routes()["10.2.0.0/24"]["asPath"])
                self.assertEqual("10.2.0.0/24" in self.margay.routes(), is_allowed, "RFC 9774")
                self.assertEqual(self.margay.peer(THEM)["timesDropped"], 0)
                self.margay.kill()
                self.exabgp.kill()

    def test_changes_without_end_leave_what_was_said_last(self):
        self.start()
        for n in range(60):
            self.exabgp.command(f"announce route 10.2.{n % 3}.0/24 next-hop {THEM} med {n} community [ 65010:{n} ]")
            self.exabgp.command(f"withdraw route 10.2.{(n + 1) % 3}.0/24 next-hop {THEM}")
        self.exabgp.command("withdraw route 10.77.0.0/24")  # never announced
        for _ in range(2):
            self.exabgp.command(f"announce route 10.3.0.0/24 next-hop {THEM}")
        self.exabgp.command("announce route 2001:db8:2::/64 next-hop fd98::2")
        self.wait_routes("10.3.0.0/24", "2001:db8:2::/64")

        def last_words():
            return {p: route["med"] for p, route in self.margay.routes().items() if p.startswith("10.2.")}

        wait_until(lambda: last_words() == {"10.2.1.0/24": 58, "10.2.2.0/24": 59}, lambda: f"the last words: {last_words()}")
        self.assertEqual(self.margay.routes()["10.2.2.0/24"]["communities"], ["65010:59"])
        self.assertEqual(self.margay.peer(THEM)["timesDropped"], 0)

    def test_next_hops_of_ipv6(self):
        """Global; global with link-local beside it; and one of another length, which is an error."""
        nlri = "4020010db800050000"
        both = "0x000201" + "20" + "fd980000000000000000000000000002" + "fe800000000000000000000000000002" + "00" + nlri
        self.start(f"""
    route 2001:db8:2::/64 next-hop fd98::2;
    route 10.2.0.0/24 next-hop {THEM} attribute [ 0x0e 0x80 {both} ];""")
        self.wait_routes("2001:db8:2::/64", "2001:db8:5::/64", "10.2.0.0/24")
        self.assertEqual(self.margay.routes()["2001:db8:2::/64"]["nextHop"], "fd98::2")
        route = self.margay.routes()["2001:db8:5::/64"]
        self.assertEqual((route["nextHop"], route["nextHopLinkLocal"]), ("fd98::2", "fe80::2"))
        odd = "0x000201" + "18" + "00" * 8 + "fd980000000000000000000000000002" + "00" + nlri
        self.exabgp.command(f"announce route 10.2.1.0/24 next-hop {THEM} attribute [ 0x0e 0x80 {odd} ]")
        wait_until(lambda: "Optional Attribute Error" in self.margay.peer(THEM)["lastError"], lambda: f"3/9: {self.margay.peer(THEM)['lastError']}")
        wait_until(lambda: "notification received (3,9)" in str(self.exabgp.events("state")), lambda: f"ExaBGP is told: {self.exabgp.events('state')}")

    def test_it_asks_for_our_routes_again(self):
        """The other way it cannot: asked in a session with RFC 7313, this version ends it."""
        self.start(f"route 10.2.0.0/24 next-hop {THEM};")
        self.wait_routes("10.2.0.0/24")

        def told():
            return sum("10.1.0.0/24" in event for event in self.exabgp.events("update"))

        wait_until(lambda: told() == 1, "our route")
        self.exabgp.command(f"neighbor {US} announce route-refresh ipv4 unicast")
        wait_until(lambda: told() == 2, lambda: f"our route once more: {self.exabgp.events('update')}")
        self.assertEqual(self.margay.peer(THEM)["timesDropped"], 0)

    def test_add_path(self):
        self.start(f"""
    route 10.2.0.0/24 path-information 1 next-hop {THEM} as-path [ 64513 65010 ];
    route 10.2.0.0/24 path-information 2 next-hop {THEM} as-path [ 64513 65011 65012 ];
    route 10.2.0.0/24 path-information 3 next-hop {THEM} as-path [ 64513 65013 ];""",
                   capability="asn4 enable; add-path send/receive;", families="ipv4 unicast;",
                   defaults=dict(addPath=dict(send=True, receive=True, maxPaths=4)))

        def paths():
            return sorted(route["asPath"] for route in self.margay.show("routes", "--peer", THEM, "--in") if route["prefix"] == "10.2.0.0/24")

        wait_until(lambda: len(paths()) == 3, lambda: f"three paths: {paths()}\n{self.margay.log()}")
        self.exabgp.command(f"withdraw route 10.2.0.0/24 path-information 1 next-hop {THEM}")
        wait_until(lambda: paths() == ["64513 65011 65012", "64513 65013"], lambda: f"one goes: {paths()}")
        self.watcher.wait(lambda: self.watcher.routes.get("10.2.0.0/24", {}).get(2, (0, b""))[1][-4:] == struct.pack("!I", 65013), "the next best")
        wait_until(lambda: "10.1.0.0/24" in str(self.exabgp.events("update")), "ours, with a path identifier")

    def test_shutdown_both_ways(self):
        self.start()
        self.exabgp.command(f"neighbor {US} teardown 4")
        wait_until(lambda: "Administrative Reset" in self.margay.peer(THEM)["lastError"], lambda: self.margay.peer(THEM)["lastError"])
        wait_until(lambda: self.margay.is_established(THEM), lambda: f"back:\n{self.exabgp.log()}", 60)
        self.configure(shutDown=True)  # this version stumbles over any text
        self.margay.reload()
        wait_until(lambda: "notification received (6,2)" in str(self.exabgp.events("state")), lambda: f"our goodbye: {self.exabgp.events('state')}")


if __name__ == "__main__":
    lab.main()
