#!/usr/bin/env python3
"""All three brands at one Margay: IPv6 transport, IPv4 over IPv6 next hops, passwords, TTL security, add-path, reflection."""
import contextlib
import re
import socket
import struct

import brands
import lab
from brands import address
from lab import InteropTest, Lan, Margay, wait_until
from raw import KEEPALIVE, RawPeer, message, open_message, usual_capabilities
from updates import announce, sound, withdraw

OURS, OURS_V6 = "10.1.0.0/24", "2001:db8:1::/64"
HOSTS = {"BIRD": 2, "FRR": 3, "GoBGP": 4}
SHARED = "10.77.0.0/24"


class MixedBase(InteropTest):
    needs = brands.NEEDS

    def network(self, hosts=4):
        self.lan = Lan(self, hosts)
        self.margay = Margay(self.lan, 1)
        self.peers = {}

    def prefixes(self, brand):
        host = HOSTS[brand]
        return [f"10.{host}.0.0/24", f"2001:db8:{host}::/64"]

    def start(self, options, each=None):
        """The speaker first; `each` has what only one brand is told."""
        self.margay.start()
        for brand, more in (each or {brand: {} for brand in HOSTS}).items():
            self.peers[brand] = brands.make(self.lan, brand, HOSTS[brand], **dict(prefixes=self.prefixes(brand)) | options | more)
            self.peers[brand].start()

    def wait_each(self, condition, what, limit=40):
        for brand, peer in self.peers.items():
            wait_until(lambda: condition(brand, peer), lambda: f"{brand}: {what}\n{self.margay.show('peers', check=False)}\n"
                       f"{sorted(self.margay.routes())}\n{self.margay.log()[-2000:]}\n{peer.log()[-2000:]}", limit)


class TransportTest(MixedBase):
    def test_ipv6_alone(self):
        """Transport and routes; nothing of IPv4 on any host but router identifiers."""
        self.network()
        for host in range(1, 5):
            self.lan.ip(host, f"addr del 10.98.0.{host}/24 dev eth0")
        self.margay.configure(64512, [dict(peerIP=address(host, 6), asNumber=64600 + host) for host in HOSTS.values()],
                              localPrefixes=[OURS_V6], defaults=dict(families=["ipv6"]), installRoutes=True)
        self.start(dict(transport=6, families=(6,)), {brand: dict(asn=64600 + host, prefixes=[f"2001:db8:{host}::/64"]) for brand, host in HOSTS.items()})
        self.wait_each(lambda brand, peer: peer.is_up() and peer.has(OURS_V6), "session and our route")
        for brand, host in HOSTS.items():
            prefix = f"2001:db8:{host}::/64"
            wait_until(lambda: prefix in self.margay.routes(), f"{brand}'s route")
            self.assertEqual(self.margay.routes()[prefix]["nextHop"], address(host, 6))
            wait_until(lambda: prefix in self.lan.routes(1, 6), f"{brand}'s route in the kernel")
            for other, peer in self.peers.items():
                if other != brand:
                    wait_until(lambda: peer.has(prefix), lambda: f"{brand}'s route in {other}: {peer.detail(prefix)}")

    def test_ipv4_over_ipv6_next_hops(self):
        """RFC 8950: IPv4 routes with IPv6 next hops, also in our kernel and in FRR's, and packets go that way."""
        self.network()
        for host in range(1, 5):
            self.lan.ip(host, f"addr del 10.98.0.{host}/24 dev eth0")
        self.lan.ip(1, "addr add 10.1.0.1/24 dev lo")
        self.lan.ip(3, "addr add 10.3.0.1/24 dev lo")
        self.margay.configure(64512, [dict(peerIP=address(host, 6), asNumber=64513) for host in HOSTS.values()],
                              localPrefixes=[OURS, OURS_V6], defaults=dict(extendedNextHop=True), installRoutes=True)
        self.margay.start()
        for brand, host in HOSTS.items():
            prefixes = self.prefixes(brand) if brand != "GoBGP" else []
            self.peers[brand] = brands.make(self.lan, brand, host, transport=6, prefixes=prefixes, extended_next_hop=True)
            self.peers[brand].start()
        self.peers["GoBGP"].ask("global", "rib", "add", "10.4.0.0/24", "nexthop", "fd98::4")
        self.wait_each(lambda brand, peer: peer.is_up() and peer.has(OURS) and peer.has(OURS_V6), "session and our routes")
        for brand, host in HOSTS.items():
            prefix = f"10.{host}.0.0/24"
            wait_until(lambda: prefix in self.margay.routes(), lambda: f"{brand}'s route: {self.margay.show('routes')}")
            self.assertEqual(self.margay.routes()[prefix]["nextHop"], address(host, 6), brand)
            wait_until(lambda: re.search(rf"{prefix} via inet6 \S+ dev eth0", self.lan.routes(1)), lambda: f"{brand} in our kernel:\n{self.lan.routes(1)}")
        wait_until(lambda: re.search(rf"{OURS} .*via inet6 ", self.lan.routes(3)), lambda: f"ours in FRR's kernel:\n{self.lan.routes(3)}")
        wait_until(lambda: self.lan.run(1, "ping", "-n", "-c", "1", "-W", "1", "-I", "10.1.0.1", "10.3.0.1", check=False).returncode == 0, "an answer")


