#!/usr/bin/env python3
"""The agent with the rights that the DaemonSet gives it, and no others, as in a container of its own: /proc/sys read-only,
the host's beside it. It must get ready and complain of nothing.

    rights_test.py BUILD      needs root; exit status 77 where something is missing
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

HERE = pathlib.Path(__file__).resolve().parent
build = None

# In network and mount namespaces of its own, which end with it.
SCRIPT = """
set -eu
ip link set lo up
ip link add eth0 type veth peer name other
ip link set eth0 up
ip link set other up
ip address add 192.0.2.1/24 dev eth0
mkdir -p host/net state
mount --bind /proc/sys/net host/net
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
setpriv --pdeathsig KILL "$BUILD/bin/margay-apiserver" --listen "unix://$PWD/api.sock" 2> api.log &
server=$!
call() { curl -sf --retry 50 --retry-delay 0 --retry-all-errors --retry-max-time 30 --unix-socket api.sock "$@"; }
call http://server/readyz > /dev/null
call -H 'Content-Type: application/json' -d @node.json http://server/api/v1/nodes > /dev/null
FELIX_HEALTHENABLED=true setpriv --pdeathsig KILL --inh-caps -all --bounding-set "$RIGHTS" "$BUILD/bin/margay-node" \\
  --node-name node-a --server "unix://$PWD/api.sock" --run-dir "$PWD/run" --state-dir "$PWD/state" \\
  --proc-sys "$PWD/host" 2> node.log &
agent=$!
curl -sf --retry 300 --retry-delay 0 --retry-all-errors --retry-max-time 60 http://127.0.0.1:9099/readyz > /dev/null
grep CapEff "/proc/$agent/status"
cat host/net/ipv4/ip_forward host/net/ipv6/conf/all/forwarding
kill "$agent"
wait "$agent"
kill "$server"
"""


def missing():
    if os.geteuid() != 0:
        return "root"
    for program in ["unshare", "setpriv", "curl", "ip", "iptables"]:
        if shutil.which(program) is None:
            return program
    for program in ["margay-node", "margay-apiserver"]:
        if not (build / "bin" / program).exists():
            return f"{program} (target programs)"
    return None


class Rights(unittest.TestCase):
    def test_the_rights_of_the_daemonset_are_enough(self):
        objects = yaml.load_all((HERE / "base" / "margay.yaml").read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        daemon_set = next(each for each in objects if each and each["kind"] == "DaemonSet")
        agent = daemon_set["spec"]["template"]["spec"]["containers"][0]
        rights = [name.lower() for name in agent["securityContext"]["capabilities"]["add"]]
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-a"},
                "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}}
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "node.json").write_text(json.dumps(node))
            settings = {**os.environ, "BUILD": str(build), "RIGHTS": ",".join(["-all", *("+" + name for name in rights)])}
            done = subprocess.run(["unshare", "--net", "--mount", "--kill-child", "--fork", "sh", "-c", SCRIPT], cwd=folder,
                                  env=settings, capture_output=True, text=True, timeout=110)
            log = (pathlib.Path(folder) / "node.log")
            said = log.read_text() if log.exists() else ""
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr + said)
            held, *forwarding = done.stdout.splitlines()
            self.assertEqual(bin(int(held.split()[1], 16)).count("1"), len(rights), held)
            self.assertEqual(forwarding, ["1", "1"])
            complaints = [line for line in said.splitlines() if "level=warn" in line or "level=error" in line]
            self.assertEqual(complaints, [])


if __name__ == "__main__":
    build = pathlib.Path(sys.argv.pop(1)).resolve()
    if missing():
        print(f"skipped: {missing()} is missing")
        sys.exit(77)
    unittest.main()
