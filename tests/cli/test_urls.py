"""What a command line says of URLs is refused before any work, and before any request, where it cannot be done."""

import os
from importlib.util import find_spec

import pytest

WORDS = [
    "images URL DST",
    "images SRC URL",
    "images SRC URL/a.png",
    "images a.png URL/a.png --force",
    "images SRC DST --files0-from URL",
    "images SRC DST --depfile URL",
    "preview URL DST.png",
    "preview SRC URL/a.png",
    "latents URL --shape 4 --count 1",
    "verify URL",
    "verify DST --recompute URL",
    "verify DST --recompute=URL",
    "export URL --to csv",
    "export DST --to csv -o URL",
    "export DST --to csv -oURL",
    "export DST --to hf --metadata URL",
    "merge URL",
    "merge DST URL",
    "adversarial SRC DST --model URL --eps 1%",
    "URL DST",
    "images SRC DST URL",
    "--std 5 images URL DST",
]


def _said(words, pictures, url):
    place = {"SRC": os.fspath(pictures), "DST": "made", "a.png": os.fspath(pictures / "a.png")}
    return [place.get(word, word.replace("URL", url).replace("DST", "made")) for word in words.split()]


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("url", ["s3://key:pass/word@bucket/there", "s3://key@bucket", "ftp://name:password@host/x"])
def test_no_more_of_a_password_is_shown_than_the_scheme(refused, pictures, tmp_path, monkeypatch, words, url):
    monkeypatch.chdir(tmp_path)
    message = refused(*_said(words, pictures, url))
    assert not any(word in message for word in ("key", "pass", "word", "bucket", "host", "name:", "there"))
    assert message.startswith(f"noisecli: {url.partition('//')[0]}//: ")


@pytest.mark.parametrize("url", ["ftp://host/x", "https://host/x", "hf://datasets/x", "S3://bucket/x", "file:///x"])
@pytest.mark.parametrize(
    "words", ["images URL DST", "images SRC URL", "verify URL", "merge DST URL", "preview URL a.png"]
)
def test_a_scheme_of_no_store_is_named(refused, pictures, tmp_path, monkeypatch, url, words):
    monkeypatch.chdir(tmp_path)
    level = () if words[0] in "vm" else ("--std", "5")
    message = refused(*_said(words, pictures, url), *level)
    scheme = url.partition("//")[0]
    assert message.startswith(
        f"noisecli: {scheme}//: only s3://, gs://, az:// URLs are read and written; ./{scheme}// is"
    )


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3://", "write s3://BUCKET/FOLDER"),
        ("gs:///x", "write gs://BUCKET/FOLDER"),
        ("s3://bucket/x//y", "no part of a URL may be empty, . or .."),
        ("s3://bucket/x/../y", "no part of a URL may be empty, . or .."),
    ],
)
def test_a_url_that_names_no_folder(refused, pictures, destination, url, words):
    assert words in refused("images", url, destination, "--std", "5")
    assert words in refused("images", pictures, url, "--std", "5")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("images URL DST --std 5 --sidecars link", "--sidecars link: s3:// has no symbolic links; use --sidecars copy"),
        ("images SRC URL --std 5 --sidecars link", "--sidecars link: s3:// has no symbolic links; use --sidecars copy"),
        ("images URL DST --std 5 --follow-links", "--follow-links: s3:// has no symbolic links; omit it"),
        ("preview URL a.png --std 5 --follow-links", "--follow-links: s3:// has no symbolic links; omit it"),
        ("images URL DST --std 5 --depfile d", "--depfile: Make looks at files on this machine, not at s3://"),
        ("images SRC URL --std 5 --depfile d", "--depfile: Make looks at files on this machine, not at s3://"),
        (
            "images SRC DST --std 5 --depfile URL",
            "--depfile: Make looks at files on this machine, not at s3://",
        ),
        ("images SRC DST --std 5 --files0-from URL", "--files0-from: reads a file on this machine"),
        ("adversarial SRC DST --std 5 --eps 1 --model URL", "--model: is a file on this machine; copy it here"),
        ("verify DST --recompute SRC --model URL", "--model: is a file on this machine; copy it here"),
        ("preview SRC URL.png --std 5", "OUT: a sheet is written on this machine; name a path"),
    ],
)
def test_what_a_url_has_no_place_for(refused, pictures, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert message in refused(*_said(words, pictures, "s3://bucket/x"))


@pytest.mark.skipif(find_spec("obstore") is not None, reason="obstore is installed")
@pytest.mark.parametrize(
    "words", ["images URL DST --std 5", "images SRC URL --std 5", "verify URL", "export URL --to hf"]
)
def test_a_missing_library_is_one_line(refused, pictures, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    message = refused(*_said(words, pictures, "s3://bucket/x"))
    assert message.startswith("noisecli: s3:// is read and written by obstore: pip install obstore (")


def test_a_url_before_the_command(refused, tmp_path):
    said = "the command comes first: noisecli images|audio|arrays|weights s3://bucket/x out"
    assert said in refused("s3://bucket/x", "out")


def test_json_holds_no_password_either(noisy, tmp_path):
    done = noisy("images", "s3://key:password@bucket/x", tmp_path / "dst", "--std", "5", "--json")
    assert (done.status, done.summary["source"]) == (2, None)
    assert "password" not in done.out + done.err


def test_an_at_sign_in_a_name_is_no_password(refused, tmp_path):
    """icon@2x.png is a usual name, of an object too."""
    assert "--follow-links" in refused("images", "s3://bucket/a@2x", tmp_path / "dst", "--std", "5", "--follow-links")
