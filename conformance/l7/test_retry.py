"""H7: a waypoint tries a request again as often as its VirtualService says, on what it names and nothing else.

The number of attempts is Envoy's own count, which the route writes into each answer.
"""

import pytest

from pytest_ambient import GET, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("nothing is known of retries there")}
NEEDS = ("Waypoint", "VirtualService")
pytestmark = pytest.mark.ambient(rule="H7", profile="AMBIENT-L7", needs=NEEDS, on=KMESH)

HTTPBIN = "http://httpbin:8000/status"
OWN = "DefaultRetries"
B500, B502, B503 = Answered(500), Answered(502), Answered(503)


def tried(times: int, status: int) -> Answered:
    """The application's last answer, after so many attempts."""
    return Answered(status, header=("x-attempts", str(times)))


@cases(
    case("named-code-is-tried-again", "curl", GET(f"{HTTPBIN}/502"), tried(4, 502), state="code", before=B502),
    case("other-code-is-not", "curl", GET(f"{HTTPBIN}/500"), tried(1, 500), state="code", before=B500),
    case("success-is-not", "curl", GET(f"{HTTPBIN}/200"), tried(1, 200), state="code"),
    case("named-class-is-tried-again", "curl", GET(f"{HTTPBIN}/503"), tried(3, 503), state="class", before=B503),
    case("no-attempts-means-once", "curl", GET(f"{HTTPBIN}/503"), tried(1, 503), state="none", before=B503),
    case(
        "answers-are-not-by-default",
        "curl",
        GET(f"{HTTPBIN}/503"),
        tried(1, 503),
        state="default",
        before=B503,
        needs=OWN,
    ),
    level="extended",
)
def test_retry(verdict: Verdict) -> None:
    """An answer that is tried again counts as the attempts it took."""
    verdict.holds()
