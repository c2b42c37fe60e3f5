#!/usr/bin/env python3
"""The commands of pages, typed in the order in which they stand: every line of a shell block, in one shell a page, in a
folder where docs/, build/bin and the rest of a checkout are. What is told to do something does it at once; what looks may
look again for a minute. A block of YAML that begins with its file's name is that file; all YAML is validated.

Each page runs in namespaces of its own (mounts with a /run of their own, network, process numbers): its labs and servers
have the names and ports that the page gives them, meet nobody else's, and are gone with it.

    pages_test.py BUILD      exit status 77, with the reason, where it cannot run. MARGAY_E2E_WHOLE=1: docs/how-to, too
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
LAB = ["netctl lab up", "netctl lab apply -f docs/examples/three-tier/1-pods.yaml", "export KUBECONFIG=$(netctl lab kubeconfig)"]
# What a reader of the page has done before, as the page says or takes for granted.
PAGES = {
    "README.md": [],
    "docs/lab.md": [],
    "docs/policy.md": [],
    "docs/concepts.md": LAB,
    "docs/bgp.md": LAB,
    "docs/ipam.md": ["netctl lab up -f old.yaml", "export KUBECONFIG=$(netctl lab kubeconfig)"],
    "docs/controllers.md": LAB,
    "docs/migration.md": LAB,
    "docs/netctl.md": ["netctl lab up -f lab.yaml", "sed 's/: margay$/: lab/' /run/margay-lab/lab/kubeconfig > kubeconfig",
                       "export KUBECONFIG=$PWD/kubeconfig"],
    "docs/troubleshooting.md": LAB,
    **{f"docs/how-to/{path.name}": [] for path in sorted((ROOT / "docs/how-to").glob("*.md")) if path.stem != "README"},
}
# Files that it speaks of.
FILES = {
    "docs/netctl.md": {"lab.yaml": """
subnets: [{name: a, prefixes: [192.0.2.0/24], nodes: [worker-1, worker-2]}]
router: {kind: margay-bgpd, asNumber: 64512}
objects:
- {apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: main}, spec: {cidr: 192.168.0.0/16}}
- {apiVersion: projectcalico.org/v3, kind: BGPPeer, metadata: {name: rack1},
   spec: {nodeSelector: rack == 'r1', peerIP: 192.0.2.77, asNumber: 64512}}
- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
- {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, annotations:
    {cni.projectcalico.org/ipAddrs: '["192.168.3.7"]'}}, spec: {containers: [{name: web, image: a}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop}, spec: {containers: [{name: db, image: a}]}}
""", "pools.yaml": """
{apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: more}, spec: {cidr: 10.99.0.0/16}}
""", "peers.yaml": """
{apiVersion: projectcalico.org/v3, kind: BGPPeer, metadata: {name: r2},
 spec: {nodeSelector: rack == 'r2', peerIP: 192.0.2.78, asNumber: 64512}}
""", "cluster/policy.yaml": """
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, namespace: shop},
 spec: {podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 5432}]}]}}
""", "cluster/pods.yaml": """
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, status: {podIP: 10.0.0.8},
 spec: {containers: [{name: web, image: a, ports: [{name: http, containerPort: 80}]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}}, status: {podIP: 10.0.0.9},
 spec: {containers: [{name: db, image: a}]}}
"""},
    "docs/ipam.md": {"old.yaml": """
subnets: [{name: a, prefixes: [172.31.1.0/24], nodes: [node-1, node-2]}]
objects:
- {apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: default-ipv4-ippool}, spec: {cidr: 192.168.0.0/16}}
- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
- {apiVersion: v1, kind: Pod, metadata: {name: web-0, namespace: shop, annotations:
    {cni.projectcalico.org/ipAddrs: '["192.168.3.7"]'}}, spec: {containers: [{name: web, image: a}]}}
"""},
}
# Such a page speaks of a machine with an agent: it is a node of the lab, from where netctl reaches the API server.
ON_A_NODE = {"docs/ipam.md": "node-1", "docs/netctl.md": "worker-1"}
NODE = """mkdir -p /run/margay /opt/cni/bin && mount --bind /run/margay-lab/lab/nodes/NODE /run/margay
ln -s /run/margay-lab/lab/api.sock /run/margay/api.sock
ln -s "$BUILD/bin/margay" "$BUILD/bin/margay-ipam" /opt/cni/bin/
exec 8< /proc/self/ns/net
exec nsenter --net=/run/netns/margay-lab.NODE bash "$FOLDER/on-node.sh"
"""
NETCTL = 'netctl() { nsenter --net=/proc/$$/fd/8 netctl "$@"; }'
PROGRAMS = r"(netctl|kubectl|margay\S*|build/bin/\S+|ip|curl|echo|export|sleep|mkdir|make)\b"
# What is not tried again.
DOES = r"(export |echo |sleep |mkdir |.*&$|netctl lab (up|down|node)\b|netctl (lab )?(apply|delete|patch|label|create|replace)\b|netctl ipam (release|split|configure)|kubectl (annotate|apply|delete|label)|ip netns add)"
FOLLOW = r"""
follow() {
  local may_look_again=$1 line=$2 status deadline=$((SECONDS + 60))
  while :; do
    eval "$line" > "$OUT" 2>&1 < /dev/null && { echo "ok: $line"; return; }
    status=$?
    if [ "$may_look_again" = 0 ] || [ $SECONDS -ge $deadline ]; then
      echo "FAILED ($status): $line"; cat "$OUT"; exit 1
    fi
    sleep 0.2
  done
}
"""
build = None


def blocks(page):
    """(language, lines) of each; what is indented by four is a shell's."""
    out, fence, was_text = [], None, True
    for line in (ROOT / page).read_text().splitlines():
        if line.lstrip().startswith("```"):
            fence = None if fence is not None else (line.strip()[3:], [])
            if fence is not None:
                out.append(fence)
        elif fence is not None:
            fence[1].append(line)
        elif line.startswith("    "):
            if was_text:
                out.append(("", []))
            out[-1][1].append(line[4:])
        was_text = fence is None and not line.startswith("    ")
    return out


