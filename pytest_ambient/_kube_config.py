"""What a kubeconfig says of a cluster, read by the Kubernetes client: where it is, and as whom it is asked."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from pytest_ambient._kube_rest import direct
from pytest_ambient.errors import BrokenEnvironment

CONNECTIONS = 16
"""So many are kept open for the threads of a run."""


def read(kubeconfig: Path | None, context: str | None) -> Any:
    """The client's configuration for one context; BrokenEnvironment in one line when it cannot be used."""
    import yaml
    from kubernetes import config
    from kubernetes.client import Configuration

    made = Configuration()
    path = str(kubeconfig) if kubeconfig else None
    where = f"kubeconfig {kubeconfig}" if kubeconfig else "the default kubeconfig"
    where += f", context {context}" if context else ""
    try:
        with _listening() as told:
            cast(Any, config).load_kube_config(config_file=path, context=context, client_configuration=made)
    except (config.ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BrokenEnvironment(f"{where}: {' '.join(str(error).split())}") from error
    if told and not (made.api_key or made.cert_file or made.username):
        raise BrokenEnvironment(f"{where}: no credentials: {'; '.join(told)}")
    if made.proxy and direct(str(made.host), getattr(made, "no_proxy", None) or ""):
        made.proxy = None
    return made


def connections(configuration: Any) -> Any:
    """The client's pool of connections to that cluster."""
    from kubernetes.client.rest import RESTClientObject

    configuration.connection_pool_maxsize = CONNECTIONS
    return RESTClientObject(configuration).pool_manager


@contextmanager
def _listening() -> Iterator[list[str]]:
    """What is logged as an error meanwhile, a line each: of a plugin that gives no credentials the client only logs."""
    told: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: told.append(" ".join(record.getMessage().split()))  # type: ignore[method-assign]  # all it does
    logging.getLogger().addHandler(handler)
    try:
        yield told
    finally:
        logging.getLogger().removeHandler(handler)
