"""BIRD, FRR and GoBGP configured by the same words, for tests that ask all three the same.

make(lan, brand, host, **options) gives a daemon that peers with Margay on host 1. Its answers have one shape, too:
has(prefix), detail(prefix), is_up().
"""
import ipaddress
import json

from lab import Bird, Frr, Gobgp

BRANDS = ("BIRD", "FRR", "GoBGP")


def address(host, family=4):
    return f"10.98.0.{host}" if family == 4 else f"fd98::{host}"


def family_of(prefix):
    return ipaddress.ip_network(prefix).version


class Options:
    """What a peer of Margay is like. `more` is for what only one brand can say, in its own words."""

    def __init__(self, host, asn=64513, peer_asn=64512, prefixes=(), transport=4, restart=None, long_lived=None, password=None,
                 ttl_security=False, extended_next_hop=False, add_path=False, families=(4, 6), hold=90, more="", per_family=""):
        self.host, self.asn, self.peer_asn, self.prefixes, self.transport = host, asn, peer_asn, list(prefixes), transport
        self.restart, self.long_lived, self.password, self.ttl_security = restart, long_lived, password, ttl_security
        self.extended_next_hop, self.add_path, self.families, self.hold = extended_next_hop, add_path, families, hold
        self.more, self.per_family = more, per_family
        self.us, self.them = address(1, transport), address(host, transport)

    def of_family(self, family):
        return [prefix for prefix in self.prefixes if family_of(prefix) == family]


def bird_config(o):
    session = [f"local {o.them} as {o.asn}", f"neighbor {o.us} as {o.peer_asn}", "connect delay time 0", "connect retry time 1",
               "error wait time 1, 2", f"hold time {o.hold}"]
    if o.restart is not None:
        session += ["graceful restart on", f"graceful restart time {o.restart}"]
    if o.long_lived is not None:
        session += ["long lived graceful restart on", f"long lived stale time {o.long_lived}"]
    if o.password:
        session += [f'password "{o.password}"']
    if o.ttl_security:
        session += ["ttl security on"]
    channel = "import all; export where source = RTS_STATIC; next hop self;"
    channel += " extended next hop on;" if o.extended_next_hop else ""
    channel += " add paths on;" if o.add_path else ""
    lines = []
    for family in (4, 6):
        routes = " ".join(f"route {prefix} blackhole;" for prefix in o.of_family(family))
        lines.append(f"protocol static s{family} {{ ipv{family}; {routes} }}")
    channels = " ".join(f"ipv{family} {{ {channel} {o.per_family} }};" for family in o.families)
    lines.append(f"protocol bgp margay {{ {'; '.join(session)}; {o.more} {channels} }}")
    return "\n".join(lines) + "\n"


def frr_config(o):
    lines = [f"router bgp {o.asn}", f" bgp router-id {address(o.host)}", " no bgp ebgp-requires-policy", " no bgp default ipv4-unicast",
             " no bgp network import-check", f" neighbor {o.us} remote-as {o.peer_asn}", f" neighbor {o.us} timers connect 1",
             f" neighbor {o.us} timers {max(1, o.hold // 3)} {o.hold}", f" neighbor {o.us} advertisement-interval 0"]
    if o.restart is not None:
        lines += [" bgp graceful-restart", f" bgp graceful-restart restart-time {o.restart}", " bgp graceful-restart preserve-fw-state"]
    if o.long_lived is not None:
        lines += [f" bgp long-lived-graceful-restart stale-time {o.long_lived}"]
    if o.password:
        lines += [f" neighbor {o.us} password {o.password}"]
    if o.ttl_security:
        lines += [f" neighbor {o.us} ttl-security hops 1"]
    if o.extended_next_hop:
        lines += [f" neighbor {o.us} capability extended-nexthop"]
    lines += [" " + line for line in o.more.splitlines()]
    for family in o.families:
        lines += [f" address-family ipv{family} unicast", f"  neighbor {o.us} activate"]
        lines += [f"  network {prefix}" for prefix in o.of_family(family)]
        if o.add_path:
            lines += [f"  neighbor {o.us} addpath-tx-all-paths"]
        lines += ["  " + line for line in o.per_family.splitlines()] + [" exit-address-family"]
    return "\n".join(lines) + "\n"


