"""What the environment says of a store: what no request can hold is refused by its name, and no value is shown."""

import pytest

pytest.importorskip("obstore")

import obstore

from noisecli.storage.objects.client import ask, client

SOUND = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
ODD = {
    "line-break": ("s3", "AWS_ACCESS_KEY_ID", "hidden\n"),
    "carriage-return": ("s3", "AWS_SECRET_ACCESS_KEY", "hidden\r"),
    "token": ("s3", "AWS_SESSION_TOKEN", "hidden\ntoken"),
    "region": ("s3", "AWS_REGION", " us-east-1"),
    "azure": ("az", "AZURE_STORAGE_TOKEN", "hidden\n"),
    "empty": ("s3", "AWS_ENDPOINT_URL", ""),
    "host-alone": ("s3", "AWS_ENDPOINT_URL", "hidden:9000"),
    "no-scheme": ("s3", "AWS_ENDPOINT_URL", "hidden"),
    "another-scheme": ("s3", "AWS_ENDPOINT_URL", "ftp://hidden"),
    "port": ("s3", "AWS_ENDPOINT_URL", "http://user:hidden@127.0.0.1:99999"),
    "bracket": ("s3", "AWS_ENDPOINT_URL", "http://[::1"),
    "azure-endpoint": ("az", "AZURE_STORAGE_ENDPOINT", "hidden"),
}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in SOUND.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("odd", ODD)
def test_what_no_request_can_hold_is_refused_by_name(odd, destination, spawned):
    scheme, name, value = ODD[odd]
    done = spawned("images", f"{scheme}://bucket/x", destination, "--std", "25", environment={name: value})
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert name in done.err
    assert "hidden" not in done.err


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:9000", "https://user:word@host.example/path", "http://[::1]:80/"]
)
def test_addresses_pass(endpoint, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    client("s3", "a-bucket-of-no-other-test", quick=True)


def test_a_name_that_is_not_resolved_is_an_outage_and_shows_no_password(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://user:hidden@nowhere.invalid:9000")
    with pytest.raises(TimeoutError) as error:
        ask(obstore.get, client("s3", "a-bucket-of-this-test", quick=True), "key")
    assert "the server is not reached" in str(error.value)
    assert "hidden" not in str(error.value)


def test_an_error_that_is_not_known_shows_no_password():
    def fail():
        raise obstore.exceptions.GenericError("Error performing GET http://user:hidden@host:9000/key: odd")

    with pytest.raises(OSError, match="http://host:9000/key: odd"):
        ask(fail)


def test_a_panic_of_the_library_is_an_error():
    kind = type("PanicException", (BaseException,), {})

    def panic():
        raise kind("called unwrap")

    with pytest.raises(OSError, match="called unwrap"):
        ask(panic)
