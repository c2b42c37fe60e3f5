#!/usr/bin/env python3
"""The Debian packages on a bare Debian 12 (scripts/debian-root), in namespaces of its own: apt installs them offline with
what they say they need, nothing is missing of them, systemd takes their units, programs run and work together, and when
they are purged nothing is left.

    install_test.py BUILD     a build folder of the release preset; exit status 77, with the reason, where it cannot run
"""

import ctypes
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PACKAGES = ["margay-apiserver", "margay-bgpd", "margay-controllers", "margay-node", "netctl"]
PROGRAMS = ["margay-apiserver", "margay-bgpd", "margay-controllers", "margay-node"]
NOT_OURS = ("/var/lib/dpkg/", "/var/cache/", "/var/log/", "/var/lib/apt/", "/etc/ld.so.cache", "/run/systemd/")
build = None
debian = None


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def why_not():
    global debian
    if os.geteuid() != 0:
        return "needs root"
    missing = [name for name in PROGRAMS + ["netctl", "margay"] if not (build / "bin" / name).exists()]
    if missing:
        return f"not built: {' '.join(missing)} (target programs)"
    asked = subprocess.run([ROOT / "scripts" / "debian-root", "--check"], capture_output=True, text=True)
    if asked.returncode != 0:
        return asked.stderr.strip()
    debian = pathlib.Path(asked.stdout.strip())
    return None


