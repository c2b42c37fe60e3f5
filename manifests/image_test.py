#!/usr/bin/env python3
"""manifests/image/Dockerfile by a real builder (Debian's buildah), as it is: what each image runs, finds its libraries, and
as whom. The image it begins with is scripts/debian-root under that name, so nothing is pulled but Debian packages.

    image_test.py BUILD       exit status 77, with the reason, where it does not run

MARGAY_IMAGE_TEST=staged      programs of BUILD, a folder of the release preset, stand in for the first stage: a minute or more
MARGAY_IMAGE_TEST=whole       compiles everything inside, too, as `docker build` does
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
DOCKERFILE = HERE / "image" / "Dockerfile"
STAGES = ["node", "controllers"]
PROGRAMS = {"node": ["margay-node"], "controllers": ["margay-controllers"]}
how = os.environ.get("MARGAY_IMAGE_TEST", "")
build = None
debian = None


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


def why_not():
    global debian
    if how not in ("staged", "whole"):
        return "MARGAY_IMAGE_TEST is not staged or whole"
    if os.geteuid() != 0:
        return "needs root"
    if shutil.which("buildah") is None:
        return "no buildah (Debian package buildah)"
    if how == "staged" and not all((build / "bin" / f"margay-{stage}").exists() for stage in STAGES):
        return "not built (target programs)"
    asked = subprocess.run([ROOT / "scripts" / "debian-root", "--check"], capture_output=True, text=True)
    if asked.returncode != 0:
        return asked.stderr.strip()
    debian = pathlib.Path(asked.stdout.strip())
    return None


class Images(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Not /tmp: with every layer a copy, it takes some gigabytes when everything is compiled inside.
        folder = tempfile.TemporaryDirectory(dir="/var/tmp", prefix="margay-image.")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.driver = "overlay"
        try:
            cls.import_base()
        except AssertionError:  # the folder's file system is an overlay itself
            cls.driver = "vfs"
            cls.import_base()
        more = [] if how == "whole" else ["--build-context", f"build={cls.staged()}"]
        for stage in STAGES:
            cls.buildah("bud", "--pull-never", "--isolation", "chroot", "--layers", "--file", DOCKERFILE, "--target", stage,
                        "--tag", f"margay/{stage}", *more, cls.context())

    @classmethod
    def buildah(cls, *words):
        return run("buildah", "--root", cls.folder / "storage", "--runroot", cls.folder / "run", "--storage-driver", cls.driver, *words)

    @classmethod
    def import_base(cls):
        cls.base, = set(re.findall(r"(?m)^FROM (\S+:\S+)", DOCKERFILE.read_text()))
        container = cls.buildah("from", "scratch").strip()
        cls.buildah("add", "--quiet", container, debian / "root.tar", "/")
        cls.buildah("commit", "--quiet", container, f"docker.io/library/{cls.base}")
        cls.buildah("rm", container)

    @classmethod
    def context(cls):
        """What a fresh checkout has: files that are not committed do not help a build."""
        folder = cls.folder / "context"
        if not folder.exists():
            folder.mkdir()
            archive = subprocess.run(["git", "-C", ROOT, "archive", "HEAD"], capture_output=True, check=True)
            subprocess.run(["tar", "-C", folder, "-x"], input=archive.stdout, check=True)
        return folder

    @classmethod
    def staged(cls):
        folder = cls.folder / "staged"
        for stage in STAGES:
            run("cmake", "--install", build, "--strip", "--prefix", "/usr", "--component", stage,
                env={"DESTDIR": str(folder / "stage" / stage), "PATH": os.environ["PATH"]})
        return folder

    def in_image(self, stage, *command):
        container = self.buildah("from", "--pull-never", f"localhost/margay/{stage}").strip()
        try:
            return self.buildah("run", "--isolation", "chroot", container, "--", *command)
        finally:
            self.buildah("rm", container)

    def test_programs_run_and_find_their_libraries(self):
        for stage in STAGES:
            for program in PROGRAMS[stage]:
                self.assertRegex(self.in_image(stage, f"/usr/bin/{program}", "--version"), rf"^{program} [0-9.]+ ")
        listed = [line.split() for line in (HERE / "files.txt").read_text().splitlines() if not line.startswith("#")]
        for stage in STAGES:
            paths = [path for component, path in listed if component == stage and not path.endswith(".service")]
            said = self.in_image(stage, "/bin/sh", "-c", f"for f in {' '.join(paths)}; do test -x $f || echo no $f; ldd $f || true; done 2>&1")
            self.assertNotIn("not found", said)
            self.assertNotIn("no /", said)

    def test_the_node_has_what_it_starts(self):
        self.assertIn("nf_tables", self.in_image("node", "iptables-restore", "--version"))
        if how == "whole":
            self.assertEqual(self.in_image("node", "ls", "/usr/lib/cni").split(), ["loopback", "margay", "margay-ipam", "portmap"])

    def test_who_and_what_an_image_starts(self):
        for stage, user in [("node", ""), ("controllers", "65532")]:
            config = json.loads(self.buildah("inspect", "--type", "image", f"localhost/margay/{stage}"))["OCIv1"]["config"]
            self.assertEqual(config["Entrypoint"], [f"/usr/bin/margay-{stage}"])
            self.assertEqual(config.get("User", ""), user)
        self.assertEqual(self.in_image("controllers", "id", "-u").strip(), "65532")

    def test_images_are_small(self):
        def size_mb(image):
            container = self.buildah("from", "--pull-never", image).strip()
            folder = self.buildah("mount", container).strip()
            size = int(run("du", "-sk", folder).split()[0]) // 1024
            self.buildah("rm", container)
            return size

        base = size_mb(self.base)
        for stage in STAGES:
            size = size_mb(f"localhost/margay/{stage}")
            print(f"margay/{stage}: {size} MB, {size - base} of them over {self.base}")
            self.assertLess(size - base, 60, stage)


if __name__ == "__main__":
    build = pathlib.Path(sys.argv.pop(1)).resolve()
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    unittest.main()
