#!/usr/bin/env python3
"""margay-bgpd with GoBGP, and with ExaBGP."""
import lab
from lab import Exabgp, Gobgp, InteropTest, Lan, Margay, wait_until

US, THEM = "10.98.0.1", "10.98.0.2"


def gobgp_config(asn, peer_asn, more=""):
    return f"""
[global.config]
  as = {asn}
  router-id = "10.98.0.2"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "{US}"
    peer-as = {peer_asn}
  [neighbors.timers.config]
    connect-retry = 1
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
{more}
"""


class GobgpTest(InteropTest):
    needs = [Gobgp]

    def exchange(self, asn, their_asn):
        lan = Lan(self, 2)
        margay, gobgp = Margay(lan, 1), Gobgp(lan, 2)
        margay.configure(asn, [dict(peerIP=THEM, asNumber=their_asn)], localPrefixes=["10.1.0.0/24", "2001:db8:1::/64"])
        gobgp.configure(gobgp_config(their_asn, asn))
        margay.start()
        gobgp.start()
        wait_until(lambda: margay.is_established(THEM), lambda: f"session:\n{margay.log()}\n{gobgp.log()}", 60)
        gobgp.ask("global", "rib", "add", "10.2.0.0/24", "nexthop", THEM, "community", "64513:9")
        gobgp.ask("global", "rib", "add", "-a", "ipv6", "2001:db8:2::/64", "nexthop", "fd98::2")
        wait_until(lambda: {"10.2.0.0/24", "2001:db8:2::/64"} <= margay.routes().keys(), "routes from GoBGP")
        self.assertEqual(margay.routes()["10.2.0.0/24"]["communities"], ["64513:9"])
        wait_until(lambda: "10.1.0.0/24" in gobgp.routes() and "2001:db8:1::/64" in gobgp.routes("ipv6"), "routes in GoBGP")
        gobgp.ask("global", "rib", "del", "10.2.0.0/24")
        wait_until(lambda: "10.2.0.0/24" not in margay.routes(), "the withdrawal")
        gobgp.ask("neighbor", US, "softreset")
        wait_until(lambda: "10.1.0.0/24" in gobgp.routes(), "the refresh")
        self.assertTrue(margay.is_established(THEM))

    def test_ebgp_exchanges_routes_of_both_families(self):
        self.exchange(64512, 64513)

    def test_ibgp_exchanges_routes_of_both_families(self):
        self.exchange(64512, 64512)


class ExabgpTest(InteropTest):
    needs = [Exabgp]

    def test_routes_with_every_kind_of_attribute(self):
        lan = Lan(self, 2)
        margay, exabgp = Margay(lan, 1), Exabgp(lan, 2)
        margay.configure(64512, [dict(peerIP=THEM, asNumber=64513)], localPrefixes=["10.1.0.0/24"])
        exabgp.configure(f"""
neighbor {US} {{
  router-id {THEM};
  local-address {THEM};
  local-as 64513;
  peer-as 64512;
  family {{ ipv4 unicast; }}
  capability {{ route-refresh; asn4; }}
  static {{
    route 10.2.0.0/24 next-hop {THEM} med 70 origin egp as-path [ 64513 65010 65011 ] community [ 64513:1 64513:2 ] large-community [ 64513:1:2 ] extended-community [ target:64513:7 ];
    route 10.2.1.0/24 next-hop {THEM} aggregator ( 65011:{THEM} ) atomic-aggregate attribute [ 0x63 0xc0 0x0102 ];
  }}
}}
""")
        margay.start()
        exabgp.start()
        wait_until(lambda: {"10.2.0.0/24", "10.2.1.0/24"} <= margay.routes().keys(), lambda: f"routes:\n{margay.log()}\n{exabgp.log()}", 60)
        route = margay.routes()["10.2.0.0/24"]
        self.assertEqual(route["asPath"], "64513 65010 65011")
        self.assertEqual(route["med"], 70)
        self.assertTrue({"64513:1", "64513:2", "64513:1:2"} <= set(route["communities"]))
        exabgp.kill()
        wait_until(lambda: "10.2.0.0/24" not in margay.routes(), "its routes go with it")


if __name__ == "__main__":
    lab.main()
