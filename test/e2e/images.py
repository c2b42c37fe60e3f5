#!/usr/bin/env python3
"""The images of manifests/image/Dockerfile without a builder and without a registry: of each stage what `cmake --install`
makes of its component, and the files that this machine's Debian packages of the Dockerfile (with what they depend on)
have. And an image for pods: a static busybox. Archives as docker makes them, for `ctr images import`.

    images.py BUILD FOLDER      writes FOLDER/node.tar, controllers.tar, busybox.tar
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASE = ["libc6", "libgcc-s1", "libstdc++6"]  # the programs need no more of the Dockerfile's base image
NOT_NEEDED = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/", "/usr/lib/x86_64-linux-gnu/gconv/")


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def stage_of_dockerfile(stage):
    text = (ROOT / "manifests" / "image" / "Dockerfile").read_text()
    return re.search(rf"FROM \S+ AS {stage}\n(.*?)(?=\nFROM|\Z)", text, re.DOTALL).group(1)


def packages_of(stage):
    words = re.search(r"--no-install-recommends \\\n(.*?)&&", stage_of_dockerfile(stage), re.DOTALL).group(1)
    return words.replace("\\", "").split()


def with_dependencies(packages):
    known = {}
    for line in run("dpkg-query", "-W", "-f", "${Package}\t${Depends}\n").splitlines():
        name, _, depends = line.partition("\t")
        known[name] = [re.split(r"[ (:|]", each.strip())[0] for each in depends.split(",") if each.strip()]
    wanted, todo = set(), list(packages)
    while todo:
        name = todo.pop()
        # Scripts of packages do not run here; who asks the administrator is not needed.
        if name in wanted or name not in known or name.startswith(("debconf", "perl", "dpkg")):
            continue
        wanted.add(name)
        todo += known[name]
    return sorted(wanted)


def place(root, path):
    """Where a file of a package belongs: /lib and its like are links to /usr/lib."""
    first = path.lstrip("/").split("/")[0]
    return root / ("usr" if first in ("bin", "sbin", "lib", "lib64") else "") / path.lstrip("/")


def copy_packages(root, packages):
    for folder in ["bin", "sbin", "lib", "lib64"]:
        (root / "usr" / folder).mkdir(parents=True, exist_ok=True)
        (root / folder).symlink_to(f"usr/{folder}")
    for path in run("dpkg-query", "-L", *packages).splitlines():
        source = pathlib.Path(path)
        if path.startswith(NOT_NEEDED) or not (source.is_symlink() or source.is_file()):
            continue
        target = place(root, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not (target.is_symlink() or target.exists()):
            shutil.copy2(source, target, follow_symlinks=False)
    for family in ["iptables", "ip6tables"] if (root / "usr/sbin/iptables-nft").exists() else []:
        for tail in ["", "-save", "-restore"]:
            link = root / "usr/sbin" / (family + tail)
            link.unlink(missing_ok=True)
            link.symlink_to(f"{family}-nft{tail}")


def write_image(root, name, config, out):
    for folder in ["proc", "sys", "dev", "tmp", "run", "etc", "var/lib"]:
        (root / folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        layer = pathlib.Path(scratch) / "layer.tar"
        with tarfile.open(layer, "w") as archive:
            archive.add(root, arcname=".", filter=owned_by_root)
        digest = hashlib.sha256(layer.read_bytes()).hexdigest()
        texts = {
            "config.json": {"architecture": "amd64", "os": "linux", "config": config,
                            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}},
            "manifest.json": [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}],
        }
        with tarfile.open(out, "w") as archive:
            archive.add(layer, arcname="layer.tar")
            for file, value in texts.items():
                path = pathlib.Path(scratch) / file
                path.write_text(json.dumps(value))
                archive.add(path, arcname=file)


def owned_by_root(info):
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    return info


def write_stage(stage, build, scratch, out):
    root = scratch / stage
    copy_packages(root, with_dependencies(BASE + packages_of(stage)))
    run("cmake", "--install", str(build), "--strip", "--prefix", "/usr", "--component", stage,
        env={"DESTDIR": str(root), "PATH": os.environ["PATH"]})
    for plugin in re.findall(r"/usr/lib/cni/(portmap|loopback)\b", (ROOT / "manifests/image/Dockerfile").read_text()):
        source = pathlib.Path("/usr/lib/cni") / plugin
        if stage == "node" and source.exists():
            shutil.copy2(source, root / "usr/lib/cni" / plugin)
    text = stage_of_dockerfile(stage)
    version = re.search(rf"image: \"?(margay/{stage}:[^\s\"]+)", (ROOT / "manifests/base/margay.yaml").read_text()).group(1)
    user = re.search(r"(?m)^USER (\S+)", text)
    entry = json.loads(re.search(r"(?m)^ENTRYPOINT (.*)$", text).group(1))
    write_image(root, f"docker.io/{version}", {"Entrypoint": entry, **({"User": user.group(1)} if user else {})}, out)


def write_busybox(scratch, out):
    root = scratch / "busybox"
    (root / "bin").mkdir(parents=True)
    shutil.copy2(shutil.which("busybox"), root / "bin/busybox")
    for applet in ["httpd", "nc", "sh", "sleep", "wget", "cat"]:
        (root / "bin" / applet).symlink_to("busybox")
    (root / "www").mkdir()
    (root / "www/index.html").write_text("reached\n")
    write_image(root, "docker.io/margay/busybox:test", {"Cmd": ["/bin/sleep", "1000000"], "Env": ["PATH=/bin"]}, out)


def main():
    build, folder = map(pathlib.Path, sys.argv[1:])
    with tempfile.TemporaryDirectory() as scratch:
        for stage in ["node", "controllers"]:
            write_stage(stage, build, pathlib.Path(scratch), folder / f"{stage}.tar")
        write_busybox(pathlib.Path(scratch), folder / "busybox.tar")


if __name__ == "__main__":
    main()