class SecurityTest(MixedBase):
    def margay_config(self, **passwords):
        """The same peers each time; `passwords` by brand."""
        peers = []
        for brand, host in HOSTS.items():
            secret = dict(password=dict(secretKeyRef=dict(name="bgp", key=brand))) if passwords.get(brand) else {}
            peers.append(dict(peerIP=address(host), asNumber=64513, **secret))
        self.margay.configure(64512, peers, secrets=[("bgp", passwords)], localPrefixes=[OURS])

    def test_password_changes_while_it_runs(self):
        """On one session: down until the other side follows; the others do not notice. Then without any."""
        self.network()
        self.margay_config(FRR="first", GoBGP="other")
        self.start({}, {"BIRD": {}, "FRR": dict(password="first"), "GoBGP": dict(password="other")})
        self.wait_each(lambda _, peer: peer.is_up() and peer.has(OURS), "session")
        frr, us, them = self.peers["FRR"], address(1), address(3)
        for ours, theirs in (("second", "neighbor {} password second"), ("", "no neighbor {} password"), ("third", "neighbor {} password third")):
            before = self.margay.peer(them)["timesEstablished"]
            self.margay_config(FRR=ours, GoBGP="other")
            self.margay.reload()
            wait_until(lambda: not self.margay.is_established(them), "the old session ends")
            refused = self.lan.refused_signatures(1)
            wait_until(lambda: self.lan.refused_signatures(1) > refused, "segments with the old password are dropped")
            self.assertFalse(self.margay.is_established(them))
            frr.ask("configure terminal\nrouter bgp\n" + theirs.format(us))
            wait_until(lambda: self.margay.is_established(them) and frr.is_up(), lambda: f"{ours}: {self.margay.log()}{frr.log()}", 60)
            self.assertEqual(self.margay.peer(them)["timesEstablished"], before + 1)
        for brand in ("BIRD", "GoBGP"):
            self.assertEqual(self.margay.peer(address(HOSTS[brand]))["timesDropped"], 0, brand)

    def test_ttl_security(self):
        """With BIRD, FRR and GoBGP; and who is farther away than it must be gets no answer."""
        self.network(5)
        peers = [dict(peerIP=address(host), asNumber=64513, ttlSecurity=1) for host in (*HOSTS.values(), 5)]
        self.margay.configure(64512, peers, localPrefixes=[OURS], defaults=dict(connectRetryTime="1s"))
        self.start(dict(ttl_security=True))
        self.wait_each(lambda _, peer: peer.is_up() and peer.has(OURS), "session")
        for _ in range(20):  # what is sent at once may be there before the connection is accepted
            far = RawPeer(self.lan, 5, 64513, address(1), ttl=254)
            far.connect_socket()
            with contextlib.suppress(ConnectionError):
                far.send(open_message(64513, address(5)) + message(KEEPALIVE))
            wait_until(lambda: far.read(0) and far.is_closed, "one from too far is refused")
            self.assertEqual(far.messages, [], "without a word")
            far.close()
        self.assertEqual(self.margay.peer(address(5))["timesEstablished"], 0)
        near = RawPeer(self.lan, 5, 64513, address(1), ttl=255).connect(hold=0)
        wait_until(lambda: self.margay.is_established(address(5)), "one from the link")
        near.close()


