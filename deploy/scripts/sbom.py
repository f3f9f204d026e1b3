"""Lists what the binary is made of, as CycloneDX 1.6 in JSON: `make sbom`. https://cyclonedx.org/docs/1.6/json/

From `cargo metadata` and Cargo.lock alone, so the same commit makes the same file. What is compiled into the binary or runs while it is
built is in; what only tests and the demo use is not. The C code of SQLite and zstd is inside of the crates libsqlite3-sys and zstd-sys.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tomllib
import uuid
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def output_of(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def reachable(start, nodes):
    """What `start` needs, itself included; not what only its tests need."""
    found, waiting = {}, [start]
    while waiting:
        here = waiting.pop()
        if here not in found:
            needs = [
                dep["pkg"]
                for dep in nodes[here]["deps"]
                if any(kind["kind"] in (None, "build") for kind in dep["dep_kinds"])
            ]
            found[here] = needs
            waiting += needs
    return found


def component(package, checksums, kind):
    made = {
        "type": kind,
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
        "scope": "required",
    }
    if package.get("description"):
        made["description"] = re.sub(r"\s+", " ", package["description"]).strip()
    if package.get("license"):
        # Cargo once wrote OR as a slash.
        made["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if checksum := checksums.get((package["name"], package["version"])):
        made["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package.get("repository"):
        made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", required=True, help="for which machine the binary is")
    parser.add_argument("--out", required=True, type=Path)
    arguments = parser.parse_args()

    metadata = json.loads(
        output_of(
            "cargo",
            "metadata",
            "--locked",
            "--format-version=1",
            "--no-default-features",
            f"--filter-platform={arguments.target}",
        )
    )
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    checksums = {
        (package["name"], package["version"]): package["checksum"]
        for package in lock["package"]
        if "checksum" in package
    }
    start = next(id for id in metadata["workspace_members"] if packages[id]["name"] == "eventide")
    needs = reachable(start, nodes)
    order = sorted(needs, key=lambda id: purl(packages[id]))

    commit = os.environ.get("EVENTIDE_COMMIT") or output_of("git", "rev-parse", "--short=12", "HEAD").strip()
    time = int(os.environ.get("SOURCE_DATE_EPOCH") or output_of("git", "log", "-1", "--format=%ct"))
    subject = component(packages[start], checksums, "application")
    subject["properties"] = [
        {"name": "eventide:commit", "value": commit},
        {"name": "eventide:target", "value": arguments.target},
    ]
    bom = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, f"{purl(packages[start])} {commit} {arguments.target}").urn,
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": subject,
        },
        "components": [component(packages[id], checksums, "library") for id in order if id != start],
        "dependencies": [
            {"ref": purl(packages[id]), "dependsOn": sorted({purl(packages[need]) for need in needs[id]})}
            for id in order
        ],
    }
    without = [part["name"] for part in bom["components"] if "licenses" not in part]
    if without:
        sys.exit(f"without a licence: {', '.join(without)}")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(bom, indent=1, ensure_ascii=False) + "\n")
    print(f"{arguments.out}: {len(bom['components'])} components")


if __name__ == "__main__":
    main()
