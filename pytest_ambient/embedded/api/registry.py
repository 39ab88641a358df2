"""The kinds that are served now, with their schemas: those that ship with the cluster and those its users define."""

from collections.abc import Iterable, Iterator

from ..objects import Object
from . import schema
from .resources import RESOURCES, Resource


class Registry:
    """The kinds that are served now; custom ones come and go."""

    def __init__(self, resources: Iterable[Resource] = RESOURCES) -> None:
        self._kinds: dict[tuple[str, str], Resource] = {}
        self._paths: dict[tuple[str, str, str], Resource] = {}
        self._schemas: dict[tuple[str, str], Object] = {}
        self._columns: dict[tuple[str, str], list[Object]] = {}
        for each in resources:
            self.add(each)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._kinds.values())

    def add(self, resource: Resource, shape: Object | None = None, columns: list[Object] | None = None) -> None:
        """Serve a kind from now on; `shape` and `columns` are its schema and printed columns if no table has them."""
        self._kinds[resource.group, resource.kind] = resource
        for version in resource.versions:
            self._paths[resource.group, version, resource.plural] = resource
        if shape is not None:
            self._schemas[resource.key] = shape
        if columns is not None:
            self._columns[resource.key] = columns

    def remove(self, resource: Resource) -> None:
        """Serve a kind no more."""
        self._kinds.pop((resource.group, resource.kind), None)
        self._schemas.pop(resource.key, None)
        self._columns.pop(resource.key, None)
        for version in resource.versions:
            self._paths.pop((resource.group, version, resource.plural), None)

    def at(self, group: str, version: str, plural: str) -> Resource | None:
        """The kind served at that path, None when there is none."""
        return self._paths.get((group, version, plural))

    def of(self, group: str, kind: str) -> Resource | None:
        """The kind of that name, None when it is not served."""
        return self._kinds.get((group, kind))

    def schema(self, resource: Resource) -> Object:
        """What objects of that kind look like."""
        return self._schemas.get(resource.key) or schema.of(resource)

    def own(self, resource: Resource) -> Object | None:
        """The schema of a kind that a user defined, None for those of the tables."""
        return self._schemas.get(resource.key)

    def columns(self, resource: Resource) -> list[Object]:
        """The columns with which a custom kind is printed, as its definition has them."""
        known = self._columns.get(resource.key)
        return known if known is not None else schema.columns(resource)
