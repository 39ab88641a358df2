"""Stands in for docker, kind, k3d and minikube: what they make is files, listed, used and removed as by the real ones.

They touch what the real ones touch, too: `k3d cluster delete` the kubeconfig that it takes for the user's, minikube its
home. Run as `pretend_tools.py STATE TOOL ARGUMENTS...`.
"""

import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

STATE = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # imported for its path alone, it has no arguments

INFO = {
    "ServerVersion": "28.5.1", "Architecture": "x86_64", "KernelVersion": "6.8.0", "CgroupVersion": "2",
    "DockerRootDir": "/",
}  # fmt: skip

CONTAINERD = """
version = 3
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["/var/lib/rancher/k3s/data/cni"]
  conf_dir = "/var/lib/rancher/k3s/agent/etc/cni/net.d"
"""


def say(text: str) -> None:
    """Answer with a line."""
    sys.stdout.write(f"{text}\n")


def fail(text: str) -> None:
    """End as a program that failed."""
    sys.stderr.write(f"{text}\n")
    sys.exit(1)


def option(words: list[str], name: str) -> str:
    """The value of `--name value` or `--name=value`; empty when it is not given."""
    for index, word in enumerate(words):
        if word == name:
            return words[index + 1]
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return ""


def things(kind: str) -> Path:
    """The folder of containers, volumes or networks: a file each, with its labels."""
    folder = STATE / kind
    folder.mkdir(exist_ok=True)
    return folder


def make(kind: str, name: str, *labels: str) -> None:
    """Make one; a container cannot be made twice."""
    path = things(kind) / name
    if path.exists():
        fail(f"{kind}: {name} is there already")
    path.write_text("\n".join(labels))


def having(kind: str, label: str) -> list[Path]:
    """Those that carry a label."""
    return [path for path in sorted(things(kind).iterdir()) if label in path.read_text().split("\n")]


def creating(*containers: tuple[str, str]) -> None:
    """Make containers one by one, and fail or hang after the first where that is asked for."""
    behaviour = (STATE / "behaviour").read_text()
    for name, label in containers:
        make("containers", name, label, "created_by.minikube.sigs.k8s.io=true" if "minikube" in label else "app=k3d")
        if behaviour == "hang":
            time.sleep(60)
        if behaviour == "fail":
            fail("ERRO[0003] Failed to create node: no space left on device")


def kubeconfig(context: str) -> str:
    """That of the cluster behind all of them, under another name."""
    return (STATE / "kubeconfig").read_text().replace("CONTEXT", context)


def docker(words: list[str]) -> None:
    """The verbs that are used."""
    verb = words[0]
    if verb == "--version":
        say("Docker version 28.5.1, build e180ab8")
    elif verb == "info":
        say(json.dumps(INFO))
    elif verb in ("ps", "volume", "network") and words[1] not in ("rm",):
        listed({"ps": "containers", "volume": "volumes", "network": "networks"}[verb], words)
    elif verb == "rm" or words[1] == "rm":
        kind = "containers" if verb == "rm" else f"{verb}s"
        for name in [word for word in words if not word.startswith("-")][1 if verb == "rm" else 2 :]:
            (things(kind) / name).unlink()
    elif words[:2] == ["image", "inspect"]:
        if words[-1] not in (STATE / "images").read_text().split():
            fail(f"Error response from daemon: No such image: {words[-1]}")
    elif verb == "save":
        Path(option(words, "--output")).write_text(words[-1])
    elif verb == "exec":
        say(CONTAINERD)
    elif verb == "start":
        say("\n".join(words[1:]))
    elif verb in ("logs", "inspect"):
        say(f"{verb} of {words[-1]}")
    else:
        fail(f"docker: unknown {words}")


def listed(kind: str, words: list[str]) -> None:
    """Names of those that pass all filters."""
    filters = [words[index + 1] for index, word in enumerate(words) if word == "--filter"]
    for path in sorted(things(kind).iterdir()):
        labels = path.read_text().split("\n")
        wanted = [one.partition("=")[::2] for one in filters]
        if all(value in labels if key == "label" else re.search(value, path.name) for key, value in wanted):
            say(path.name)


