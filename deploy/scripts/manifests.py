"""Checks what is in deploy/ as far as that goes without an engine and a cluster: `make manifests`.

Renders every Kubernetes overlay and holds it against the schemas of the oldest and the newest Kubernetes that the package has and we
support; resolves the Compose file with Docker Compose itself; lets hadolint read the Dockerfile and systemd its units. Then what no
schema knows: names that refer to each other, what a pod may do, and the variables of the configuration, which must be keys of
config.example.toml. Every mistake is printed, and the exit code is 1 if there is one.
"""

import argparse
import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import kubernetes_validate
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PROGRAMS = Path(sys.executable).parent

# The oldest version that still gets fixes somewhere, and the newest of the package.
KUBERNETES = ["1.30", "1.37"]
# Of the Prometheus operator, which has no schemas in the package: looked at by eye.
WITHOUT_SCHEMA = {"ServiceMonitor", "PrometheusRule"}
# What `systemd-analyze security` says of a unit, in tenths: 0 is locked up, 100 may do everything.
EXPOSURE = 20

mistakes = []


def check(fine, text):
    """Notes a mistake unless `fine`, and says whether it was."""
    if not fine:
        mistakes.append(text)
    return fine


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def configuration_keys():
    """The variables that stand for a key of the configuration."""
    keys, section = set(), None
    for line in (ROOT / "config.example.toml").read_text().splitlines():
        if found := re.fullmatch(r"\[(\w+)\]", line):
            section = found[1]
        elif section and (found := re.match(r"#(\w+) = ", line)):
            keys.add(f"EVENTIDE__{section}__{found[1]}".upper())
    return keys


KEYS = configuration_keys()


def check_variables(names, where):
    for name in names:
        if name.startswith("EVENTIDE__"):
            check(name in KEYS, f"{where}: {name} is no key of config.example.toml")


# ---- Kubernetes


def pods(document):
    """The templates of pods in a document."""
    spec = document.get("spec", {})
    if document["kind"] == "CronJob":
        yield spec["jobTemplate"]["spec"]["template"]
    elif document["kind"] in {"Deployment", "StatefulSet", "Job", "DaemonSet"}:
        yield spec["template"]


def matches(selector, labels):
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def check_pod(template, names, where):
    """What a restricted namespace asks for, and what our own pods promise beyond that."""
    spec = template["spec"]
    context = spec.get("securityContext", {})
    check(context.get("runAsNonRoot") is True and context.get("runAsUser", 0) > 0, f"{where}: may run as root")
    check(
        context.get("seccompProfile", {}).get("type") == "RuntimeDefault", f"{where}: no seccomp profile"
    )
    check(spec.get("automountServiceAccountToken") is False, f"{where}: has a token for Kubernetes")
    volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
    for volume in volumes.values():
        if claim := volume.get("persistentVolumeClaim"):
            check(
                ("PersistentVolumeClaim", claim["claimName"]) in names, f"{where}: no claim {claim['claimName']}"
            )
        if config := volume.get("configMap"):
            check(("ConfigMap", config["name"]) in names, f"{where}: no ConfigMap {config['name']}")
    check(("ServiceAccount", spec.get("serviceAccountName")) in names, f"{where}: no such ServiceAccount")
    for container in spec.get("initContainers", []) + spec["containers"]:
        place = f"{where}, {container['name']}"
        security = container.get("securityContext", {})
        check(security.get("allowPrivilegeEscalation") is False, f"{place}: may gain privileges")
        check(security.get("readOnlyRootFilesystem") is True, f"{place}: may write to its image")
        check(security.get("capabilities", {}).get("drop") == ["ALL"], f"{place}: keeps capabilities")
        limits = container.get("resources", {}).get("limits", {})
        check("memory" in limits, f"{place}: no limit of memory")
        ports = {port["name"] for port in container.get("ports", [])}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            port = container.get(probe, {}).get("httpGet", {}).get("port")
            check(port is None or port in ports, f"{place}: {probe} asks a port {port} that is not there")
        mounted = {}
        for mount in container.get("volumeMounts", []):
            known = mount["name"] in volumes or mount["name"] in template.get("claims", [])
            if check(known, f"{place}: mounts {mount['name']}, which is no volume"):
                mounted[mount["mountPath"]] = volumes.get(mount["name"], {})
        variables = {variable["name"]: variable.get("value") for variable in container.get("env", [])}
        check_variables(variables, place)
        for name, value in variables.items():
            if name.endswith("_FILE") and value.startswith("/run/secrets"):
                path = Path(value)
                secret = mounted.get(str(path.parent), {}).get("secret", {})
                items = [item["path"] for item in secret.get("items", [])]
                check(secret and (not items or path.name in items), f"{place}: {name} is not mounted")
        command = container.get("command", [])
        if "eventide" in container["image"]:
            check(not command, f"{place}: replaces the image's entry point, and with it process 1")


