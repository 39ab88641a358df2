"""pytest-kind's KindCluster in a process of its own, told on standard input what to do.

It makes a folder where it works, has no deadline, and lets kind write on our terminal: in a child all that is
harmless. It would download programs that are not where it was told, so it is told where both are.
"""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias

Verb: TypeAlias = Literal["create", "delete", "load"]


@dataclass(frozen=True)
class Order:
    """What a KindCluster shall do."""

    verb: Verb
    name: str
    folder: str
    """Where it works; a folder `.pytest-kind` is made there."""
    kubeconfig: str
    kind: str
    """The program to run for kind."""
    image: str = ""
    """The node image to create with, or the image to load."""
    config: str = ""

    def to_json(self) -> str:
        """The line for standard input."""
        return json.dumps(asdict(self))


def main(line: str) -> int:
    """Do it; the exit code is that of kind, whose output is ours."""
    from pytest_kind import KindCluster

    order = Order(**json.loads(line))
    os.chdir(order.folder)
    # it only has to exist: none of the verbs below runs kubectl, and what does not exist is downloaded
    kubectl = Path(sys.executable)
    cluster = KindCluster(order.name, Path(order.kubeconfig), order.image or None, Path(order.kind), kubectl)
    try:
        if order.verb == "create":
            cluster.create(order.config)
        elif order.verb == "load":
            cluster.load_docker_image(order.image)
        else:
            cluster.delete()
    except Exception as error:  # kind itself has said why; only what is not kind's is told here
        status = getattr(error, "returncode", None)
        if status is None:
            sys.stderr.write(f"ERROR: pytest-kind: {error or type(error).__name__}\n")
        return int(status or 1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.read()))
