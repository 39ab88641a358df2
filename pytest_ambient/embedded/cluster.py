"""The whole embedded cluster put together: what starts after what, and what ends before what."""

import asyncio
import gc
import json
import os
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from . import front_door, seed
from .addresses import Addresses
from .alias import short
from .api import kubeconfig, pki
from .api.server import ApiServer
from .api.store import Store
from .controllers.controllers import Controllers
from .dataplane.plane import DataPlane
from .faults import Fault
from .istiod.istiod import Istiod
from .istiod.validate import warnings
from .kubelet.kubelet import LocalKubelet
from .kubelet.machine import Machine
from .process import Processes

READY = "ready.json"
PROXY_CONTAINER = "istio-proxy"
_YOUNG = 10_000
"""So many objects more than there were, and cycles among the young ones are looked for; Python's own number is 700."""


@dataclass(frozen=True)
class Plan:
    """What cluster is wanted."""

    state: Path
    name: str
    nodes: int = 2
    faults: frozenset[Fault] = frozenset()


async def serve(plan: Plan, ended: asyncio.Event) -> None:
    """Run the cluster until `ended` is set; its state folder holds `ready.json` once everything answers."""
    began = time.monotonic()
    async with AsyncExitStack() as undo:
        state = undo.enter_context(short(plan.state))
        url, context = await _start(replace(plan, state=state), undo)
        _settle()
        ready = {
            "name": plan.name,
            "kubeconfig": str(plan.state / "kubeconfig"),
            "context": context,
            "pid": os.getpid(),
            "api": url,
            "started_seconds": round(time.monotonic() - began, 3),
        }
        written = plan.state / f"{READY}.new"
        written.write_text(json.dumps(ready))
        written.replace(plan.state / READY)
        await ended.wait()
        (plan.state / READY).unlink(missing_ok=True)


def _settle() -> None:
    """Look for garbage less often: what is here by now stays, and little of what comes is in cycles."""
    gc.freeze()
    gc.set_threshold(_YOUNG)


async def _start(plan: Plan, undo: AsyncExitStack) -> tuple[str, str]:
    processes, store = Processes(), Store()
    undo.push_async_callback(processes.stop)
    addresses = Addresses.claim()
    undo.callback(addresses.close)
    credentials = pki.create(plan.state / "pki")
    kubelet: LocalKubelet
    istiod: Istiod

    def log(namespace: str, pod: str, line: str) -> None:
        kubelet.append_log(namespace, pod, PROXY_CONTAINER, line)

    plane = DataPlane(plan.state, processes, log, plan.faults)
    undo.push_async_callback(plane.stop)
    hosts = {name: addresses.node(number) for number, name in enumerate(seed.node_names(plan.nodes))}
    controllers = Controllers(
        store,
        addresses,
        certificates=_certificates(credentials, plane),
        proxy_image=seed.PROXY,
        faults=plan.faults,
        away=lambda: istiod.presence.away(),
    )
    undo.callback(controllers.stop)
    machine = Machine.of(
        store, plan.state, processes, addresses, plane,
        hosts=hosts, emit=controllers.emit, capture=controllers.capture, faults=plan.faults,
    )  # fmt: skip
    kubelet = LocalKubelet(machine)
    undo.push_async_callback(kubelet.stop)
    server = ApiServer(
        store, kubelet, credentials, version=seed.KUBERNETES, faults=plan.faults, warn=warnings
    )  # fmt: skip
    istiod = Istiod(store, plane, kubelet.sockets, faults=plan.faults, at=addresses.hosts.of)
    seed.cluster(store, list(hosts.items()), plan.faults)
    await plane.start()
    await istiod.start()
    undo.push_async_callback(istiod.stop)
    await asyncio.sleep(0)  # one turn, in which the namespaces get their service accounts
    seed.istio(store)
    url = await server.start()
    undo.push_async_callback(server.stop)
    front_door.announce(store, url)
    context = f"ambient-{plan.name}"
    kubeconfig.write(plan.state / "kubeconfig", name=context, url=url, credentials=credentials)
    return url, context


def _certificates(credentials: pki.Credentials, plane: DataPlane) -> dict[str, dict[str, str]]:
    return {
        "kube-root-ca.crt": {"ca.crt": credentials.authority.decode()},
        "istio-ca-root-cert": {"root-cert.pem": plane.root_certificate},
    }