def check_kubernetes(directory):
    rendered = run(PROGRAMS / "kubectl", "kustomize", directory)
    name = directory.relative_to(ROOT)
    if not check(rendered.returncode == 0, f"{name}: {rendered.stderr.strip()}"):
        return
    documents = [document for document in yaml.safe_load_all(rendered.stdout) if document]
    names = {(document["kind"], document["metadata"]["name"]) for document in documents}
    skipped = set()
    templates = []
    for document in documents:
        where = f"{name}: {document['kind']} {document['metadata']['name']}"
        if document["kind"] in WITHOUT_SCHEMA:
            skipped.add(document["kind"])
        else:
            for version in KUBERNETES:
                try:
                    kubernetes_validate.validate(document, version, strict=True)
                except kubernetes_validate.ValidationError as error:
                    path = ".".join(str(part) for part in error.path)
                    check(False, f"{where}: {path}: {error.message} (Kubernetes {version})")
                except Exception as error:  # noqa: BLE001 - a kind that the package does not know, for one
                    check(False, f"{where}: {type(error).__name__} {error} (Kubernetes {version})")
        check(document["kind"] != "Secret", f"{where}: a secret in a file")
        for template in pods(document):
            claims = document["spec"].get("volumeClaimTemplates", [])
            template["claims"] = [claim["metadata"]["name"] for claim in claims]
            check_pod(template, names, where)
            templates.append(template)
            if selector := document["spec"].get("selector"):
                check(matches(selector, template["metadata"]["labels"]), f"{where}: does not select its own pods")
    for document in documents:
        where = f"{name}: {document['kind']} {document['metadata']['name']}"
        spec = document.get("spec", {})
        selectors = {
            "Service": {"matchLabels": spec.get("selector", {})},
            "PodDisruptionBudget": spec.get("selector", {}),
            "NetworkPolicy": spec.get("podSelector", {}),
        }
        if selector := selectors.get(document["kind"]):
            selected = [template for template in templates if matches(selector, template["metadata"]["labels"])]
            check(selected, f"{where}: selects no pod")
            ports = {
                port["name"]
                for template in selected
                for container in template["spec"]["containers"]
                for port in container.get("ports", [])
            }
            for port in spec.get("ports", []) if document["kind"] == "Service" else []:
                check(port["targetPort"] in ports, f"{where}: no pod has a port {port['targetPort']}")
    without = f"; no schema for {', '.join(sorted(skipped))}" if skipped else ""
    print(f"{name}: {len(documents)} objects, Kubernetes {' and '.join(KUBERNETES)}{without}")


def check_rules(bless):
    """The rules of the Prometheus operator are those of the file that everybody else reads."""
    source = DEPLOY / "prometheus" / "alerts.yml"
    made = DEPLOY / "kubernetes" / "monitoring" / "prometheus-rule.yaml"
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "eventide"},
        "spec": {"groups": yaml.safe_load(source.read_text())["groups"]},
    }
    head = "# Written by `make manifests BLESS=1` from ../../prometheus/alerts.yml; change that.\n"
    text = head + yaml.safe_dump(rule, sort_keys=False, allow_unicode=True, width=120)
    if bless:
        made.write_text(text)
    check(
        made.exists() and made.read_text() == text,
        f"{made.relative_to(ROOT)} is not what alerts.yml makes: make manifests BLESS=1",
    )
    listed = yaml.safe_load((made.parent / "kustomization.yaml").read_text())["resources"]
    check(made.name in listed, f"{made.relative_to(ROOT)} is not listed in its kustomization.yaml")


# ---- Compose


def compose_program():
    """This machine's Compose, or else the one of the package."""
    if shutil.which("docker") and run("docker", "compose", "version").returncode == 0:
        return ["docker", "compose"]
    return [PROGRAMS / "docker-compose"]


def check_compose(path):
    name = path.relative_to(ROOT)
    # Compose wants the files of env_file and secrets only when it starts something.
    resolved = run(*compose_program(), "--file", path, "config", "--format", "json")
    said = resolved.stderr.strip()
    if not check(resolved.returncode == 0, f"{name}: {said}"):
        return
    check(not said, f"{name}: {said}")
    compose = json.loads(resolved.stdout)
    for service, spec in compose["services"].items():
        where = f"{name}: {service}"
        check_variables(spec.get("environment", {}), where)
        check("container_name" not in spec, f"{where}: has a name, so --scale cannot work")
        check(spec.get("read_only") is True, f"{where}: may write to its image")
        check(spec.get("cap_drop") == ["ALL"] and not spec.get("cap_add"), f"{where}: keeps capabilities")
        check("no-new-privileges:true" in spec.get("security_opt", []), f"{where}: may gain privileges")
        limits = spec.get("deploy", {}).get("resources", {}).get("limits", {})
        check("memory" in limits, f"{where}: no limit of memory")
        for port in spec.get("ports", []):
            fine = service == "grafana" and port.get("host_ip") == "127.0.0.1"
            check(fine, f"{where}: port {port['published']} is open to other machines")
        for volume in spec.get("volumes", []):
            if volume["type"] == "bind":
                check(Path(volume["source"]).exists(), f"{where}: {volume['source']} is not there")
        secrets = {secret["source"] for secret in spec.get("secrets", [])}
        for key, value in spec.get("environment", {}).items():
            if (value or "").startswith("/run/secrets/"):
                check(Path(value).name in secrets, f"{where}: {key} is not among its secrets")
    print(f"{name}: {len(compose['services'])} services")