class Host:
    """A Debian in a folder on a memory file system, which only this process and its children see; it has a network of its
    own that leads nowhere, so what is installed comes from the archive that was fetched before."""

    def __init__(self):
        # Of this process: CLONE_NEWNS | CLONE_NEWNET; what it mounts is gone with it.
        if ctypes.CDLL(None, use_errno=True).unshare(0x00020000 | 0x40000000) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        run("mount", "--make-rprivate", "/")
        run("ip", "link", "set", "lo", "up")
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="margay-install."))
        run("mount", "-t", "tmpfs", "tmpfs", str(self.root))
        for archive in ["root.tar", "archive.tar"]:
            run("tar", "-C", str(self.root), "-xf", str(debian / archive))
        for name in ["proc", "dev"]:
            (self.root / name).mkdir(exist_ok=True)
        run("mount", "-t", "proc", "proc", str(self.root / "proc"))
        for name in ["null", "zero", "urandom", "random", "full"]:
            (self.root / "dev" / name).touch()
            run("mount", "--bind", f"/dev/{name}", str(self.root / "dev" / name))
        # As in a container: a service that a package brings does not start by itself.
        policy = self.root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)

    def close(self):
        run("umount", "--recursive", str(self.root))
        self.root.rmdir()

    def run(self, *command):
        return run("chroot", str(self.root), *command,
                   env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root", "LC_ALL": "C.UTF-8"})

    def start(self, *command):
        return subprocess.Popen(["chroot", str(self.root), *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

    def apt(self, *words):
        return self.run("apt-get", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Options::=--force-unsafe-io",
                        "-o", "DPkg::Options::=--path-include=/usr/share/*", *words)

    def files(self):
        found = self.run("find", "/", "-xdev", "-path", "/proc", "-prune", "-o", "-not", "-type", "d", "-print").splitlines()
        return {path for path in found if not path.startswith(NOT_OURS)}


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host()
        cls.addClassCleanup(cls.host.close)
        folder = cls.host.root / "packages"
        folder.mkdir()
        run("cpack", "-G", "DEB", "-B", str(folder), cwd=build)
        shutil.rmtree(folder / "_CPack_Packages", ignore_errors=True)
        # What they need comes first, so that what they leave can be told from what that leaves.
        cls.debs = {name: next(folder.glob(f"{name}_*.deb")) for name in PACKAGES}
        depends = [run("dpkg-deb", "--field", str(path), "Depends") for path in cls.debs.values()]
        names = sorted({each.split()[0].split(":")[0] for text in depends for each in text.strip().split(",") if each.strip()})
        cls.host.apt("install", "systemd", *names)
        cls.before = cls.host.files()
        cls.host.apt("install", *[f"/packages/{path.name}" for path in cls.debs.values()])

    def test_1_everything_of_the_list_is_there_and_finds_its_libraries(self):
        listed = [line.split()[1] for line in (HERE / "files.txt").read_text().splitlines() if not line.startswith("#")]
        there = self.host.files()
        # Manual pages are stored compressed, or not at all, as Debian's packages have them: here as cmake puts them.
        self.assertEqual([path for path in listed if path not in there], [])
        for path in listed:
            if not (self.host.root / path[1:]).read_bytes().startswith(b"\x7fELF"):
                continue
            said = subprocess.run(["chroot", str(self.host.root), "ldd", path], capture_output=True, text=True).stdout
            self.assertNotIn("not found", said, path)
        self.assertEqual(self.host.run("dpkg", "--audit"), "")

    def test_2_units_are_taken_by_systemd_and_none_is_enabled(self):
        units = sorted(path.name for path in (self.host.root / "usr/lib/systemd/system").glob("margay-*.service"))
        self.assertEqual(len(units), len(PROGRAMS))
        for unit in units:
            said = subprocess.run(["chroot", str(self.host.root), "systemd-analyze", "verify", "--man=no", f"/usr/lib/systemd/system/{unit}"],
                                  capture_output=True, text=True)
            self.assertEqual([line for line in said.stderr.splitlines() if unit in line], [])
        self.assertEqual(list((self.host.root / "etc/systemd/system").rglob("margay-*")), [])

    def test_3_programs_say_their_version(self):
        version = run("dpkg-deb", "--field", str(self.debs["netctl"]), "Version").strip()
        for program in PROGRAMS:
            self.assertIn(f" {version} ", self.host.run(program, "--version"), program)
        self.assertIn(version, self.host.run("netctl", "version", "--client"))
        self.assertIn(version, self.host.run("kubectl-netctl", "version", "--client"))
        # As a container runtime asks.
        env = {"CNI_COMMAND": "VERSION", "PATH": "/usr/sbin:/usr/bin"}
        for plugin in ["margay", "margay-ipam"]:
            said = subprocess.run(["chroot", str(self.host.root), f"/usr/lib/cni/{plugin}"], input='{"cniVersion":"1.0.0"}', env=env,
                                  capture_output=True, text=True)
            self.assertIn("supportedVersions", said.stdout, said.stderr)

    def test_4_the_server_serves_and_netctl_applies(self):
        shutil.copytree(ROOT / "docs/examples/first-look", self.host.root / "first-look")
        server = self.host.start("margay-apiserver", "--listen", "tcp://127.0.0.1:0", "--store", "memory",
                                 "--write-kubeconfig", "/kubeconfig")
        try:
            deadline = time.monotonic() + 30
            while not (self.host.root / "kubeconfig").exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            self.host.run("netctl", "--kubeconfig", "/kubeconfig", "apply", "-f", "/first-look")
            said = self.host.run("netctl", "--kubeconfig", "/kubeconfig", "get", "ippools", "-o", "name")
            self.assertIn("ippool", said)
        finally:
            server.terminate()
            server.wait()
            shutil.rmtree(self.host.root / "first-look")
            (self.host.root / "kubeconfig").unlink(missing_ok=True)

    def test_5_installed_again_it_is_the_same_and_purged_it_is_gone(self):
        installed = self.host.files()
        self.host.apt("install", "--reinstall", *[f"/packages/{path.name}" for path in self.debs.values()])
        self.assertEqual(self.host.files(), installed)
        self.host.apt("purge", *PACKAGES)
        self.assertEqual(self.host.files() ^ self.before, set())
        for name in ["usr/share/margay", "usr/share/doc/netctl", "usr/lib/cni"]:
            self.assertFalse((self.host.root / name).exists(), name)


if __name__ == "__main__":
    build = pathlib.Path(sys.argv.pop(1)).resolve()
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    unittest.main()
