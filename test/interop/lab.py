"""Network namespaces and real BGP daemons for the interop tests.

A Lan is a bridge in a namespace of its own; every host is a namespace with one link to it, addresses 10.98.0.N/24 and
fd98::N/64. Names carry the process number; everything is removed on exit, and what a killed run has left is removed by
the next one. Nothing leaves the machine. Only processes started here are ended.
"""
import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

PREFIX = "mgi"
BGPD = os.environ.get("MARGAY_BGPD", "margay-bgpd")
WORKERS = int(os.environ.get("INTEROP_WORKERS", "4"))  # tests of a file that run at once: they mostly wait


def run(*words, check=True, **options):
    return subprocess.run(words, check=check, capture_output=True, text=True, **options)


def wait_until(condition, what, limit=30.0):
    """Asks until it holds; `what` (text, or a function that makes it) says what was missed. The limit is for failures alone: no test passes because time has passed."""
    deadline = time.monotonic() + limit
    pause = 0.005
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit:.0f} s: {what() if callable(what) else what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def remove_leftovers():
    for line in run("ip", "netns", "list", check=False).stdout.splitlines():
        name = line.split()[0]
        if not name.startswith(PREFIX):
            continue
        owner = name[len(PREFIX):].split("-")[0]
        if owner.isdigit() and not pathlib.Path(f"/proc/{owner}").exists():
            run("ip", "netns", "del", name, check=False)


class Lan:
    numbers = itertools.count(1)
    alive = set()

    def __init__(self, test, hosts):
        self.tag = f"{PREFIX}{os.getpid()}-{next(Lan.numbers)}"
        self.switch = f"{self.tag}-sw"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="margay-interop."))
        self.folder.chmod(0o755)
        self.daemons, self.hosts = [], hosts
        Lan.alive.add(self)
        test.addCleanup(self.close)
        run("ip", "netns", "add", self.switch)
        self._ip(self.switch, "link add sw type bridge", "link set sw up")
        for number in range(1, hosts + 1):
            self._add_host(number)

    def _ip(self, namespace, *lines):
        run("ip", "-n", namespace, "-batch", "-", input="\n".join(lines) + "\n")

    def _add_host(self, number):
        host = self.namespace(number)
        run("ip", "netns", "add", host)
        run("ip", "link", "add", "eth0", "netns", host, "type", "veth", "peer", "name", f"port{number}", "netns", self.switch)
        self._ip(self.switch, f"link set port{number} master sw up")
        self._ip(host, "link set lo up", "link set eth0 up", f"addr add 10.98.0.{number}/24 dev eth0",
                 f"addr add fd98::{number}/64 dev eth0 nodad")

    def namespace(self, number):
        return f"{self.tag}-{number}"

    def run(self, number, *words, check=True):
        return run("ip", "netns", "exec", self.namespace(number), *words, check=check)

    def ip(self, number, *lines):
        self._ip(self.namespace(number), *lines)

    def cut(self, number):
        """The cable is pulled at the switch: the host's own interface stays up."""
        self._ip(self.switch, f"link set port{number} nomaster")

    def mend(self, number):
        self._ip(self.switch, f"link set port{number} master sw")

    def routes(self, number, family=4):
        return run("ip", f"-{family}", "-n", self.namespace(number), "route").stdout

    def netstat(self, number, name):
        """One of the kernel's counters of a host."""
        lines = self.run(number, "cat", "/proc/net/netstat").stdout.splitlines()
        for names, values in zip(lines[::2], lines[1::2]):
            if name in names.split():
                return int(values.split()[names.split().index(name)])
        return 0

    def refused_signatures(self, number):
        return sum(self.netstat(number, name) for name in ("TCPMD5NotFound", "TCPMD5Unexpected", "TCPMD5Failure"))

    def close(self):
        for daemon in self.daemons:
            daemon.kill()
        for number in range(1, self.hosts + 1):
            run("ip", "netns", "del", self.namespace(number), check=False)
        run("ip", "netns", "del", self.switch, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        Lan.alive.discard(self)


class Ping:
    """Echo requests every 10 ms until stop(), which gives the numbers of those that were lost."""

    def __init__(self, lan, host, source, target):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", lan.namespace(host), "ping", "-n", "-i", "0.01", "-I", source, target],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)
        lan.daemons.append(self)
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def answered(self):
        return {int(found.group(1)) for found in re.finditer(r"icmp_seq=(\d+) ttl", "".join(self.lines))}

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=20)
        self.reader.join(timeout=20)
        answered = self.answered()
        # What was asked last may still be on its way.
        return sorted(set(range(1, max(answered, default=1))) - answered) if answered else ["no answer at all"]