def check_prometheus(path):
    name = path.relative_to(ROOT)
    result = run("promtool", "check", "config", path)
    check(result.returncode == 0, f"{name}: {result.stdout}{result.stderr}")
    print(f"{name}: promtool has read it")


# ---- Docker, systemd


def check_dockerfile(path):
    name = path.relative_to(ROOT)
    result = run(PROGRAMS / "hadolint", "--no-color", path)
    check(result.returncode == 0, f"{name}: {result.stdout}{result.stderr}")
    text = path.read_text()
    check_variables(re.findall(r"\bEVENTIDE__\w+", text), name)
    for kind in ("ENTRYPOINT", "CMD"):
        for rest in re.findall(rf"^{kind} (.*)", text, re.MULTILINE):
            check(rest.startswith("["), f"{name}: {kind} by a shell, which SIGTERM would reach instead of the bot")
    stages = re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]
    for stage in stages:
        if re.match(r"\S+ AS (bot|backup)", stage):
            check(re.search(r"^USER [1-9]\d*:", stage, re.MULTILINE), f"{name}: a stage runs as root")
    for build in re.findall(r"cargo build .*", text):
        check("--no-default-features" in build, f"{name}: a server's binary is built without the demo: {build}")
    print(f"{name}: {len(stages)} stages")


def check_units(directory):
    units = sorted(directory.iterdir())
    for unit in units:
        check_variables(re.findall(r"\bEVENTIDE__\w+", unit.read_text()), unit.relative_to(ROOT))
    with tempfile.TemporaryDirectory() as place:
        copies = []
        for unit in units:
            # An instance for the template; and a program that is there.
            name = unit.name.replace("@.", "@9464.")
            text = unit.read_text().replace("/usr/local/bin/eventide", "/bin/true")
            (Path(place) / name).write_text(text)
            copies.append(name)
        result = run("systemd-analyze", "verify", "--man=no", *copies, cwd=place, env={"SYSTEMD_UNIT_PATH": f"{place}:"})
        about = [line for line in result.stderr.splitlines() if any(copy in line for copy in copies)]
        check(not about and result.returncode == 0, "\n".join(about) or result.stderr)
        for copy in copies:
            if copy.endswith(".service"):
                judged = run(
                    "systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager",
                    str(Path(place) / copy),
                )
                found = re.search(r"exposure level for \S+ ([\d.]+)", judged.stdout)
                check(judged.returncode == 0, f"{copy}: {judged.stdout[-300:]}{judged.stderr}")
                print(f"deploy/systemd/{copy}: exposure {found[1] if found else '?'} of 10")
    # The template is the unit with a port: what they may do must not drift apart.
    sandbox = {}
    for name in ("eventide.service", "eventide@.service", "eventide-backup.service"):
        text = (directory / name).read_text()
        sandbox[name] = re.search(r"^# What it may not do.*?\n(.*?)(?=\n\n|\Z)", text, re.MULTILINE | re.DOTALL)[1].strip()
    check(len(set(sandbox.values())) == 1, "deploy/systemd: what the services may not do differs between them")


def check_secrets(script):
    """What secrets.sh says to a token that is none, at a terminal and from a pipe: never nothing."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "deploy" / "scripts" / script.name
        copy.parent.mkdir(parents=True)
        shutil.copy(script, copy)
        for given, said in [(b"\x04", "nothing was given"), (b"\n", "nothing was given"), (b"abc\n", "that is no token")]:
            process, terminal = pty.fork()
            if process == 0:
                os.execvp("sh", ["sh", str(copy)])
            text = b""
            while b"not shown: " not in text:
                text += os.read(terminal, 1024)
            os.write(terminal, given)
            # Linux ends a terminal without a reader with an error.
            with contextlib.suppress(OSError):
                while part := os.read(terminal, 1024):
                    text += part
            os.close(terminal)
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            check(code == 1 and said in text.decode(), f"{script.name} given {given}: exit code {code}, {text.decode()}")
        for given, code in [("", 1), ("abc", 1), ("a.b.c", 0)]:
            result = run("sh", str(copy), input=given)
            check(result.returncode == code and result.stdout + result.stderr, f"{script.name} from {given!r}: {result}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bless", action="store_true", help="write prometheus-rule.yaml from alerts.yml")
    arguments = parser.parse_args()
    check_rules(arguments.bless)
    kubernetes = DEPLOY / "kubernetes"
    for directory in [*sorted((kubernetes / "overlays").iterdir()), kubernetes / "monitoring"]:
        check_kubernetes(directory)
    check_compose(DEPLOY / "compose.yaml")
    check_prometheus(DEPLOY / "prometheus" / "compose.yml")
    check_dockerfile(DEPLOY / "Dockerfile")
    check_units(DEPLOY / "systemd")
    check_secrets(DEPLOY / "scripts" / "secrets.sh")
    for mistake in mistakes:
        print(f"WRONG {mistake}", file=sys.stderr)
    print(f"{len(mistakes)} mistakes")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
