"""What the console script says of itself, and of words that it does not know."""

import pytest

from pytest_ambient.cli import VERBS, main
from pytest_ambient.commands import matrix


def helped(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The help, on one line."""
    with pytest.raises(SystemExit) as caught:
        main([*words, "--help"])
    assert caught.value.code == 0
    return " ".join(capsys.readouterr().out.replace("-\n", "-").split())


def test_the_script_says_what_it_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    """In words for who uses it, not for who reads its code."""
    text = helped(capsys)
    assert (
        "What is done beside pytest: clusters made to stay and removed, machines and reports looked at. positional"
    ) in text
    assert text.endswith(
        "Every --ambient-NAME can also be said as $AMBIENT_NAME. pytest-ambient VERB --help tells the rest."
    )


TOLD = {
    "up-cluster": ("up", "provider of the cluster to bring up: embedded, kind, k3d, minikube or another's name"),
    "up-name": ("up", "--ambient-name NAME name of the cluster (bench)"),
    "up-installer": ("up", "what puts the mesh in: an installer's name, or none (istioctl) "),
    "up-version": ("up", "Istio version to install (newest known) "),
    "down-name": (
        "down",
        "name that `pytest-ambient up` gave the cluster (bench), or that of a run whose mesh was kept",
    ),
    "open-name": ("open", "name that `pytest-ambient up` gave the cluster (bench) "),
    "open-kubeconfig": ("open", "kubeconfig of another cluster ($KUBECONFIG or ~/.kube/config with --ambient-context)"),
    "open-namespace": ("open", "namespace of Bookinfo (the one there is)"),
    "doctor-name": ("doctor", "name that a cluster would get (bench)"),
    "doctor-cluster": ("doctor", "(only this machine is looked at)"),
    "images-version": ("images", "Istio version of the run (that of --ambient-istio-dir, or the newest known)"),
}


@pytest.mark.parametrize(("verb", "text"), TOLD.values(), ids=TOLD)
def test_an_option_says_what_it_means_to_its_verb(verb: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With what happens without it; what a run does is no news to who brings a cluster up to stay."""
    found = helped(capsys, verb)
    assert text in found
    assert "one of its own per run" not in found
    assert "ambient tests skip" not in found


def test_up_does_not_offer_what_is_up_already(capsys: pytest.CaptureFixture[str]) -> None:
    """It is refused with that reason."""
    assert "existing" not in helped(capsys, "up")
    assert main(["up", "--ambient-cluster=existing"]) == 2
    assert capsys.readouterr().err == (
        "pytest-ambient: up: give --ambient-cluster=embedded, kind, k3d or minikube, existing is up already\n"
    )
    assert main(["up"]) == 2
    assert capsys.readouterr().err == "pytest-ambient: up: give --ambient-cluster=embedded, kind, k3d or minikube\n"


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("open", "report")])
def test_what_a_verb_does_not_know_is_told_with_its_usage(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2."""
    with pytest.raises(SystemExit) as caught:
        main([verb, "--ambient-keep=always"])
    assert caught.value.code == 2
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first.startswith(f"usage: pytest-ambient {verb} [-h]")
    assert last == f"pytest-ambient {verb}: error: unrecognized arguments: --ambient-keep=always"


def test_doctor_refuses_a_wrong_question_before_any_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, exit 2."""
    for words, text in (
        (["--ambient-cluster=nope"], "unknown cluster 'nope', known are embedded, existing, k3d, kind, minikube"),
        (
            ["--ambient-cluster=existing", "--ambient-kubeconfig=/nope"],
            "--ambient-kubeconfig: /nope cannot be read: No such file or directory",
        ),
    ):
        assert main(["doctor", *words]) == 2
        printed = capsys.readouterr()
        assert (printed.out, printed.err) == ("", f"pytest-ambient: {text}\n")


def test_who_interrupts_is_told_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 130, as of a program that a shell has interrupted, and no traceback."""

    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(matrix, "act", interrupted)
    assert main(["matrix"]) == 130
    assert capsys.readouterr().err == "pytest-ambient: interrupted\n"
