#!/usr/bin/env python3
"""What manifests/ promises: rendered files are what their sources say, chart and overlays come to the same objects, and
every name in them (volumes, accounts, roles, ports, programs) stands for something. Needs Python 3 and PyYAML; overlays
need a kubectl as well, and what Helm says of the chart is asked where scripts/kube-clients has fetched one."""

import functools
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
OVERLAYS = sorted(path.name for path in (HERE / "overlays").iterdir())
PROGRAMS = {"margay", "margay-node", "margay-controllers"}


def documents(text):
    # The loader in C, where PyYAML has it: definitions are long.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [document for document in yaml.load_all(text, Loader=loader) if document]


@functools.cache
def base():
    return documents((HERE / "base" / "margay.yaml").read_text())


def one(objects, kind, name):
    found = [each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} {kind} {name}"
    return found[0]


def pod_of(workload):
    return workload["spec"]["template"]["spec"]


def environment(objects):
    agent = pod_of(one(objects, "DaemonSet", "margay-node"))["containers"][0]
    return {each["name"]: each.get("value") for each in agent["env"]}


def fetched(script, program):
    """A program that a script has put into the cache of this machine, or None."""
    asked = subprocess.run([ROOT / "scripts" / script, "--check", program], capture_output=True, text=True)
    return f"{asked.stdout.strip()}/{program}" if asked.returncode == 0 else None


def kubectl():
    """The newest there is, and whether it is older than `patches`."""
    candidates = [fetched("kube-clients", "kubectl"), shutil.which("kubectl"), fetched("kube-binaries", "kubectl")]
    for program in filter(None, candidates):
        text = subprocess.run([program, "version", "--client", "-o", "json"], capture_output=True, text=True).stdout
        minor = re.search(r'"minor": "(\d+)', text)
        if minor:
            return program, int(minor.group(1)) < 21
    return None, False


def for_old_kubectl(text):
    text = text.replace("resources:\n- ../../base\n", "bases:\n- ../../base\nresources:\n")
    return text.replace("patches:\n- path: ", "patchesStrategicMerge:\n- ").replace("resources:\npatches", "patches")


