#!/usr/bin/env python3
"""What is shipped, looked at by installing it into a folder: which files (manifests/files.txt), which libraries they need
against the packages that manifests/image/Dockerfile installs, the units, the Debian packages.

    package_test.py BUILD     a build folder in which the target `programs` is built; exit status 77 if it is not
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
COMPONENTS = ["apiserver", "bgpd", "controllers", "netctl", "node"]
# In every Debian image.
IN_THE_BASE_IMAGE = {"libc6", "libgcc-s1", "libstdc++6"}
# Run as programs, or copied by the Dockerfile itself.
NOT_LIBRARIES = {"iptables"}
build = None


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def files_below(folder):
    return sorted("/" + str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or path.is_file())


def libraries_of(path):
    """The shared libraries that an ELF file names; None for what is no ELF file."""
    if path.is_symlink() or path.read_bytes()[:4] != b"\x7fELF":
        return None
    return set(re.findall(r"\(NEEDED\)\s+Shared library: \[([^\]]+)\]", run("readelf", "-d", str(path))))


def package_of(library):
    line = next(line for line in run("/sbin/ldconfig", "-p").splitlines() if line.split()[0] == library)
    path = pathlib.Path(line.rpartition("=> ")[2])
    for candidate in [path, path.resolve()]:
        for name in [str(candidate), str(candidate).removeprefix("/usr")]:
            found = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True)
            if found.returncode == 0:
                return found.stdout.partition(":")[0]
    raise AssertionError(f"{library}: no package has {path}")


def packages_in_dockerfile(stage):
    text = (HERE / "image" / "Dockerfile").read_text()
    section = re.search(rf"AS {stage}\n(.*?)(?=\nFROM|\Z)", text, re.DOTALL).group(1)
    words = re.search(r"--no-install-recommends \\\n(.*?)&&", section, re.DOTALL).group(1)
    return set(words.replace("\\", "").split())


class Shipped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.stages = {}
        for component in COMPONENTS:
            stage = pathlib.Path(cls.folder.name) / component
            run("cmake", "--install", str(build), "--strip", "--prefix", "/usr", "--component", component,
                env={"DESTDIR": str(stage), "PATH": "/usr/bin:/bin"})
            cls.stages[component] = stage

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_files_are_those_of_the_list(self):
        found = [f"{component} {path}" for component, stage in self.stages.items() for path in files_below(stage)
                 if not path.startswith("/usr/share/doc/")]
        wanted = [line for line in (HERE / "files.txt").read_text().splitlines() if not line.startswith("#")]
        self.assertEqual(found, wanted)

    def test_the_plugin_needs_nothing_of_its_host(self):
        self.assertEqual(libraries_of(self.stages["node"] / "usr/lib/cni/margay"), set())

    def test_images_have_the_libraries_their_programs_need_and_no_others(self):
        for stage in ["node", "controllers"]:
            needed = set()
            for path in files_below(self.stages[stage]):
                for library in libraries_of(self.stages[stage] / path[1:]) or ():
                    if not library.startswith("ld-linux"):
                        needed.add(package_of(library))
            self.assertEqual(needed - IN_THE_BASE_IMAGE, packages_in_dockerfile(stage) - NOT_LIBRARIES, stage)

    def test_what_images_run_is_in_them(self):
        text = (HERE / "image" / "Dockerfile").read_text()
        for stage in ["node", "controllers"]:
            program = re.search(rf"AS {stage}\n.*?ENTRYPOINT \[\"([^\"]+)\"\]", text, re.DOTALL).group(1)
            self.assertTrue((self.stages[stage] / program[1:]).is_file(), program)
            for command in re.findall(r"- (/usr/\S+)\n", (HERE / "base" / "margay.yaml").read_text()):
                there = [(self.stages[each] / command[1:]).is_file() for each in ["node", "controllers"]]
                self.assertTrue(any(there), command)

    def test_units_start_what_is_installed_and_systemd_takes_them(self):
        checker = shutil.which("systemd-analyze")
        for stage in self.stages.values():
            for unit in stage.glob("usr/lib/systemd/system/*.service"):
                program = re.search(r"(?m)^ExecStart=(\S+)", unit.read_text()).group(1)
                self.assertTrue((stage / program[1:]).is_file(), program)
                if checker is None:
                    continue
                # The programs of the stage stand in for those of the host.
                copy = stage / unit.name
                copy.write_text(unit.read_text().replace("=/usr/bin/", f"={stage}/usr/bin/"))
                said = subprocess.run([checker, "verify", "--man=no", str(copy)], capture_output=True, text=True)
                own = [line for line in said.stderr.splitlines() if unit.name in line]
                self.assertFalse(own, said.stderr)

    def test_a_debian_package_says_what_it_needs(self):
        if not shutil.which("dpkg-shlibdeps"):
            self.skipTest("dpkg-shlibdeps is missing (Debian package dpkg-dev)")
        with tempfile.TemporaryDirectory() as folder:
            run("cpack", "-G", "DEB", "-B", folder, "-D", "CPACK_COMPONENTS_ALL=node", "-D", "CPACK_STRIP_FILES=OFF",
                cwd=build)
            package = next(pathlib.Path(folder).glob("*.deb"))
            self.assertRegex(package.name, r"^margay-node_[0-9.]+_[a-z0-9]+\.deb$")
            fields = run("dpkg-deb", "--field", str(package))
            self.assertRegex(fields, r"(?m)^Depends: .*iptables")
            self.assertRegex(fields, r"(?m)^Depends: .*libssl3")
            content = run("dpkg-deb", "--contents", str(package))
            for path in ["./usr/bin/margay-node", "./usr/lib/cni/margay", "./usr/lib/systemd/system/margay-node.service"]:
                self.assertRegex(content, rf"(?m) {re.escape(path)}$")
            self.assertIn("postinst", run("dpkg-deb", "--ctrl-tarfile", str(package), errors="replace"))


if __name__ == "__main__":
    build = pathlib.Path(sys.argv.pop(1)).resolve()
    missing = [name for name in ["margay", "margay-node", "margay-controllers", "margay-apiserver", "margay-bgpd", "netctl"]
               if not (build / "bin" / name).exists()]
    if missing:
        print(f"skipped: not built: {' '.join(missing)} (target programs)")
        sys.exit(77)
    unittest.main()