def k3d(words: list[str]) -> None:
    """The verbs that are used."""
    verb, name = " ".join(words[:2]), words[2] if len(words) > 2 else ""
    label = f"k3d.cluster={name}"
    if words == ["version"]:
        say("k3d version v5.9.0\nk3s version v1.35.5-k3s1 (default)")
    elif verb == "cluster create":
        if len(name) > 32:
            fail(f"FATA[0000] provided cluster name '{name}' does not match requirements")
        make("networks", f"k3d-{name}", "app=k3d")
        make("volumes", f"k3d-{name}-images", "app=k3d", label)
        agents = [f"agent-{number}" for number in range(int(option(words, "--agents")))]
        creating(*((f"k3d-{name}-{part}", label) for part in ("server-0", *agents, "serverlb")))
        if option(words, "--kubeconfig-update-default") != "false":
            users_kubeconfig(kubeconfig(f"k3d-{name}"))
    elif verb == "cluster delete":
        for path in having("containers", label):
            path.unlink()
            (things("volumes") / f"k3d-{name}-images").unlink(missing_ok=True)
            (things("networks") / f"k3d-{name}").unlink(missing_ok=True)
        users_kubeconfig("edited by k3d\n")
        Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config" / "k3d").mkdir(parents=True, exist_ok=True)
    elif verb == "kubeconfig get":
        say(f"---\n{kubeconfig(f'k3d-{name}')}")
    elif verb == "image import":
        imported(words[-1])
    elif verb == "node list":
        say("NAME ROLE CLUSTER STATUS")
    elif verb != "cluster start":
        fail(f"FATA[0000] unknown {words}")


def minikube(words: list[str]) -> None:
    """The verbs that are used."""
    name, verb = option(words, "--profile"), words[0]
    label = f"name.minikube.sigs.k8s.io={name}"
    if words == ["version", "--short"]:
        say("v1.38.1")
        return
    home = Path(os.environ.get("MINIKUBE_HOME") or Path.home()) / ".minikube"
    (home / "profiles" / name).mkdir(parents=True, exist_ok=True)
    if verb == "start":
        if not having("containers", label):
            make("networks", name, label, "created_by.minikube.sigs.k8s.io=true")
            more = [f"{name}-m{number:02}" for number in range(2, int(option(words, "--nodes")) + 1)]
            creating(*((node, label) for node in (name, *more)))
        users_kubeconfig(kubeconfig(name))
    elif verb == "delete":
        for path in [*having("containers", label), *having("networks", label)]:
            path.unlink()
    elif words[:2] == ["image", "load"]:
        imported(words[2])
    elif words[:2] == ["image", "ls"]:
        say((STATE / "imported").read_text())
    elif verb == "logs":
        Path(option(words, "--file")).write_text("minikube's logs\n")
    else:
        fail(f"X Exiting due to MK_USAGE: unknown {words}")


def kind(words: list[str]) -> None:
    """The verbs that are used."""
    verb, name = " ".join(words[:2]), option(words, "--name")
    label = f"io.x-k8s.kind.cluster={name}"
    if words == ["version"]:
        say("kind v0.31.0 go1.25.5 linux/amd64")
    elif verb == "get clusters":
        say("\n".join({line.rpartition("=")[2] for path in things("containers").iterdir() for line in lines(path)}))
    elif verb == "create cluster":
        workers = json.loads(Path(option(words, "--config")).read_text())["nodes"][1:]
        creating(
            *((f"{name}-{part}", label) for part in ("control-plane", *(f"worker{n}" for n, _ in enumerate(workers))))
        )
        Path(option(words, "--kubeconfig")).write_text(kubeconfig(f"kind-{name}"))
    elif verb == "delete cluster":
        for path in having("containers", label):
            path.unlink()
    elif verb == "export kubeconfig":
        Path(option(words, "--kubeconfig")).write_text(kubeconfig(f"kind-{name}"))
    elif verb == "export logs":
        folder = Path(words[2])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kind-version.txt").write_text("v0.31.0\n")
    elif words[0] == "load":
        imported(words[2])
    else:
        fail(f"ERROR: unknown {words}")


def lines(path: Path) -> list[str]:
    """The labels of kind in a container."""
    return [line for line in path.read_text().split("\n") if line.startswith("io.x-k8s.kind.cluster=")]


def imported(image: str) -> None:
    """Note what was brought to the nodes: an image or an archive that holds one."""
    path = Path(image)
    with (STATE / "imported").open("a") as file:
        file.write(f"docker.io/{path.read_text() if path.is_file() else image}\n")


def users_kubeconfig(text: str) -> None:
    """Write what this tool takes for the user's kubeconfig."""
    path = Path(os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


TOOLS: dict[str, Callable[[list[str]], None]] = {"docker": docker, "k3d": k3d, "kind": kind, "minikube": minikube}

if __name__ == "__main__":
    with (STATE / "calls").open("a") as calls:
        calls.write(json.dumps(sys.argv[2:]) + "\n")
    TOOLS[sys.argv[2]](sys.argv[3:])