@functools.cache
def kustomized(overlay):
    program, is_old = kubectl()
    if program is None:
        raise unittest.SkipTest("no kubectl: scripts/kube-binaries makes one")
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "manifests"
        for name in ["base", "overlays"]:
            shutil.copytree(HERE / name, copy / name)
        if is_old:
            for path in copy.glob("overlays/*/kustomization.yaml"):
                path.write_text(for_old_kubectl(path.read_text()))
        run = subprocess.run([program, "kustomize", copy / "overlays" / overlay], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return documents(run.stdout)


class Chart:
    """As much of Helm's template language as manifests/source uses: values, if, with, toYaml. Where there is no Helm."""

    TAG = re.compile(r"\{\{(-?)\s*(.*?)\s*(-?)\}\}", re.DOTALL)

    def __init__(self, values):
        self.values = values

    def value(self, expression):
        if expression == ".Release.Namespace":
            return "kube-system"
        assert expression.startswith(".Values."), expression
        at = self.values
        for name in expression.split(".")[2:]:
            at = at[name]
        return at

    def render(self, text):
        out, hidden, end = "", [], 0
        for tag in self.TAG.finditer(text):
            before = text[end : tag.start()]
            out += "" if any(hidden) else before.rstrip() if tag.group(1) else before
            end = tag.end()
            word, _, rest = tag.group(2).partition(" ")
            if word in ("if", "with"):
                hidden.append(not self.value(rest))
            elif word == "end":
                hidden.pop()
            elif word == "toYaml":
                assert any(hidden), "no default has a list"
            elif not any(hidden):
                value = self.value(tag.group(2))
                out += str(value).lower() if isinstance(value, bool) else str(value)
        assert not hidden
        return out + text[end:]


def rendered_chart(change=None):
    chart = HERE / "helm" / "margay"
    values = yaml.safe_load((chart / "values.yaml").read_text())
    if change:
        change(values)
    return [each for path in sorted((chart / "templates").iterdir())
            for each in documents(Chart(values).render(path.read_text()))]


def key(each):
    return (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"])


class Rendered(unittest.TestCase):
    def test_files_are_what_their_sources_say(self):
        run = subprocess.run([sys.executable, "-B", HERE / "render.py", "--check"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_no_object_is_there_twice(self):
        keys = [key(each) for each in base()]
        self.assertEqual(len(keys), len(set(keys)))

    def test_the_chart_comes_to_the_same_objects(self):
        plain = [each for each in base() if each["kind"] != "CustomResourceDefinition"]
        self.assertEqual(sorted(plain, key=key), sorted(rendered_chart(), key=key))

    def test_the_chart_has_all_definitions(self):
        definitions = {key(each) for each in base() if each["kind"] == "CustomResourceDefinition"}
        crds = (HERE / "helm" / "margay" / "crds").iterdir()
        self.assertEqual(definitions, {key(each) for path in crds for each in documents(path.read_text())})

    def test_a_chart_without_cni_installs_no_plugin(self):
        pod = pod_of(one(rendered_chart(lambda values: values["cni"].update(install=False)), "DaemonSet", "margay-node"))
        self.assertNotIn("initContainers", pod)
        self.assertFalse([each for each in pod["volumes"] if each["name"].startswith("cni")])


class Helm(unittest.TestCase):
    """The same by Helm itself."""

    @classmethod
    def setUpClass(cls):
        cls.helm = fetched("kube-clients", "helm")
        if cls.helm is None:
            raise unittest.SkipTest("no Helm: scripts/kube-clients fetches one")

    def run_helm(self, *arguments):
        with tempfile.TemporaryDirectory() as home:
            return subprocess.run([self.helm, *arguments], capture_output=True, text=True, env={"HOME": home})

    def rendered(self, *arguments, namespace="kube-system"):
        run = self.run_helm("template", "margay", HERE / "helm" / "margay", "--namespace", namespace, *arguments)
        self.assertEqual(run.returncode, 0, run.stderr)
        return documents(run.stdout)

    def test_it_makes_what_the_plain_file_has(self):
        self.assertEqual(sorted(self.rendered("--include-crds"), key=key), sorted(base(), key=key))

    def test_it_finds_no_fault(self):
        run = self.run_helm("lint", "--strict", HERE / "helm" / "margay")
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertNotIn("[WARNING]", run.stdout)

    def test_values_are_where_they_belong(self):
        def spec(made, workload):
            return one(made, "DaemonSet" if workload == "node" else "Deployment", f"margay-{workload}")["spec"]

        def container(made, workload):
            return spec(made, workload)["template"]["spec"]["containers"][0]

        def host_path(made, name):
            return one_of(spec(made, "node")["template"]["spec"]["volumes"], name)["hostPath"]["path"]

        def one_of(each_named, name):
            return next(each for each in each_named if each["name"] == name)

        cases = [
            ("node.image", "a/b:1", lambda made: container(made, "node")["image"]),
            ("node.image", "a/b:1", lambda made: spec(made, "node")["template"]["spec"]["initContainers"][0]["image"]),
            ("node.maxUnavailable", "10%", lambda made: spec(made, "node")["updateStrategy"]["rollingUpdate"]["maxUnavailable"]),
            ("node.metrics", "true", lambda made: environment(made)["FELIX_PROMETHEUSMETRICSENABLED"]),
            ("node.extraEnv[0].name", "X", lambda made: one_of(container(made, "node")["env"], "X")["name"]),
            ("node.extraEnv[0].value", "1 : #2", lambda made: environment(made)["X"]),
            ("controllers.image", "a/c:1", lambda made: container(made, "controllers")["image"]),
            ("controllers.logLevel", "debug", lambda made: container(made, "controllers")["command"][-1].partition("=")[2]),
            ("controllers.replicas", "3", lambda made: str(spec(made, "controllers")["replicas"])),
            ("pullPolicy", "Always", lambda made: container(made, "node")["imagePullPolicy"]),
            ("pullPolicy", "Always", lambda made: container(made, "controllers")["imagePullPolicy"]),
            ("network.backend", "vxlan", lambda made: environment(made)["CALICO_NETWORKING_BACKEND"]),
            ("network.ipip", "Never", lambda made: environment(made)["CALICO_IPV4POOL_IPIP"]),
            ("network.vxlan", "Always", lambda made: environment(made)["CALICO_IPV4POOL_VXLAN"]),
            ("cni.binDir", "/x", lambda made: host_path(made, "cni-bin")),
            ("cni.confDir", "/y", lambda made: host_path(made, "cni-conf")),
        ]
        made = self.rendered("--set", ",".join(f"{name}={value}" for name, value, _ in cases))
        for name, value, find in cases:
            self.assertEqual(find(made), value, name)
        self.assertNotIn("initContainers", spec(self.rendered("--set", "cni.install=false"), "node")["template"]["spec"])

        def names(values, prefix=""):
            for name, value in values.items():
                yield from names(value, f"{prefix}{name}.") if isinstance(value, dict) else [prefix + name]

        known = set(names(yaml.safe_load((HERE / "helm" / "margay" / "values.yaml").read_text())))
        self.assertEqual({name.partition("[")[0] for name, _, _ in cases} | {"cni.install"}, known)

    def test_everything_is_in_the_namespace_of_the_release(self):
        made = self.rendered(namespace="network")
        spaces = [each["metadata"]["namespace"] for each in made if "namespace" in each["metadata"]]
        spaces += [subject["namespace"] for each in made for subject in each.get("subjects", [])]
        self.assertGreater(len(spaces), 10)
        # What kubeadm says and the Leases of nodes have places that Kubernetes chose.
        self.assertEqual(set(spaces) - {"network"}, {each["metadata"]["namespace"] for each in base()
                                                     if each["metadata"].get("namespace", "kube-system") != "kube-system"})

    def test_a_kubernetes_that_is_too_old_is_refused(self):
        run = self.run_helm("template", "margay", HERE / "helm" / "margay", "--kube-version", "1.19.16")
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("incompatible", run.stderr)


class Objects(unittest.TestCase):
    def workloads(self):
        return [each for each in base() if each["kind"] in ("DaemonSet", "Deployment")]

    def containers(self):
        for workload in self.workloads():
            pod = pod_of(workload)
            for container in pod.get("initContainers", []) + pod["containers"]:
                yield pod, container

    def test_every_mount_has_a_volume_and_every_volume_a_mount(self):
        for workload in self.workloads():
            pod = pod_of(workload)
            mounts = {mount["name"] for container in pod.get("initContainers", []) + pod["containers"]
                      for mount in container.get("volumeMounts", [])}
            self.assertEqual(mounts, {volume["name"] for volume in pod.get("volumes", [])})

    def test_every_program_is_one_of_ours(self):
        for _, container in self.containers():
            self.assertIn(container["command"][0].rpartition("/")[2], PROGRAMS)

    def test_images_are_of_this_version_and_name_no_host(self):
        version = re.search(r"project\(margay VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
        for _, container in self.containers():
            self.assertRegex(container["image"], rf"^margay/(node|controllers):{re.escape(version)}$")

    def test_no_container_is_privileged_or_has_a_right_it_does_not_name(self):
        for _, container in self.containers():
            context = container["securityContext"]
            self.assertFalse(context["privileged"])
            self.assertFalse(context["allowPrivilegeEscalation"])
            self.assertTrue(context["readOnlyRootFilesystem"])
            self.assertEqual(context["capabilities"]["drop"], ["ALL"])

    def test_every_binding_is_of_a_role_and_an_account_that_are_there(self):
        objects = base()
        there = {key(each) for each in objects}
        for binding in [each for each in objects if each["kind"].endswith("RoleBinding")]:
            role = binding["roleRef"]
            space = binding["metadata"].get("namespace", "") if role["kind"] == "Role" else ""
            self.assertIn((role["kind"], space, role["name"]), there)
            for subject in binding["subjects"]:
                self.assertIn((subject["kind"], subject["namespace"], subject["name"]), there)

    def test_every_workload_has_an_account(self):
        if not list(HERE.glob("rbac-*.yaml")):
            self.skipTest("the accounts are not there yet")
        there = {key(each) for each in base()}
        for workload in self.workloads():
            self.assertIn(("ServiceAccount", "kube-system", pod_of(workload)["serviceAccountName"]), there)

    def test_probes_ask_where_the_programs_answer(self):
        settings = (ROOT / "agent" / "config" / "settings_process.cc").read_text()
        agent_port = int(re.search(r'row\("healthPort", [^"]*"(\d+)"', settings).group(1))
        self.assertEqual(environment(base())["FELIX_HEALTHENABLED"], "true")
        for workload, port in [("margay-node", agent_port), ("margay-controllers", 9094)]:
            kind = "DaemonSet" if workload == "margay-node" else "Deployment"
            container = pod_of(one(base(), kind, workload))["containers"][0]
            for probe, path in [("livenessProbe", "/livez"), ("readinessProbe", "/readyz")]:
                self.assertEqual((container[probe]["httpGet"]["path"], container[probe]["httpGet"]["port"]), (path, port))
        listen = [word for word in container["command"] if word.startswith("--listen=")]
        self.assertEqual(listen, ["--listen=tcp://0.0.0.0:9094"])


class Overlays(unittest.TestCase):
    # What each changes of the agent's variables.
    CHANGES = {
        "ipip": {"CALICO_IPV4POOL_IPIP": "Always"},
        "vxlan": {"CALICO_NETWORKING_BACKEND": "vxlan", "CALICO_IPV4POOL_IPIP": "Never", "CALICO_IPV4POOL_VXLAN": "Always"},
        "bgp-reflectors": {"CALICO_IPV4POOL_IPIP": "Never"},
        "policy-only": {"CALICO_NETWORKING_BACKEND": "none", "NO_DEFAULT_POOLS": "true", "FELIX_INTERFACEPREFIX": "veth"},
    }

    def test_each_changes_what_it_says_and_nothing_else(self):
        self.assertEqual(sorted(self.CHANGES), OVERLAYS)
        plain = {key(each): each for each in base()}
        for overlay, changes in self.CHANGES.items():
            made = kustomized(overlay)
            self.assertEqual(environment(made), {**environment(base()), **changes}, overlay)
            for each in made:
                if key(each)[2] != "margay-node" and key(each) in plain:
                    self.assertEqual(each, plain[key(each)])
            self.assertLessEqual(set(plain), {key(each) for each in made})

    def test_policy_only_leaves_the_plugin_out(self):
        pod = pod_of(one(kustomized("policy-only"), "DaemonSet", "margay-node"))
        self.assertFalse(pod.get("initContainers"))
        self.assertFalse([each for each in pod["volumes"] if each["name"].startswith("cni")])

    def test_reflectors_replace_the_mesh(self):
        made = kustomized("bgp-reflectors")
        self.assertFalse(one(made, "BGPConfiguration", "default")["spec"]["nodeToNodeMeshEnabled"])
        self.assertEqual(one(made, "BGPPeer", "nodes-to-reflectors")["spec"]["peerSelector"], "route-reflector == 'true'")


if __name__ == "__main__":
    unittest.main()
