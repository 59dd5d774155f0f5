"""What networks and servers do to single requests: the outputs stay those of an undisturbed run, and words are true."""

import json
import os

import pytest

from tests.fixtures.faults import answer, cut, reset, reset_behind, unconditional

pytestmark = pytest.mark.slow


@pytest.fixture
def sources(s3_server, bucket, pictures):
    s3_server.upload(pictures, f"{bucket}/in")
    return f"s3://{bucket}/in"


@pytest.fixture
def undisturbed(pictures, destination, spawned, tree):
    """What a run on a disk makes of the same sources."""
    assert spawned("images", pictures, destination, "--std", "25").status == 0
    return tree(destination)


def every(count, fault, *methods, within=""):
    """Return the rule that does this to one of so many requests."""
    turn = iter(range(10_000_000))

    def rule(request):
        asked = request.method in methods and within in request.path
        return fault if asked and next(turn) % count == 0 else None

    return rule


FAULTS = [
    ("slow-down", answer(503, "SlowDown"), ("GET", "PUT", "HEAD", "DELETE")),
    ("internal-error", answer(500, "InternalError"), ("GET", "PUT", "HEAD", "DELETE")),
    ("reset", reset, ("GET", "PUT", "HEAD", "DELETE")),
    ("answer-lost", reset_behind, ("GET", "PUT", "HEAD", "DELETE")),
    ("body-cut", cut, ("GET",)),
]


@pytest.mark.parametrize(("fault", "methods"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_every_second_request_fails_once(fault, methods, proxy, sources, s3_server, bucket, spawned, undisturbed):
    proxy.rule = every(2, fault, *methods)
    done = spawned("images", sources, f"s3://{bucket}/out", "--std", "25", "--json")
    assert (done.status, done.summary["problems"]) == (0, [])
    assert proxy.faults > 10
    assert s3_server.tree(f"{bucket}/out") == undisturbed


def test_one_object_that_is_refused_costs_one_file(proxy, sources, bucket, spawned):
    proxy.rule = every(1, answer(403, "AccessDenied"), "GET", within="/in/a.png")
    done = spawned("images", sources, f"s3://{bucket}/out", "--std", "25", "--json")
    assert done.status == 1
    [problem] = json.loads(done.out)["problems"]
    assert problem["source"] == "a.png"
    assert problem["message"] == "cannot be read: the server answers 403 Forbidden, AccessDenied; check its permissions"


def test_credentials_that_expire_stop_the_run_once(proxy, sources, s3_server, bucket, spawned, undisturbed):
    words = ("images", sources, f"s3://{bucket}/out", "--std", "25", "-j", "1", "--json")
    begun = []

    def expire(request):
        begun.extend([request] * (request.method == "PUT" and request.path.endswith("/out/a.png")))
        return answer(403, "ExpiredToken") if begun else None

    proxy.rule = expire
    stopped = spawned(*words)
    assert stopped.status == 3
    summary = json.loads(stopped.out)
    assert (summary["failed"], summary["problems"]) == (0, [])
    assert "403 Forbidden, ExpiredToken; see which credentials this machine has" in summary["stopped"]
    proxy.rule = lambda request: None
    assert spawned(*words).status == 0
    assert s3_server.tree(f"{bucket}/out") == undisturbed


@pytest.mark.parametrize(
    ("header", "known"),
    [("If-None-Match", False), ("If-None-Match", True), ("If-Match", True)],
    ids=["not-implemented", "create-ignored", "update-ignored"],
)
def test_a_store_without_conditions_is_refused(header, known, proxy, sources, s3_server, bucket, hastily):
    fault = unconditional(s3_server) if known else answer(501, "NotImplemented")
    proxy.rule = lambda request: fault if header in request.headers else None
    done = hastily("images", sources, f"s3://{bucket}/out", "--std", "25")
    assert done.status == 2
    assert "does not put objects under conditions" in done.err
    assert s3_server.tree(f"{bucket}/out") == {}


def test_nothing_shows_the_secret(proxy, sources, s3_server, bucket, spawned, tmp_path):
    proxy.rule = every(1, answer(400, "Odd"), "GET", within="/in/a.png")
    done = spawned("images", sources, f"s3://{bucket}/out", "--std", "25", "-v")
    assert done.status == 1
    written = [path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file()]
    shown = [done.out, done.err.encode(), *s3_server.tree(f"{bucket}/out").values(), *written]
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    assert all(word not in text for text in shown for word in (secret.encode(), b"X-Amz", b"Signature", b"Credential"))
