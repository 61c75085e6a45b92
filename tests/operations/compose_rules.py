"""What must hold of the compose file beyond its schema; each rule returns the sentences that say what does not."""

import re
from pathlib import Path
from typing import Any

from backend.commands.serving import API_COMMAND, MIGRATE_COMMAND, WORKER_COMMAND
from backend.settings import VARIABLES

#: Service → the command line that ``serve`` and the tests run too.
OURS = {"api": API_COMMAND, "worker": WORKER_COMMAND, "migrate": MIGRATE_COMMAND}
#: Variables of the official images.
IMAGE_VARIABLES = {"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "POSTGRES_INITDB_ARGS"}
SECRET = re.compile(r"PASSWORD|SECRET")

Services = dict[str, dict[str, Any]]


def broken_rules(compose: dict[str, Any], root: Path) -> list[str]:
    """All that is wrong with the file."""
    services: Services = compose["services"]
    found = [*commands(services), *dependencies(services), *health(services), *environments(services)]
    return [*found, *mounts(compose, root), *hardening(services), *publishing(compose)]


def commands(services: Services) -> list[str]:
    wanted = {name: ["python", "-m", *command] for name, command in OURS.items()}
    return [f"{n}: not the command that CI runs" for n, c in wanted.items() if services[n]["command"] != c]


def dependencies(services: Services) -> list[str]:
    found = []
    for name, service in services.items():
        for target, how in service.get("depends_on", {}).items():
            if target not in services:
                found.append(f"{name}: waits for {target}, which is not there")
            elif how["condition"] == "service_healthy" and "healthcheck" not in services[target]:
                found.append(f"{name}: waits for the health of {target}, which has no check")
            elif how["condition"] == "service_completed_successfully" and services[target].get("restart") != "no":
                found.append(f"{name}: waits for the end of {target}, which is started again")
            elif name == "nginx" and not how.get("restart"):
                found.append(f"{name}: goes on asking for {target} where it was before it was made anew")
    return found


def health(services: Services) -> list[str]:
    lasting = (name for name, service in services.items() if service.get("restart") != "no")
    return [f"{name}: nobody looks whether it is well" for name in lasting if "healthcheck" not in services[name]]


def environments(services: Services) -> list[str]:
    found = []
    for name, service in services.items():
        known = set(VARIABLES) if name in OURS else IMAGE_VARIABLES
        for variable, value in service.get("environment", {}).items():
            if variable not in known:
                found.append(f"{name}: nobody reads {variable}")
            for used in re.findall(r"\$\{(\w+)([^}]*)\}", str(value)):
                if SECRET.search(used[0]) and not used[1].startswith(":?"):
                    found.append(f"{name}: {used[0]} must be demanded, not defaulted")
            if SECRET.search(variable) and "${" not in str(value):
                found.append(f"{name}: {variable} is written into the file")
    return found


def mounts(compose: dict[str, Any], root: Path) -> list[str]:
    found = []
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                if not (root / source).exists():
                    found.append(f"{name}: {source} does not exist")
            elif source not in compose["volumes"]:
                found.append(f"{name}: volume {source} is not declared")
        found += [f"{name}: network {n} is not declared" for n in service["networks"] if n not in compose["networks"]]
    return found


def hardening(services: Services) -> list[str]:
    found = []
    for name, service in services.items():
        if "no-new-privileges:true" not in service.get("security_opt", []):
            found.append(f"{name}: may gain privileges")
        if name != "postgres" and (not service.get("read_only") or service.get("cap_drop") != ["ALL"]):
            found.append(f"{name}: writable root or capabilities")
        if "build" not in service and not re.fullmatch(r"[\w./-]+:\d[\w.-]*", service["image"]):
            found.append(f"{name}: image without a version")
    return found


def publishing(compose: dict[str, Any]) -> list[str]:
    ports = {name: s["ports"] for name, s in compose["services"].items() if s.get("ports")}
    if ports != {"nginx": ["${PUBLISH:-127.0.0.1:8080}:8080"]}:
        return ["only nginx is published, on this machine only"]
    return [] if compose["networks"]["back"].get("internal") else ["the inner network reaches out"]
