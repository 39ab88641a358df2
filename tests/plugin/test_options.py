"""Options: three ways to say them, one line for each mistake, told before anything is made."""

from pathlib import Path

import pytest

from pytest_ambient import _checks
from pytest_ambient.cluster.provider import ClusterSpec
from pytest_ambient.errors import Misuse
from pytest_ambient.options import TABLE
from pytest_ambient.settings import Settings, settle
from tests.plugin.conftest import XDIST, Project

TEST = "def test_nothing(ambient_settings):\n    pass\n"

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: blue
contexts:
- {name: blue, context: {cluster: c, user: u}}
- {name: green, context: {cluster: c, user: u}}
"""


def test_the_command_line_goes_before_the_environment_and_that_before_the_ini_file() -> None:
    """The first way that says something wins, and is remembered."""
    ini, environment, option = {"ambient_name": "i"}, {"AMBIENT_NAME": "e"}, {"ambient_name": "o"}
    found = [
        settle(option, environment, ini, Path()),
        settle({}, environment, ini, Path()),
        settle({}, {}, ini, Path()),
    ]
    assert [(one.name, one.source["name"]) for one in found] == [("o", "option"), ("e", "environment"), ("i", "ini")]
    assert (settle({}, {}, {}, Path()).name, settle({}, {}, {}, Path()).source["name"]) == (None, "default")


def test_every_option_has_a_flag_a_variable_and_an_ini_name_of_the_same_words() -> None:
    """Nothing is unprefixed, and no two share a name."""
    names = [(option.flag, option.variable, option.ini) for option in TABLE]
    assert all(flag.startswith("--ambient-") and ini.startswith("ambient_") for flag, _, ini in names)
    assert len({ini for *_, ini in names}) == len(TABLE)
    assert ("--ambient-skip-features", "AMBIENT_SKIP_FEATURES", "ambient_skip_features") in names


def test_paths_of_an_ini_file_count_from_its_folder(tmp_path: Path) -> None:
    """What stands in a file means the same wherever pytest is started."""
    assert settle({}, {}, {"ambient_report": "out"}, tmp_path).report == tmp_path / "out"
    assert settle({"ambient_report": "out"}, {}, {}, tmp_path).report == Path.cwd() / "out"


def test_waits_that_are_not_named_keep_their_defaults() -> None:
    """A timeout changes one wait only."""
    found = settle({"ambient_timeout": ["becomes=5", "hold=0.5,mesh=7"]}, {}, {}, Path()).timeout
    assert (found["becomes"], found["hold"], found["mesh"], found["undo"]) == (5, 0.5, 7, 30)


def test_first_pulls_of_images_have_time() -> None:
    """A first run on a line of 20 Mbit/s must not end, and be undone, in the middle of a pull."""
    found = settle({}, {}, {}, Path()).timeout
    assert (found["cluster"], found["installer"], found["bookinfo"], found["setup"]) == (600, 600, 360, 240)


WRONG = {
    "nodes": ("--ambient-nodes=0", "--ambient-nodes: wanted a number from 1 to 99, got '0'"),
    "name": ("--ambient-name=A_b", "--ambient-name: wanted a DNS label of at most 40, got 'A_b'"),
    "keep": ("--ambient-keep=maybe", "--ambient-keep: wanted one of never, on-failure, always, got 'maybe'"),
    "version": (
        "--ambient-istio-version=new",
        "--ambient-istio-version: wanted a version like 1.30 or 1.30.3, got 'new'",
    ),
    "upgrade": ("--ambient-upgrade-to=1.30", "--ambient-upgrade-to: wanted a version like 1.30.4, got '1.30'"),
    "timeout": (
        "--ambient-timeout=pods=3",
        "--ambient-timeout: unknown name 'pods', known are cluster, installer, mesh, bookinfo, setup, control, "
        "becomes, hold, undo, request, witness, spans",
    ),
    "timeout-form": ("--ambient-timeout=mesh", "--ambient-timeout: wanted NAME=SECONDS, got 'mesh'"),
    "timeout-value": ("--ambient-timeout=mesh=-1", "--ambient-timeout: wanted seconds above 0 for mesh, got '-1'"),
    "profile": (
        "--ambient-profile=L4",
        "--ambient-profile: wanted one of AMBIENT-L4, AMBIENT-L7, AMBIENT-ENROLMENT, AMBIENT-TELEMETRY, got 'L4'",
    ),
}


@pytest.mark.parametrize(("argument", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_value_names_what_was_wanted(argument: str, message: str) -> None:
    """The message has the option, what was wanted and what came."""
    flag, _, value = argument.partition("=")
    with pytest.raises(Misuse) as caught:
        settle({flag[2:].replace("-", "_"): value}, {}, {}, Path())
    assert str(caught.value) == message


def test_a_wrong_value_names_the_way_it_came() -> None:
    """An environment variable and an ini name are told apart from an option."""
    with pytest.raises(Misuse, match=r"^AMBIENT_NODES: wanted"):
        settle({}, {"AMBIENT_NODES": "x"}, {}, Path())
    with pytest.raises(Misuse, match=r"^ambient_nodes: wanted"):
        settle({}, {}, {"ambient_nodes": "x"}, Path())
    with pytest.raises(Misuse, match=r"^AMBIENT_DISRUPTIVE: wanted true or false, got 'perhaps'$"):
        settle({}, {"AMBIENT_DISRUPTIVE": "perhaps"}, {}, Path())


CONTRADICTIONS = {
    "unknown-cluster": (
        ["--ambient-cluster=kin"],
        "unknown cluster 'kin', known are embedded, existing, fake, k3d, kind, minikube",
    ),
    "fault-elsewhere": (
        ["--ambient-cluster=fake", "--ambient-fault=policy-ignored"],
        "--ambient-fault needs --ambient-cluster=embedded, not fake: no other mesh is broken on purpose",
    ),
    "fault-alone": (["--ambient-fault=policy-ignored"], "--ambient-fault needs --ambient-cluster=embedded"),
    "kubeconfig-alone": (["--ambient-kubeconfig=x"], "--ambient-kubeconfig needs --ambient-cluster=existing"),
    "kubeconfig-elsewhere": (
        ["--ambient-cluster=embedded", "--ambient-kubeconfig=x"],
        "--ambient-kubeconfig is for --ambient-cluster=existing: embedded makes its own",
    ),
    "context-elsewhere": (
        ["--ambient-cluster=embedded", "--ambient-context=x"],
        "--ambient-context is for --ambient-cluster=existing: embedded makes its own",
    ),
    "name-of-existing": (
        ["--ambient-cluster=existing", "--ambient-name=x"],
        "--ambient-name is for a cluster that is created: existing is found by --ambient-context",
    ),
    "kubeconfig-missing": (
        ["--ambient-cluster=existing", "--ambient-kubeconfig=nowhere"],
        "--ambient-kubeconfig: */nowhere cannot be read: No such file or directory",
    ),
    "kubeconfig-broken": (
        ["--ambient-cluster=existing", "--ambient-kubeconfig=conftest.py"],
        "--ambient-kubeconfig: */conftest.py is not a kubeconfig",
    ),
    "context-unknown": (
        ["--ambient-cluster=existing", "--ambient-kubeconfig=config.yaml", "--ambient-context=red"],
        "--ambient-context: */config.yaml has no context 'red', known are blue, green",
    ),
    "artifacts-nowhere": (
        ["--ambient-cluster=fake", "--ambient-artifacts=always"],
        "--ambient-artifacts needs --ambient-report DIR, the folder that they go to",
    ),
    "report-is-a-file": (
        ["--ambient-cluster=fake", "--ambient-report=conftest.py"],
        "--ambient-report: */conftest.py is a file, wanted a folder",
    ),
    "feature-both-ways": (
        ["--ambient-cluster=fake", "--ambient-features=Waypoint,HTTPRoute", "--ambient-skip-features=Waypoint"],
        "--ambient-features and --ambient-skip-features both name Waypoint",
    ),
    "feature-unknown": (
        ["--ambient-cluster=fake", "--ambient-features=Waypiont"],
        "--ambient-features: unknown Waypiont (Waypoint?), known are *Waypoint*",
    ),
    "fault-unknown": (
        ["--ambient-cluster=embedded", "--ambient-fault=policy-ignord,help,split-frozen"],
        "--ambient-fault: unknown policy-ignord (policy-ignored or *?), help; "
        "python -m pytest_ambient.embedded --help lists all *",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_contradiction_is_one_line_before_anything_is_made(
    project: Project, arguments: list[str], message: str
) -> None:
    """Exit 4, one line, no cluster."""
    project.write(TEST)
    (project.pytester.path / "config.yaml").write_text(KUBECONFIG)
    result = project.run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert len([line for line in result.errlines if line.strip()]) == 1
    assert result.outlines == []
    assert project.provider.asked() == []


def test_a_report_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes nothing is known before the first test, by the folder that is there."""
    monkeypatch.setattr(_checks, "writable", lambda folder: False)
    with pytest.raises(Misuse, match=rf"^--ambient-report: {tmp_path} cannot be written$"):
        _checks.check(Settings(report=tmp_path / "new" / "report"), lambda: ClusterSpec("unasked", tmp_path))