class Daemon:
    """A process in a host's namespace. Subclasses write the configuration and ask it questions."""
    needs = []

    def __init__(self, lan, host, name=None):
        self.lan, self.host = lan, host
        self.name = name or f"{type(self).__name__.lower()}{host}"
        self.folder = lan.folder / self.name
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o777)
        self.processes = []
        lan.daemons.append(self)

    @classmethod
    def missing(cls):
        return [program for program in cls.needs if shutil.which(program) is None]

    def spawn(self, *words):
        command = ["ip", "netns", "exec", self.lan.namespace(self.host), *words]
        with open(self.folder / f"log{len(self.processes)}", "ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def log(self):
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("log*")))

    def kill(self):
        """kill -9: no goodbye."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
        self.processes = []

    def stop(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(timeout=20)
        self.processes = []


class Margay(Daemon):
    """margay-bgpd. Peers are specs of BGPPeer; `speaker` adds to the Speaker's spec."""
    needs = [BGPD]

    def configure(self, asn, peers, filters=(), secrets=(), **speaker):
        spec = dict(asNumber=asn, routerID=f"10.98.0.{self.host}", installRoutes=False)
        defaults = dict(families=["ipv4", "ipv6"], connectRetryTime="1s")
        defaults.update(speaker.pop("defaults", {}))
        spec.update(speaker, peerDefaults=defaults)
        documents = [dict(apiVersion="margay.dev/v1", kind="Speaker", metadata=dict(name="test"), spec=spec)]
        for number, peer in enumerate(peers):
            documents.append(dict(apiVersion="projectcalico.org/v3", kind="BGPPeer", metadata=dict(name=f"peer{number}"), spec=peer))
        for name, rules in filters:
            documents.append(dict(apiVersion="projectcalico.org/v3", kind="BGPFilter", metadata=dict(name=name), spec=rules))
        for name, data in secrets:
            documents.append(dict(apiVersion="v1", kind="Secret", metadata=dict(name=name, namespace="kube-system"), stringData=data))
        text = "\n---\n".join(json.dumps(document, indent=1) for document in documents)  # JSON is YAML
        (self.folder / "speaker.yaml").write_text(text + "\n")

    @property
    def socket(self):
        return str(self.folder / "bgpd.sock")

    def start(self, *before):
        self.spawn(*before, BGPD, "--config", str(self.folder / "speaker.yaml"), "--socket", self.socket)
        wait_until(lambda: self.show("peers", check=False) is not None, lambda: f"{self.name} answers:\n{self.log()}")

    def reload(self):
        result = self.lan.run(self.host, BGPD, "--socket", self.socket, "--reload", check=False)
        assert result.returncode == 0, result.stderr

    def post(self, path, **parameters):
        """What `reset` and `refresh` do, with all that the local API takes."""
        with socket.socket(socket.AF_UNIX) as channel:
            channel.connect(self.socket)
            query = urllib.parse.urlencode(parameters)
            channel.sendall(f"POST {path}?{query} HTTP/1.1\r\nHost: margay\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: channel.recv(65536), b"")).decode()
        assert " 200 " in answer.splitlines()[0], answer

    def show(self, *words, check=True):
        result = run(BGPD, "--socket", self.socket, "show", *words, "-o", "json", check=False)
        if result.returncode != 0:
            assert not check, result.stderr
            return None
        answer = json.loads(result.stdout)
        return answer.get(words[0], answer) if isinstance(answer, dict) else answer

    def peer(self, address):
        return next((peer for peer in self.show("peers") if peer["address"] == address), {})

    def is_established(self, address):
        return self.peer(address).get("state") == "Established"

    def routes(self, peer=None, direction=None):
        """prefix -> the best route, or what the peer sent (in) or was told (out)."""
        words = ["routes"]
        if peer:
            words += ["--peer", peer, f"--{direction}"]
        return {route["prefix"]: route for route in self.show(*words) if peer or route["best"]}


class Bird(Daemon):
    needs = ["bird", "birdc"]

    def configure(self, text):
        head = f"router id 10.98.0.{self.host};\nlog stderr all;\nprotocol device {{ scan time 60; }}\n"
        (self.folder / "bird.conf").write_text(head + text)

    def start(self):
        self.spawn("bird", "-f", "-c", str(self.folder / "bird.conf"), "-s", str(self.folder / "bird.ctl"))
        wait_until(lambda: self.ask("show", "status", check=False).returncode == 0, lambda: f"{self.name} answers:\n{self.log()}")

    def restart(self):
        """As after a crash: with graceful restart (-R)."""
        self.spawn("bird", "-f", "-R", "-c", str(self.folder / "bird.conf"), "-s", str(self.folder / "bird.ctl"))

    def ask(self, *words, check=True):
        return run("birdc", "-s", str(self.folder / "bird.ctl"), *words, check=check)

    def reconfigure(self, text):
        self.configure(text)
        self.ask("configure")

    def is_established(self, protocol):
        return "Established" in self.ask("show", "protocols", protocol, check=False).stdout

    def routes(self, *words):
        return self.ask("show", "route", *words, check=False).stdout  # "Network not found" is an answer


class Frr(Daemon):
    needs = ["/usr/lib/frr/bgpd", "/usr/lib/frr/zebra", "/usr/lib/frr/bfdd", "vtysh"]

    def configure(self, text):
        (self.folder / "frr.conf").write_text(text)

    def start(self, bfd=False):
        (self.folder / "vtysh.conf").write_text("")
        for file in self.folder.glob("*.vty"):  # of an earlier life
            file.unlink()
        for program in ["zebra", *(["bfdd"] if bfd else []), "bgpd"]:
            words = [f"/usr/lib/frr/{program}", "-f", str(self.folder / "frr.conf"), "-i", str(self.folder / f"{program}.pid"),
                     "-z", str(self.folder / "zserv"), "--vty_socket", str(self.folder), "-P", "0", "--log", "stdout"]
            if program == "bfdd":
                words += ["--bfdctl", str(self.folder / "bfdd.sock")]
            self.spawn(*words)
            wait_until(lambda: (self.folder / f"{program}.vty").exists(), lambda: f"{program} starts:\n{self.log()}")
        wait_until(lambda: self.ask("show version").returncode == 0, f"{self.name} answers")

    def ask(self, command):
        return run("vtysh", "--vty_socket", str(self.folder), "--config_dir", str(self.folder), "-c", command, check=False)

    def ask_json(self, command):
        answer = self.ask(command).stdout
        return json.loads(answer) if answer.strip() else {}

    def is_established(self, address):
        return self.ask_json(f"show bgp neighbors {address} json").get(address, {}).get("bgpState") == "Established"

    def routes(self, family="ipv4"):
        return self.ask_json(f"show bgp {family} unicast json").get("routes", {})


class Gobgp(Daemon):
    needs = ["gobgpd", "gobgp"]

    def configure(self, text):
        (self.folder / "gobgp.toml").write_text(text)

    def start(self, *flags):
        self.spawn("gobgpd", "-f", str(self.folder / "gobgp.toml"), "--api-hosts", "127.0.0.1:50051", "-l", "info", *flags)
        wait_until(lambda: self.ask("global").returncode == 0, lambda: f"{self.name} answers:\n{self.log()}")

    def ask(self, *words):
        return self.lan.run(self.host, "gobgp", *words, check=False)

    def is_established(self, address):
        return "ESTABLISHED" in self.ask("neighbor", address).stdout.upper()

    def routes(self, family="ipv4"):
        return self.ask("global", "rib", "-a", family).stdout


EXABGP_RELAY = """#!/usr/bin/env python3
import os, sys, threading
def keep():
    with open("{folder}/events", "a", buffering=1) as out:
        for line in sys.stdin:
            out.write(line)
    os._exit(0)  # ExaBGP is gone
threading.Thread(target=keep, daemon=True).start()
for line in os.fdopen(os.open("{folder}/commands", os.O_RDWR)):  # both ends: it does not end when a writer is done
    print(line.rstrip(), flush=True)
"""


class Exabgp(Daemon):
    """command() speaks to its API; events() is what it was told where the neighbour has `API`: lines of JSON, almost (it
    quotes nothing in what is new to it)."""
    needs = ["exabgp"]
    API = "api { processes [ relay ]; neighbor-changes; receive { parsed; update; } }"

    def configure(self, text):
        relay = self.folder / "relay.py"
        relay.write_text(EXABGP_RELAY.format(folder=self.folder))
        relay.chmod(0o755)
        (self.folder / "events").write_text("")
        if not (self.folder / "commands").exists():
            os.mkfifo(self.folder / "commands")
        (self.folder / "exabgp.conf").write_text(f"process relay {{ run {relay}; encoder json; }}\n" + text)

    def start(self):
        self.spawn("env", "exabgp.daemon.user=root", "exabgp.tcp.bind=", "exabgp.api.cli=false", "exabgp.api.ack=false",
                   "exabgp.log.level=INFO", "exabgp", str(self.folder / "exabgp.conf"))

    def command(self, text):
        def open_it():
            try:
                return os.open(self.folder / "commands", os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads yet
                return None
        pipe = wait_until(open_it, lambda: f"{self.name} listens:\n{self.log()}")
        os.set_blocking(pipe, True)
        with os.fdopen(pipe, "w") as out:
            out.write(text + "\n")

    def events(self, kind):
        return [line for line in (self.folder / "events").read_text().splitlines() if f'"type": "{kind}"' in line]


class InteropTest(unittest.TestCase):
    """Skips with the reason where root or a daemon is missing."""
    needs = []

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root: network namespaces")
        for daemon in [Margay, *cls.needs]:
            if daemon.missing():
                raise unittest.SkipTest(f"needs {', '.join(daemon.missing())}")
        remove_leftovers()


class Runner:
    """Runs the tests of a file side by side, each with a network of its own; tells of each when it is done."""

    def run(self, suite):
        tests, total = list(self.tests_of(suite)), unittest.TestResult()
        started = time.monotonic()
        reasons = {kind: self.prepare(kind) for kind in {type(test) for test in tests}}
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            for done in concurrent.futures.as_completed([pool.submit(self.run_one, test, reasons) for test in tests]):
                result = done.result()
                total.testsRun += 1
                for kind in ("failures", "errors", "skipped"):
                    getattr(total, kind).extend(getattr(result, kind))
        for _, text in total.failures + total.errors:
            print(text, file=sys.stderr)
        print(f"{total.testsRun} tests in {time.monotonic() - started:.1f} s, {len(total.failures) + len(total.errors)} failed, "
              f"{len(total.skipped)} skipped", file=sys.stderr)
        return total

    def tests_of(self, suite):
        for one in suite:
            yield from self.tests_of(one) if isinstance(one, unittest.TestSuite) else [one]

    def prepare(self, kind):
        try:
            kind.setUpClass()
        except unittest.SkipTest as skip:
            return str(skip)
        return None

    def run_one(self, test, reasons):
        result, started = unittest.TestResult(), time.monotonic()
        if reasons[type(test)]:
            result.addSkip(test, reasons[type(test)])
        else:
            test(result)
        word = "skipped: " + result.skipped[0][1] if result.skipped else "ok" if result.wasSuccessful() else "FAILED"
        sys.stderr.write(f"{test.id().removeprefix('__main__.')} {word} ({time.monotonic() - started:.1f} s)\n")
        return result


def give_up(*_):
    """A kill by a time limit still removes the namespaces."""
    for lan in list(Lan.alive):
        lan.close()
    os._exit(143)


def main():
    signal.signal(signal.SIGTERM, give_up)
    unittest.main(testRunner=Runner, verbosity=2)