class AddPathTest(MixedBase):
    def raw_peer(self, host, asn, target):
        peer = RawPeer(self.lan, host, asn, target).connect()  # with a hold time: GoBGP cannot do without
        self.addCleanup(peer.close)
        return peer

    def say(self, peer, host, asn):
        hop = struct.pack("!4B", 10, 98, 0, host)
        peer.send(announce([SHARED], sound(False, asn=asn, replace={3: b"\x40\3\4" + hop})))

    def test_paths_are_sent_and_withdrawn_one_by_one(self):
        self.network(6)
        self.margay.configure(64512, [dict(peerIP=address(host), asNumber=64512) for host in HOSTS.values()]
                              + [dict(peerIP=address(host), asNumber=65000 + host) for host in (5, 6)],
                              defaults=dict(addPath=dict(send=True, receive=True, maxPaths=8)))
        self.start(dict(asn=64512, add_path=True))
        speakers = {host: self.raw_peer(host, 65000 + host, address(1)) for host in (5, 6)}
        self.wait_each(lambda _, peer: peer.is_up(), "session")
        for host, speaker in speakers.items():
            self.say(speaker, host, 65000 + host)
        self.wait_each(lambda _, peer: "65005" in peer.detail(SHARED) and "65006" in peer.detail(SHARED), "both paths")
        speakers[5].send(withdraw([SHARED]))
        self.wait_each(lambda _, peer: "65005" not in peer.detail(SHARED) and "65006" in peer.detail(SHARED), "one is left")
        speakers[6].send(withdraw([SHARED]))
        self.wait_each(lambda _, peer: not peer.has(SHARED), "none is left")

    def test_paths_are_taken_and_withdrawn_one_by_one(self):
        """Two raw speakers at FRR and at GoBGP, which pass both paths on to us."""
        self.network(6)
        takers = ("FRR", "GoBGP")
        self.margay.configure(64512, [dict(peerIP=address(HOSTS[brand]), asNumber=64513) for brand in takers],
                              defaults=dict(addPath=dict(send=True, receive=True, maxPaths=8)))
        neighbors = "\n".join(f"neighbor {address(host)} remote-as {65000 + host}\nneighbor {address(host)} passive" for host in (5, 6))
        activated = "\n".join(f"neighbor {address(host)} activate" for host in (5, 6))
        self.start(dict(add_path=True), {"FRR": dict(more=neighbors, per_family=activated, families=(4,), prefixes=[]), "GoBGP": {}})
        for host in (5, 6):
            self.peers["GoBGP"].ask("neighbor", "add", address(host), "as", str(65000 + host))
        self.wait_each(lambda _, peer: peer.is_up(), "session")
        speakers = {(brand, host): self.raw_peer(host, 65000 + host, address(HOSTS[brand])) for brand in takers for host in (5, 6)}
        for (_, host), speaker in speakers.items():
            self.say(speaker, host, 65000 + host)

        def paths(brand):
            told = self.margay.show("routes", "--peer", address(HOSTS[brand]), "--in")
            return sorted(route["asPath"] for route in told if route["prefix"] == SHARED)

        self.wait_each(lambda brand, _: paths(brand) == ["64513 65005", "64513 65006"], "both paths")
        for brand in takers:
            speakers[brand, 5].send(withdraw([SHARED]))
        self.wait_each(lambda brand, _: paths(brand) == ["64513 65006"], "one is left")


class ReflectorTest(MixedBase):
    def test_clients_of_all_brands(self):
        """Everyone has everyone's routes, in both families, and nobody hears its own."""
        self.network(5)
        self.margay.configure(64512, [dict(peerIP=address(host), asNumber=64512) for host in (*HOSTS.values(), 5)],
                              routeReflectorClusterID="10.98.0.1")
        self.start(dict(asn=64512))
        raw = RawPeer(self.lan, 5, 64512, address(1))
        raw.connect(hold=0, capabilities=usual_capabilities(64512))
        self.addCleanup(raw.close)
        theirs = {brand: set(self.prefixes(brand)) for brand in HOSTS}
        everything = set().union(*theirs.values())
        raw.wait(lambda: everything <= raw.routes.keys(), "all routes")
        for brand, host in HOSTS.items():
            for prefix in theirs[brand]:
                attributes = raw.routes[prefix]
                self.assertEqual(attributes[9][1], socket.inet_aton(address(host)), f"originator of {prefix}")
                self.assertEqual(attributes[10][1], socket.inet_aton("10.98.0.1"), "cluster list")
        self.wait_each(lambda brand, peer: all(peer.has(prefix) for prefix in everything), "all routes")
        raw.send(announce(["10.5.0.0/24"], sound(True)))
        self.wait_each(lambda brand, peer: peer.has("10.5.0.0/24"), "one more")
        for brand, host in HOSTS.items():
            told = self.margay.routes(address(host), "out").keys()
            self.assertEqual(set(told), everything - theirs[brand] | {"10.5.0.0/24"}, brand)
        self.assertEqual(self.own_routes_heard(), {brand: [] for brand in HOSTS})
        self.assertFalse([one for _, one in raw.told if one == "10.5.0.0/24"], "not its own either")
        self.peers["BIRD"].withdraw_all()
        self.peers["GoBGP"].ask("global", "rib", "del", "10.4.0.0/24")
        self.wait_each(lambda brand, peer: brand in ("BIRD", "GoBGP") or not any(peer.has(p) for p in theirs["BIRD"] | {"10.4.0.0/24"}), "withdrawals")
        raw.wait(lambda: raw.routes.keys() == theirs["FRR"] | {"2001:db8:4::/64"}, lambda: f"the rest: {sorted(raw.routes)}")

    def own_routes_heard(self):
        """What each brand says that it got from us of its own."""
        bird = self.peers["BIRD"].routes("protocol", "margay")
        frr = self.peers["FRR"].ask_json("show bgp ipv4 unicast json")["routes"].get("10.3.0.0/24", [])
        gobgp = self.peers["GoBGP"].ask("neighbor", address(1), "adj-in").stdout
        return {"BIRD": [p for p in self.prefixes("BIRD") if p in bird],
                "FRR": [path for path in frr if path.get("peerId") == address(1)],
                "GoBGP": [p for p in self.prefixes("GoBGP") if p in gobgp]}


if __name__ == "__main__":
    lab.main()