def test_a_contradiction_names_the_way_it_came(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who never wrote an option is told of the variable or the ini name."""
    monkeypatch.setenv("AMBIENT_CONTEXT", "blue")
    result = project.run("--ambient-cluster=fake")
    result.stderr.fnmatch_lines(["ERROR: AMBIENT_CONTEXT is for --ambient-cluster=existing: fake makes its own"])
    monkeypatch.delenv("AMBIENT_CONTEXT")
    project.pytester.makeini("[pytest]\nambient_skip_features = Waypoint\n")
    result = project.run("--ambient-cluster=fake", "--ambient-features=Waypoint")
    result.stderr.fnmatch_lines(["ERROR: --ambient-features and ambient_skip_features both name Waypoint"])


@XDIST
def test_a_usage_error_is_the_same_under_xdist(project: Project) -> None:
    """The controller refuses before it starts a worker."""
    project.write(TEST)
    result = project.run("-n2", "--ambient-cluster=fake", "--ambient-nodes=many")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --ambient-nodes: wanted a number from 1 to 99, got 'many'"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_an_existing_cluster_without_a_current_context_needs_one(project: Project) -> None:
    """The message names the contexts there are."""
    project.write(TEST)
    (project.pytester.path / "config.yaml").write_text(KUBECONFIG.replace("current-context: blue", ""))
    result = project.run("--ambient-cluster=existing", "--ambient-kubeconfig=config.yaml")
    result.stderr.fnmatch_lines(
        ["ERROR: */config.yaml: no current context: give --ambient-context, known are blue, green"]
    )


def test_an_ini_file_may_hold_values_for_runs_that_have_a_cluster(project: Project) -> None:
    """Without a cluster they contradict nothing."""
    project.write(TEST)
    project.pytester.makeini("[pytest]\nambient_kubeconfig = x\nambient_fault = policy-ignored\n")
    project.run().assert_outcomes(skipped=0, passed=1)


def test_the_header_says_what_was_chosen_and_by_which_way(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each chosen value with its provenance; a project that says nothing gets no line."""
    project.write(TEST)
    project.run().stdout.no_fnmatch_line("ambient:*")
    monkeypatch.setenv("AMBIENT_NODES", "3")
    project.pytester.makeini("[pytest]\nambient_cluster = fake\nambient_disruptive = true\n")
    result = project.run("--ambient-timeout=becomes=5", "--ambient-skip-features=Kiali,Tracing")
    result.stdout.fnmatch_lines(
        [
            "ambient: cluster=fake (from ini), nodes=3 (from environment), skip-features=Kiali,Tracing (from option), "
            "disruptive=true (from ini), timeout=becomes=5 (from option)"
        ]
    )


def test_the_embedded_mesh_is_called_a_test_bench(project: Project) -> None:
    """Nobody takes its results for a statement on a real mesh."""
    project.write("def test_nothing(): pass")
    result = project.run("--ambient-cluster=embedded")
    result.stdout.fnmatch_lines(
        [
            "ambient: cluster=embedded (from option)",
            "ambient: the embedded mesh is a test bench, its results say nothing about any other mesh",
        ]
    )


def test_a_variable_with_a_slip_in_its_name_is_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that names the nearest, also where nothing else is said; other programs' variables are theirs."""
    project.write("def test_nothing(): pass")
    monkeypatch.setenv("AMBIENT_LIGHT", "on")
    project.run().stdout.no_fnmatch_line("ambient: *")
    monkeypatch.setenv("AMBIENT_CLUSTR", "fake")
    monkeypatch.setenv("AMBIENT_ISTIOVERSION", "1.30.3")
    lines = [line for line in project.run().outlines if line.startswith("ambient: ")]
    assert lines == [
        "ambient: AMBIENT_CLUSTR is not read, is AMBIENT_CLUSTER meant?",
        "ambient: AMBIENT_ISTIOVERSION is not read, is AMBIENT_ISTIO_VERSION meant?",
    ]
