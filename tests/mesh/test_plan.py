"""What is put into a cluster, in order; and taken out again from a record of it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pytest_ambient.errors import InstallerError, Misuse
from pytest_ambient.mesh import addons, gateway_api
from pytest_ambient.mesh.installer import NONE, MeshSpec, Target
from pytest_ambient.mesh.plan import Installation, plan
from pytest_ambient.steps import Group, Step
from pytest_ambient.testing import FakeInstaller, fake_installer

TARGET = Target(Path("config"), "c", owned=False, run="r1-mesh")
SPEC = MeshSpec("1.30.3", Path("folder"), release=Path("release"), hub="mirror.example/istio")


def named(name: str) -> Step:
    """A step that does nothing."""
    return Step(name, lambda: None)


@pytest.fixture
def done() -> list[str]:
    """What was taken out, in order."""
    return []


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: list[str]) -> Iterator[FakeInstaller]:
    """An installer that does nothing, between a Gateway API and addons that do nothing."""

    def steps(target: Target, spec: MeshSpec, names: Sequence[str]) -> Sequence[Group]:
        return [[named(f"addon {name}") for name in names]]

    monkeypatch.setattr(gateway_api, "steps", lambda target, spec: [named("gateway-api")])
    monkeypatch.setattr(gateway_api, "uninstall", lambda target, spec: done.append("gateway-api"))
    monkeypatch.setattr(addons, "steps", steps)
    monkeypatch.setattr(addons, "uninstall", lambda target, spec, names: done.append(f"addons {' '.join(names)}"))
    with fake_installer(tmp_path / "diary") as one:
        yield one


def names(groups: Sequence[Group]) -> list[list[str]]:
    """The steps by name."""
    return [[step.name for step in group] for group in groups]


def test_the_gateway_api_comes_first_and_addons_last(fake: FakeInstaller) -> None:
    """Nothing is done by planning it."""
    groups = plan(fake, TARGET, SPEC, ("kiali", "prometheus"))
    assert names(groups) == [
        ["gateway-api"],
        ["control-plane"],
        ["agents", "proxies"],
        ["addon kiali", "addon prometheus"],
    ]
    assert names(plan(None, TARGET, SPEC, ("kiali",))) == [["addon kiali"]]
    assert names(plan(None, TARGET, SPEC, ())) == []
    assert fake.asked() == []


def test_what_needs_nothing_goes_beside_the_first_steps(fake: FakeInstaller) -> None:
    """Images are brought in while the API is made ready."""
    groups = Installation("fake", SPEC).groups(TARGET, [named("images")])
    assert names(groups) == [["gateway-api", "images"], ["control-plane"], ["agents", "proxies"]]
    assert names(Installation(NONE, SPEC, ("kiali",)).groups(TARGET)) == [["addon kiali"]]


def test_it_is_taken_out_in_reverse(fake: FakeInstaller, done: list[str]) -> None:
    """Addons, mesh, Gateway API; each part only where it was put in."""
    Installation("fake", SPEC, ("kiali",)).uninstall(TARGET)
    assert (done, fake.asked()) == (["addons kiali", "gateway-api"], ["uninstall r1-mesh"])
    done.clear()
    Installation(NONE, SPEC, ("kiali",)).uninstall(TARGET)
    assert done == ["addons kiali"]


def test_what_cannot_be_taken_out_keeps_nothing_else_in(
    fake: FakeInstaller, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first failure is told, when all has been tried."""

    def broken(target: Target, spec: MeshSpec) -> None:
        raise InstallerError("istiod does not go")

    monkeypatch.setattr(fake, "uninstall", broken)
    with pytest.raises(InstallerError, match=r"^istiod does not go$"):
        Installation("fake", SPEC, ("kiali",)).uninstall(TARGET)
    assert done == ["addons kiali", "gateway-api"]


def test_a_record_reads_as_what_was_written() -> None:
    """Another process takes out by it what this one put in."""
    one = Installation("helm", SPEC, ("kiali", "prometheus"))
    assert Installation.from_json(one.to_json()) == one
    assert Installation.from_json(Installation("helm", MeshSpec("1.30.3", Path("x"))).to_json()).spec.release is None
    for damaged in ({}, {**one.to_json(), "spec": {"colour": "blue", "folder": "x"}}):
        with pytest.raises(InstallerError, match=r"^the record of what was installed cannot be read: "):
            Installation.from_json(damaged)


WORDS = {
    "Istio 1.30.3 (helm)": Installation("helm", SPEC),
    "Istio 1.30.3 with kmesh (helm), kiali": Installation("helm", MeshSpec("1.30.3", Path("x"), "kmesh"), ("kiali",)),
    "kiali, prometheus": Installation(NONE, SPEC, ("kiali", "prometheus")),
}


@pytest.mark.parametrize(("words", "one"), WORDS.items(), ids=WORDS)
def test_it_has_a_name_for_a_line(words: str, one: Installation) -> None:
    """Of what people know it by."""
    assert one.words == words


def test_it_is_checked_before_anything_is_made(fake: FakeInstaller) -> None:
    """The installer's own refusal, an installer and an addon that nobody knows."""
    Installation("fake", SPEC, ("kiali",)).check()
    fake.refuses = "this Istio has no such charts"
    with pytest.raises(Misuse, match=r"^this Istio has no such charts$"):
        Installation("fake", SPEC).check()
    with pytest.raises(Misuse, match=r"^unknown installer 'helmet', known are argocd, fake, helm, .*, none$"):
        Installation("helmet", SPEC).check()
    with pytest.raises(Misuse, match=r"^unknown addon 'kialy', known are "):
        Installation(NONE, SPEC, ("kialy",)).check()
