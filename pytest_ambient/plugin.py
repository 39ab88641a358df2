"""The hooks, in the order in which pytest calls them; what they do lives elsewhere."""

import os
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from pytest_ambient import _gate, _stop, _xdist, options
from pytest_ambient._state import begun, run_of
from pytest_ambient.errors import AmbientError
from pytest_ambient.fixtures import (  # noqa: F401 - pytest finds fixtures by looking at a plugin's names
    _ambient_foreign,
    _ambient_gate,
    _ambient_lanes,
    _ambient_probes,
    _ambient_turn,
    ambient_apply,
    ambient_cluster,
    ambient_features,
    ambient_kube,
    ambient_mesh,
    ambient_places,
    ambient_rule,
    ambient_settings,
    bookinfo,
    source_pod,
    verdict,
)

if TYPE_CHECKING:
    from pytest_ambient._reporting import Reporter
    from pytest_ambient.report.results import Results

MARKER = (
    "ambient(*, rule='', needs=(), profile=None, level='core', scope='namespace', disruptive=False, on={}): "
    "a test of an ambient mesh; skipped with a reason where no cluster is given or the mesh has not what it needs"
)

RESULTS: "pytest.StashKey[Results]" = pytest.StashKey()
REPORTER: "pytest.StashKey[Reporter]" = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register every option under all its names."""
    group = parser.getgroup("ambient", "Istio ambient mesh")
    for option in options.TABLE:
        options.add(option, group.addoption)
        parser.addini(option.ini, f"Default of {option.flag}; also ${option.variable}", type="string", default=None)


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Choose how xdist deals tests out before xdist does: its own hook is tryfirst, only a wrapper is earlier."""
    if options.spoken(config):
        _xdist.deal_by_file(config)
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """Settle what this run is asked for; whatever is wrong with that is a usage error, before anything is made."""
    config.addinivalue_line("markers", MARKER)
    if not options.spoken(config):
        return
    run = run_of(config)
    if run.settings.cluster is not None and run.owner:
        from pytest_ambient._reporting import Reporter

        config.stash[RESULTS] = run.results()
        config.stash[REPORTER] = Reporter(config, run, config.stash[RESULTS])
        config.pluginmanager.register(config.stash[RESULTS], "ambient-results")
        config.pluginmanager.register(config.stash[REPORTER], "ambient-reporter")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what was chosen, and which way won; and what was perhaps meant to be chosen."""
    run = begun(config)
    return [*(run.header() if run else ()), *(f"ambient: {line}" for line in options.misspelt(os.environ))]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: "_xdist.Node") -> None:
    """Tell a worker which run it belongs to."""
    run = begun(node.config)
    if run is not None:
        _xdist.tell(node, run.invite())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """As a worker, say whether a test will ask for the cluster, before xdist says that all is collected."""
    run = begun(session.config)
    if run is not None and run.role == "worker" and _gate.any_wanted(session.items, run.settings):
        run.ask()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: "_xdist.Node") -> None:
    """As the controller, bring the cluster up before any test is dealt out, if a worker has asked for it."""
    run = begun(node.config)
    if run is not None:
        run.answer()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Tell of a mistake in the use of our words where it was made, in the summary, too."""
    report = yield
    found = getattr(getattr(report, "call", None), "excinfo", None)
    if report.failed and found is not None:
        from pytest_ambient import _mistakes

        _mistakes.tell(report, found, collector)
    elif any(one.get_closest_marker("ambient") for one in report.result or () if isinstance(one, pytest.Item)):
        from pytest_ambient import _mistakes

        _mistakes.refuse(report, collector)
    return report


def pytest_itemcollected(item: pytest.Item) -> None:
    """Ask whether the mesh can do what a test needs before everything else that the test asks for."""
    if _gate.concerned(item):
        names: list[str] = getattr(item, "fixturenames", [])
        names.insert(0, "_ambient_gate")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker, put the longest files first; whoever shuffles tests comes later and wins."""
    if _xdist.ordered(config):
        from pytest_ambient import _order

        _order.longest_first(items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Without xdist, bring the cluster up once it is known that a test will ask for it."""
    run = begun(session.config)
    said = session.config.option
    if run is None or run.role != "alone" or said.collectonly or said.setupplan or session.testsfailed:
        return
    if _gate.any_wanted(session.items, run.settings):
        run.up()


def pytest_runtest_logstart() -> None:
    """End a run that was asked to stop where nobody could hear it."""
    _stop.hear()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Write down what the test says of itself, and skip it when the settings speak against it."""
    if _gate.concerned(item):
        _gate.introduce(item)
        reason = _gate.refusal(_gate.facts(item), run_of(item.config).settings)
        if reason is not None:
            pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show our own errors as their text alone: it is complete, and frames of this package tell nobody anything."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, AmbientError):
        shown = call.excinfo.getrepr(style="value", chain=False)
        if shown.reprcrash is not None:
            shown.reprcrash.message = str(call.excinfo.value)  # the line of the short summary
        report.longrepr = shown
        report.user_properties += _gate.doubts(call.excinfo.value)
    if _gate.concerned(item):
        from pytest_ambient import _reporting, _secrets

        report.user_properties += _reporting.carried(item.config)
        _secrets.conceal(report, run_of(item.config).secrets)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Let the cluster go, after xdist has ended its workers."""
    run = begun(session.config)
    if run is not None:
        failed = exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        if not run.down(failed=failed):
            session.exitstatus = pytest.ExitCode.INTERRUPTED


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter", config: pytest.Config) -> None:
    """Print the closing table."""
    if RESULTS in config.stash and config.stash[RESULTS].rows:
        from pytest_ambient.report import terminal

        terminalreporter.section("ambient")
        for line in terminal.lines(config.stash[RESULTS].rows, config.stash[REPORTER].document):
            terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go what an early end has left."""
    run = begun(config)
    if run is not None:
        if REPORTER in config.stash:
            config.stash[REPORTER].finish("pytest ended early")
        run.down(failed=True)
        run.part()
    if RESULTS in config.stash:
        config.stash[RESULTS].close()
