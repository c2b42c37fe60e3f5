#!/usr/bin/env python3
"""margay-bgpd and GoBGP."""
import lab
from lab import Gobgp, InteropTest, Lan, Margay, wait_until

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


if __name__ == "__main__":
    lab.main()
