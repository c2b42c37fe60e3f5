#!/usr/bin/env python3
"""margay-bgpd and BIRD 2."""
import lab
from lab import Bird, InteropTest, Lan, Margay, Ping, wait_until

US, BIRD_IP = "10.98.0.1", "10.98.0.2"


def bird_protocol(asn, peer_asn, extra="", channel="", name="margay", neighbor=US, local=BIRD_IP, family="ipv4"):
    return f"""
protocol static s4 {{ ipv4; route 10.2.0.0/24 blackhole; route 10.2.1.0/24 blackhole; }}
protocol static s6 {{ ipv6; route 2001:db8:2::/64 blackhole; }}
protocol bgp {name} {{
  local {local} as {asn}; neighbor {neighbor} as {peer_asn}; {extra}
  connect delay time 0; connect retry time 1; error wait time 1, 2;
  ipv4 {{ import all; export all; next hop self; {channel} }};
  ipv6 {{ import all; export all; next hop self; {channel} }};
}}
"""


class BirdTest(InteropTest):
    needs = [Bird]

    def pair(self, asn=64512, bird_asn=64513, extra="", channel="", peer=None, **speaker):
        lan = Lan(self, 2)
        margay, bird = Margay(lan, 1), Bird(lan, 2)
        speaker.setdefault("localPrefixes", ["10.1.0.0/24", "2001:db8:1::/64"])
        margay.configure(asn, [dict(peerIP=BIRD_IP, asNumber=bird_asn, **(peer or {}))], **speaker)
        bird.configure(bird_protocol(bird_asn, asn, extra, channel))
        return lan, margay, bird

    def up(self, margay, bird):
        margay.start()
        bird.start()
        wait_until(lambda: margay.is_established(BIRD_IP) and bird.is_established("margay"),
                   f"session:\n{margay.log()}\n{bird.log()}")

    def wait_routes(self, margay, *prefixes):
        wait_until(lambda: all(p in margay.routes() for p in prefixes), f"{prefixes} from BIRD")

    def wait_bird(self, bird, text, *words):
        wait_until(lambda: text in bird.routes(*words), f"{text} in BIRD")

    def exchange(self, asn, bird_asn):
        _, margay, bird = self.pair(asn, bird_asn)
        self.up(margay, bird)
        self.wait_routes(margay, "10.2.0.0/24", "10.2.1.0/24", "2001:db8:2::/64")
        self.wait_bird(bird, "10.1.0.0/24")
        self.wait_bird(bird, "2001:db8:1::/64")
        route = margay.routes()["10.2.0.0/24"]
        self.assertEqual(route["peer"], BIRD_IP)
        self.assertEqual(route["nextHop"], BIRD_IP)
        self.assertEqual(route["asPath"], "" if asn == bird_asn else str(bird_asn))
        peer = margay.peer(BIRD_IP)
        self.assertEqual(peer["prefixesReceived"], 3)
        self.assertEqual(peer["prefixesAccepted"], 3)
        # A withdrawal, and the route again.
        bird.ask("disable", "s4")
        wait_until(lambda: "10.2.0.0/24" not in margay.routes(), "the withdrawal")
        self.assertIn("2001:db8:2::/64", margay.routes())
        bird.ask("enable", "s4")
        self.wait_routes(margay, "10.2.0.0/24")
        # One of ours goes.
        margay.configure(asn, [dict(peerIP=BIRD_IP, asNumber=bird_asn)], localPrefixes=["2001:db8:1::/64"])
        margay.reload()
        wait_until(lambda: "10.1.0.0/24" not in bird.routes(), "our withdrawal")
        self.assertEqual(margay.peer(BIRD_IP)["state"], "Established")

    def test_routes_change_their_table_under_traffic_and_leave_the_kernel_live(self):
        """routeTable and installRoutes by reload, pings across the routes: not one is lost to another table."""
        lan, margay, bird = self.pair(installRoutes=True, localPrefixes=["10.1.0.0/24"])
        bird.configure("protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; }\n" + bird_protocol(64513, 64512))
        lan.ip(1, "addr add 10.1.0.1/24 dev lo", "rule add lookup 1000 priority 40000")
        lan.ip(2, "addr add 10.2.0.1/24 dev lo")
        self.up(margay, bird)
        wait_until(lambda: "10.2.0.0/24" in lan.routes(1) and "10.1.0.0/24" in lan.routes(2), "routes in both kernels")
        ping = Ping(lan, 1, "10.1.0.1", "10.2.0.1")
        wait_until(ping.answered, "a first answer")

        def change(**speaker):
            margay.configure(64512, [dict(peerIP=BIRD_IP, asNumber=64513)], localPrefixes=["10.1.0.0/24"], **speaker)
            margay.reload()

        def tables():
            lines = lan.run(1, "ip", "route", "show", "table", "all", "proto", "81").stdout.splitlines()
            return sorted("other" if "table 1000" in line else "main" for line in lines if line.startswith("10.2.0.0/24"))

        for table, name in ((1000, "other"), (254, "main"), (1000, "other")):
            change(installRoutes=True, routeTable=table)
            wait_until(lambda: tables() == [name], lambda: f"the route in {name}: {tables()}")
        self.assertEqual(ping.stop(), [])
        change(installRoutes=False)
        wait_until(lambda: tables() == [], "no route of ours")
        change(installRoutes=True)
        wait_until(lambda: tables() == ["main"], "the route is back")
        self.assertEqual(margay.peer(BIRD_IP)["timesEstablished"], 1)

    def test_ebgp_exchanges_routes_of_both_families(self):
        self.exchange(64512, 64513)

    def test_ibgp_exchanges_routes_of_both_families(self):
        self.exchange(64512, 64512)

    def test_four_octet_numbers(self):
        self.exchange(4200000001, 4200000002)

    def test_routes_go_when_the_session_ends(self):
        _, margay, bird = self.pair(extra="graceful restart off;", peer=dict(maxRestartTime="0s"))
        self.up(margay, bird)
        self.wait_routes(margay, "10.2.0.0/24")
        bird.kill()
        wait_until(lambda: "10.2.0.0/24" not in margay.routes(), "routes of the lost peer go")
        self.assertNotEqual(margay.peer(BIRD_IP)["state"], "Established")
        bird.start()
        self.wait_routes(margay, "10.2.0.0/24")

    def test_password(self):
        _, margay, bird = self.pair(extra='password "right";', peer=dict(password=dict(secretKeyRef=dict(name="bgp", key="p"))),
                                    secrets=[("bgp", dict(p="right"))])
        self.up(margay, bird)

    def test_wrong_password_stays_down_and_is_put_right_live(self):
        peer = dict(password=dict(secretKeyRef=dict(name="bgp", key="p")))
        lan, margay, bird = self.pair(extra='password "right";', peer=peer, secrets=[("bgp", dict(p="wrong"))])
        margay.start()
        bird.start()
        wait_until(lambda: lan.refused_signatures(1) > 2, "segments with the wrong signature")
        self.assertFalse(margay.is_established(BIRD_IP))
        margay.configure(64512, [dict(peerIP=BIRD_IP, asNumber=64513, **peer)], secrets=[("bgp", dict(p="right"))])
        margay.reload()
        wait_until(lambda: margay.is_established(BIRD_IP), "the right password")

    def test_ttl_security(self):
        _, margay, bird = self.pair(extra="ttl security on;", peer=dict(ttlSecurity=1))
        self.up(margay, bird)
        self.wait_routes(margay, "10.2.0.0/24")

    def test_shutdown_text_is_passed_both_ways(self):
        _, margay, bird = self.pair()
        self.up(margay, bird)
        bird.ask("disable", "margay", '"power work until 5"')
        wait_until(lambda: "power work until 5" in margay.peer(BIRD_IP)["lastError"], "BIRD's words")
        bird.ask("enable", "margay")
        wait_until(lambda: margay.is_established(BIRD_IP), "back")
        # SIGTERM says nothing, so that a restart loses no route; the goodbye is asked for.
        margay.configure(64512, [dict(peerIP=BIRD_IP, asNumber=64513)], defaults=dict(shutDown=True, shutdownText="back at 6"))
        margay.reload()
        wait_until(lambda: "back at 6" in bird.ask("show", "protocols", "all", "margay").stdout, "our words")

    def test_ipv4_over_ipv6_next_hops(self):
        lan = Lan(self, 2)
        margay, bird = Margay(lan, 1), Bird(lan, 2)
        margay.configure(64512, [dict(peerIP="fd98::2", asNumber=64513)], localPrefixes=["10.1.0.0/24"], defaults=dict(extendedNextHop=True))
        bird.configure(bird_protocol(64513, 64512, channel="extended next hop on;", neighbor="fd98::1", local="fd98::2"))
        margay.start()
        bird.start()
        wait_until(lambda: "10.2.0.0/24" in margay.routes(), lambda: f"IPv4 route over IPv6:\n{margay.log()}")
        self.assertEqual(margay.routes()["10.2.0.0/24"]["nextHop"], "fd98::2")
        self.wait_bird(bird, "10.1.0.0/24")

    def test_communities_are_kept(self):
        lan, margay, bird = self.pair()
        text = bird_protocol(64513, 64512).replace(
            "ipv4 { import all; export all;",
            "ipv4 { import all; export filter { bgp_community.add((64513,77)); bgp_large_community.add((64513,1,2)); accept; };", 1)
        bird.configure(text)
        self.up(margay, bird)
        self.wait_routes(margay, "10.2.0.0/24")
        self.assertEqual(sorted(margay.routes()["10.2.0.0/24"]["communities"]), ["64513:1:2", "64513:77"])

    def test_import_and_export_filters(self):
        rules = dict(importV4=[dict(cidr="10.2.0.0/24", matchOperator="Equal", action="Reject")],
                     exportV4=[dict(cidr="10.1.0.0/24", matchOperator="In", action="Accept",
                                    operations=[dict(addCommunity=dict(value="64512:5"))])])
        _, margay, bird = self.pair(peer=dict(filters=["f"]), filters=[("f", rules)])
        self.up(margay, bird)
        self.wait_routes(margay, "10.2.1.0/24")
        self.assertNotIn("10.2.0.0/24", margay.routes())
        wait_until(lambda: "(64512,5)" in bird.routes("all", "10.1.0.0/24"), "the community")

    def test_collision_leaves_one_session(self):
        _, margay, bird = self.pair()
        for _ in range(5):
            margay.start()
            bird.start()
            wait_until(lambda: margay.is_established(BIRD_IP) and bird.is_established("margay"), "a session")
            self.wait_routes(margay, "10.2.0.0/24")
            margay.kill()
            bird.kill()

    def test_reflection(self):
        lan = Lan(self, 3)
        margay = Margay(lan, 1)
        margay.configure(64512, [dict(peerIP="10.98.0.2", asNumber=64512), dict(peerIP="10.98.0.3", asNumber=64512)],
                         routeReflectorClusterID="10.98.0.1")
        left, right = Bird(lan, 2), Bird(lan, 3)
        left.configure(bird_protocol(64512, 64512))
        right.configure(bird_protocol(64512, 64512, local="10.98.0.3").replace("10.2.", "10.3.").replace("db8:2", "db8:3"))
        margay.start()
        left.start()
        right.start()
        self.wait_bird(right, "10.2.0.0/24")
        self.wait_bird(left, "10.3.0.0/24")
        shown = right.routes("all", "10.2.0.0/24")
        self.assertIn("BGP.originator_id: 10.98.0.2", shown)
        self.assertIn("BGP.cluster_list: 10.98.0.1", shown)
        self.assertIn("BGP.next_hop: 10.98.0.2", shown)
        # Never back to where it came from.
        self.assertNotIn("10.2.0.0/24", margay.routes("10.98.0.2", "out"))

    def test_add_path(self):
        """Two neighbours announce one prefix; the third is told of both ways."""
        lan = Lan(self, 4)
        margay = Margay(lan, 1)
        margay.configure(64512, [dict(peerIP="10.98.0.2", asNumber=64513), dict(peerIP="10.98.0.3", asNumber=64514),
                                 dict(peerIP="10.98.0.4", asNumber=64512)],
                         defaults=dict(addPath=dict(receive=True, send=True, maxPaths=8)))
        margay.start()
        birds = {}
        for host, asn in ((2, 64513), (3, 64514), (4, 64512)):
            birds[host] = Bird(lan, host)
            text = bird_protocol(asn, 64512, local=f"10.98.0.{host}", channel="add paths on;")
            birds[host].configure(text if host != 4 else text.replace("10.2.", "10.4.").replace("db8:2", "db8:4"))
            birds[host].start()
        wait_until(lambda: all(f"BGP.next_hop: 10.98.0.{host}" in birds[4].routes("all", "10.2.0.0/24") for host in (2, 3)),
                   lambda: f"both ways:\n{birds[4].routes('all')}")
        birds[3].ask("disable", "s4")
        wait_until(lambda: "10.98.0.3" not in birds[4].routes("all", "10.2.0.0/24"), "one way goes")
        self.assertIn("BGP.next_hop: 10.98.0.2", birds[4].routes("all", "10.2.0.0/24"))


if __name__ == "__main__":
    lab.main()
