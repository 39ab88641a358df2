"""The workflows by GitHub's own grammar: no key, context or condition that a runner would refuse or pass over."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.test_workflows import NAMES, workflow

WORKFLOW = {
    "name", "run-name", "on", "permissions", "env", "defaults", "concurrency", "jobs",
}  # fmt: skip
JOB = {
    "name", "permissions", "needs", "if", "runs-on", "environment", "concurrency", "outputs", "env", "defaults",
    "steps", "timeout-minutes", "strategy", "continue-on-error", "container", "services", "uses", "with", "secrets",
}  # fmt: skip
STEP = {
    "id", "if", "name", "uses", "run", "working-directory", "shell", "with", "env", "continue-on-error",
    "timeout-minutes",
}  # fmt: skip
EVENTS = {
    "push": {"branches", "branches-ignore", "tags", "tags-ignore", "paths", "paths-ignore"},
    "pull_request": {"types", "branches", "branches-ignore", "paths", "paths-ignore"},
    "schedule": set[str](),
    "workflow_dispatch": {"inputs"},
    "workflow_call": {"inputs", "outputs", "secrets"},
}
INPUT = {"description", "required", "default", "type"}
CONTEXTS = {"github", "env", "vars", "job", "steps", "runner", "secrets", "strategy", "matrix", "needs", "inputs"}
FUNCTIONS = {
    "always", "success", "failure", "cancelled", "fromJSON", "toJSON", "hashFiles", "contains", "startsWith",
    "endsWith", "format", "join",
}  # fmt: skip
SCOPES = {
    "actions", "attestations", "checks", "contents", "deployments", "discussions", "id-token", "issues", "packages",
    "pages", "pull-requests", "security-events", "statuses",
}  # fmt: skip
CRON = re.compile(r"[\d*,/-]+ [\d*,/-]+ [\d*,/-]+ [\d*,/-]+ [\d*,/-]+")
NAME = re.compile(r"[A-Za-z_][\w-]*")


def parts(name: str) -> dict[str, Any]:
    """A workflow with its `on` by that name: it is a true value for YAML 1.1."""
    return {"on" if key is True else str(key): value for key, value in workflow(name).items()}  # type: ignore[comparison-overlap]  # as YAML 1.1 has it


def expressions(value: Any, *, condition: bool = False) -> Iterator[str]:
    """What GitHub evaluates: between `${{` and `}}`, and a whole `if`."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from expressions(one, condition=name == "if")
    elif isinstance(value, list):
        for one in value:
            yield from expressions(one)
    elif isinstance(value, str):
        yield from [value] if condition and "${{" not in value else re.findall(r"\$\{\{(.*?)\}\}", value)


@pytest.mark.parametrize("name", NAMES)
def test_no_key_is_unknown(name: str) -> None:
    """Of the workflow, of its events, of jobs and of steps."""
    body = parts(name)
    assert body.keys() <= WORKFLOW
    for event, said in body["on"].items():
        options = [*said] if isinstance(said, dict) else []
        assert {*options} <= EVENTS[event]
    for entry in body["on"].get("schedule", ()):
        assert CRON.fullmatch(entry["cron"])
    for job, one in body["jobs"].items():
        assert NAME.fullmatch(job)
        assert one.keys() <= JOB
        assert {*one.get("permissions", {})} <= SCOPES
        for step in one["steps"]:
            assert step.keys() <= STEP
            assert ("uses" in step) is not ("run" in step)


@pytest.mark.parametrize("name", NAMES)
def test_expressions_ask_for_what_there_is(name: str) -> None:
    """Contexts and functions that GitHub knows, inputs and secrets that the workflow declares."""
    body = parts(name)
    called = body["on"].get("workflow_call", {})
    declared = {"inputs": {*called.get("inputs", {})}, "secrets": {*called.get("secrets", {}), "GITHUB_TOKEN"}}
    found = [re.sub(r"'[^']*'", "''", one) for one in expressions(body["jobs"])]
    assert found
    for one in found:
        assert set(re.findall(r"([A-Za-z]\w*)\(", one)) <= FUNCTIONS, one
        for context, rest in re.findall(r"(?<![\w.])([A-Za-z]\w*)\.([\w-]+)", one):
            assert context in CONTEXTS, one
            assert rest in declared.get(context, {rest}), one


def test_inputs_of_the_reusable_workflow_are_described() -> None:
    """With a type, and a default where none is required."""
    called = parts("conformance")["on"]["workflow_call"]
    for one in called["inputs"].values():
        assert one.keys() <= INPUT
        assert one["type"] in ("string", "boolean", "number")
        assert one["description"]
        assert "default" in one or one.get("required")
    assert all(one["description"] for one in called["secrets"].values())