def gobgp_config(o):
    restarts = o.restart is not None or o.long_lived is not None
    lines = ["[global.config]", f"as = {o.asn}", f'router-id = "{address(o.host)}"', "[[neighbors]]", "[neighbors.config]",
             f'neighbor-address = "{o.us}"', f"peer-as = {o.peer_asn}"]
    if o.password:
        lines += [f'auth-password = "{o.password}"']
    lines += ["[neighbors.timers.config]", "connect-retry = 1", "idle-hold-time-after-reset = 1", f"hold-time = {o.hold}",
              f"keepalive-interval = {max(1, o.hold // 3)}", "[neighbors.transport.config]", f'local-address = "{o.them}"']
    if o.ttl_security:
        lines += ["[neighbors.ttl-security.config]", "enabled = true", "ttl-min = 255"]
    if restarts:
        lines += ["[neighbors.graceful-restart.config]", "enabled = true", f"restart-time = {o.restart or 0}", "notification-enabled = true",
                  "deferral-time = 2", f"long-lived-enabled = {str(o.long_lived is not None).lower()}"]
    lines += o.more.splitlines()
    for family in o.families:
        lines += ["[[neighbors.afi-safis]]", "[neighbors.afi-safis.config]", f'afi-safi-name = "ipv{family}-unicast"']
        if restarts:
            lines += ["[neighbors.afi-safis.mp-graceful-restart.config]", "enabled = true"]
        if o.long_lived is not None:
            lines += ["[neighbors.afi-safis.long-lived-graceful-restart.config]", "enabled = true", f"restart-time = {o.long_lived}"]
        if o.add_path:
            lines += ["[neighbors.afi-safis.add-paths.config]", "receive = true", "send-max = 8"]
    return "\n".join(lines) + "\n"


class BirdPeer(Bird):
    def set(self, options):
        self.options = options
        self.configure(bird_config(options))

    def is_up(self):
        return self.is_established("margay")

    def has(self, prefix):
        return prefix in self.routes("for", prefix)

    def detail(self, prefix):
        return self.routes("all", "for", prefix)

    def withdraw_all(self):
        self.ask("disable", "s4")
        self.ask("disable", "s6")


class FrrPeer(Frr):
    def set(self, options):
        self.options = options
        self.configure(frr_config(options))

    def is_up(self):
        return self.is_established(self.options.us)

    def has(self, prefix):
        return prefix in self.routes(f"ipv{family_of(prefix)}")

    def detail(self, prefix):
        return self.ask(f"show bgp ipv{family_of(prefix)} unicast {prefix}").stdout

    def restart(self):
        self.start()


class GobgpPeer(Gobgp):
    def set(self, options):
        self.options = options
        self.configure(gobgp_config(options))

    def start(self, *flags):
        super().start(*flags)
        for prefix in self.options.prefixes:
            self.add(prefix)

    def restart(self):
        """Its routes come by command: before they are there it must not say End-of-RIB to anybody."""
        rules = [f"-{family} rule {{}} ipproto tcp {port} 179 blackhole" for family in (4, 6) for port in ("dport", "sport")]
        for rule in rules:
            self.lan.run(self.host, "ip", *rule.format("add").split())
        self.start("-r")
        for rule in rules:
            self.lan.run(self.host, "ip", *rule.format("del").split())

    def add(self, prefix, *more):
        family = family_of(prefix)
        added = self.ask("global", "rib", "-a", f"ipv{family}", "add", prefix, "nexthop", address(self.host, family), *more)
        assert added.returncode == 0, added.stdout + added.stderr

    def is_up(self):
        return self.is_established(self.options.us)

    def has(self, prefix):
        answer = self.ask("global", "rib", "-a", f"ipv{family_of(prefix)}", "-j").stdout
        return answer.strip().startswith("{") and prefix in json.loads(answer)

    def detail(self, prefix):
        return self.ask("global", "rib", prefix, "-a", f"ipv{family_of(prefix)}").stdout


DAEMONS = {"BIRD": BirdPeer, "FRR": FrrPeer, "GoBGP": GobgpPeer}
NEEDS = [Bird, Frr, Gobgp]


def make(lan, brand, host, **options):
    peer = DAEMONS[brand](lan, host)
    peer.set(Options(host, **options))
    return peer
