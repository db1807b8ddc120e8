#!/usr/bin/env python3
"""sbom.py ARCH SUITE PACKAGES OUT: what the image is made of, as CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/).

Listed are the crates that the program links for ARCH, the Debian packages whose paths are in the file PACKAGES, and the
sources that those were built with statically. Reads SOURCE_DATE_EPOCH and VERSION; same inputs, same bytes.
"""

import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

# By Debian's name of the source; their copyright files are for people.
LICENCES = {
    "busybox": "GPL-2.0-only",
    "e2fsprogs": "GPL-2.0-only",
    "glibc": "LGPL-2.1-or-later",
    "grub2": "GPL-3.0-or-later",
    "libxcrypt": "LGPL-2.1-or-later",
    "linux": "GPL-2.0-only WITH Linux-syscall-note",
}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def component(kind, name, version, purl, licence=None, sha256=None):
    found = {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if sha256:
        found["hashes"] = [{"alg": "SHA-256", "content": sha256}]
    if licence:
        # Old crates write MIT/Apache-2.0 for "or".
        found["licenses"] = [{"expression": licence.replace("/", " OR ")}]
    return found


def crates(target):
    """The crates in the program: no build scripts, no macros, no tests."""
    tree = output("cargo", "tree", "--locked", "--package", "archivista", "--edges", "normal,no-proc-macro", "--target", target,
                  "--prefix", "none", "--format", "{p}\t{l}")
    sums = {(entry["name"], entry["version"]): entry.get("checksum") for entry in tomllib.loads(Path("Cargo.lock").read_text())["package"]}
    for line in sorted(set(tree.splitlines())):
        package, licence = line.removesuffix(" (*)").split("\t")
        name, version = package.split()[:2]
        version = version.removeprefix("v")
        # The tree's own crates have a path here.
        if " (/" not in package:
            yield component("library", name, version, f"pkg:cargo/{name}@{version}", licence.removesuffix(" (*)"), sums[name, version])


def debian(suite, listed):
    for path in sorted(listed.read_text().split()):
        fields = dict(re.findall(r"^([A-Za-z-]+): *(.*)$", output("dpkg-deb", "--field", path), re.MULTILINE))
        name, version = fields["Package"], fields["Version"]
        source = fields.get("Source", name).split()[0]
        query = f"?arch={fields['Architecture']}&distro={suite}"
        sha256 = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        licence = LICENCES.get("linux" if source.startswith("linux") else source.removesuffix("-signed"))
        yield component("operating-system" if source.startswith("linux") else "application", name, version,
                        f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}{query}", licence, sha256)
        built = ", ".join(filter(None, (fields.get("Built-Using"), fields.get("Static-Built-Using"))))
        for source, version in re.findall(r"([a-z0-9.+-]+) \(= ([^)]+)\)", built):
            yield component("library", source, version, f"pkg:deb/debian/{source}@{version.replace('+', '%2B').replace(':', '%3A')}?arch=source&distro={suite}",
                            LICENCES.get(source))


def main():
    arch, suite, listed, out = sys.argv[1:]
    version = os.environ["VERSION"]
    found = {part["bom-ref"]: part for part in [*crates(f"{arch}-unknown-linux-musl"), *debian(suite, Path(listed))]}
    parts = [found[ref] for ref in sorted(found)]
    program = component("application", "archivista", version, f"pkg:cargo/archivista@{version}", "Apache-2.0")
    time = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    identity = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([arch, version, time.isoformat(), parts]))
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{identity}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "firmware", "bom-ref": "box", "name": f"archivista-box-{arch}", "version": version},
        },
        "components": [program, *parts],
        "dependencies": [{"ref": "box", "dependsOn": [program["bom-ref"], *(part["bom-ref"] for part in parts if part["purl"].startswith("pkg:deb"))]},
                         {"ref": program["bom-ref"], "dependsOn": [part["bom-ref"] for part in parts if part["purl"].startswith("pkg:cargo")]}],
    }
    Path(out).write_text(json.dumps(bom, indent=1, ensure_ascii=False) + "\n")


main()