def commands(page):
    shell = [lines for language, lines in blocks(page) if language == "" and all(re.match(PROGRAMS, line) for line in lines)]
    return [line for lines in shell for line in lines if not line.startswith("make")]


def yaml_blocks(page):
    return ["\n".join(lines) + "\n" for language, lines in blocks(page) if language == "yaml"]


def kubectl():
    asked = subprocess.run([ROOT / "scripts" / "kube-clients", "--check"], capture_output=True, text=True)
    return f"{asked.stdout.strip()}/kubectl" if asked.returncode == 0 else shutil.which("kubectl")


def why_not():
    if os.geteuid() != 0:
        return "needs root"
    missing = [name for name in ["margay", "margay-apiserver", "margay-bgpd", "margay-controllers", "margay-node", "netctl"]
               if not (build / "bin" / name).exists()]
    return f"not built: {' '.join(missing)} (target programs)" if missing else None


def until_ctrl_c(line):
    """What only the user ends, ends after a second, and well."""
    return f"timeout -s INT 1 {line.partition('#')[0]} || [ $? = 124 ]" if "--watch" in line else line


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


class Pages(unittest.TestCase):
    def follow(self, page):
        with tempfile.TemporaryDirectory(prefix="margay-page.", dir="/var/tmp") as name:
            folder = pathlib.Path(name)
            self.lay_out(folder, page)
            before = [f"follow 0 {quoted(line)}" for line in PAGES[page]]
            typed = [f"follow {0 if re.match(DOES, line) else 1} {quoted(until_ctrl_c(line))}" for line in commands(page)
                     if not line.startswith("kubectl") or kubectl() is not None]
            # A checkout may be in one of those that are laid over.
            mounts = [f"mount --bind {quoted(str(ROOT))} {folder}/source", f"mount --bind {quoted(str(build))} {folder}/built",
                      *(f"mount -t tmpfs tmpfs {each}" for each in ["/run", "/opt", "/tmp"])]
            node = ON_A_NODE.get(page)
            parts = [FOLLOW, *before, *([NODE.replace("NODE", node)] if node else typed)]
            (folder / "page.sh").write_text("\n".join([*mounts, "ip link set lo up", *parts]) + "\n")
            (folder / "on-node.sh").write_text("\n".join([FOLLOW, NETCTL, *typed]) + "\n")
            environment = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": f"{folder}/home", "OUT": f"{folder}/out",
                           "BUILD": f"{folder}/built", "FOLDER": str(folder), "LC_ALL": "C.UTF-8"}
            done = subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
                                   "bash", str(folder / "page.sh")], cwd=folder / "checkout", env=environment,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=500)
            self.assertEqual(done.returncode, 0, f"{page}:\n{done.stdout}{done.stderr}")
            self.assertGreaterEqual(done.stdout.count("ok: "), len(before + typed), "commands were left out")

    def lay_out(self, folder, page):
        for name in ["bin", "home", "source", "built", "checkout/build"]:
            (folder / name).mkdir(parents=True)
        for path in (build / "bin").iterdir():
            (folder / "bin" / path.name).symlink_to(folder / "built/bin" / path.name)
        if kubectl() is not None:
            (folder / "bin" / "kubectl").symlink_to(kubectl())
        (folder / "checkout/build/bin").symlink_to(folder / "built/bin")
        for name in ["docs", "crds", "manifests", "scripts"]:
            (folder / "checkout" / name).symlink_to(folder / "source" / name)
        for name, text in FILES.get(page, {}).items():
            (folder / "checkout" / name).parent.mkdir(exist_ok=True)
            (folder / "checkout" / name).write_text(text)
        for text in yaml_blocks(page):
            named = re.match(r"# (\S+\.yaml)\n", text)
            if named:
                (folder / "checkout" / named.group(1)).write_text(text)

    def test_yaml_of_pages_is_right(self):
        texts = [(page, text) for page in sorted(set(PAGES) | {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")})
                 for text in yaml_blocks(page) if re.search(r"(?m)^kind: ", text)]
        self.assertGreater(len(texts), 3)
        for page, text in texts:
            done = subprocess.run([build / "bin" / "netctl", "validate", "-f", "-"], input=text, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, f"{page}:\n{text}{done.stdout}{done.stderr}")


def test_of(page):
    def test(self):
        if "how-to" in page and "MARGAY_E2E_WHOLE" not in os.environ:
            self.skipTest("MARGAY_E2E_WHOLE is not set")
        self.follow(page)

    return test


for page in PAGES:
    setattr(Pages, f"test_{re.sub('[^a-z]', '_', page.lower()).removesuffix('_md')}", test_of(page))


if __name__ == "__main__":
    build = pathlib.Path(sys.argv.pop(1)).resolve()
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    unittest.main()
