"""Every command and kind on URLs of a real server, compared with the same on a disk, byte for byte."""

import json
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow


def _arrays(folder):
    rng = np.random.default_rng(5)
    np.save(folder / "a.npy", rng.normal(3, 2, (40, 5)).astype("f4"))
    np.savez(folder / "d.npz", x=rng.normal(0, 1, (20, 8)), y=rng.integers(0, 9, 20))


def _weights(folder):
    data = np.random.default_rng(6).normal(0, 1, (30, 20)).astype("f4").tobytes()
    header = json.dumps({"w": {"dtype": "F32", "shape": [30, 20], "data_offsets": [0, len(data)]}}).encode()
    (folder / "m.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + data)
    (folder / "config.json").write_text("{}")


def _coco(folder):
    images = [{"id": number, "file_name": name} for number, name in enumerate(("a.png", "cats/c.png"))]
    (folder / "instances.json").write_text(json.dumps({"images": images, "annotations": []}))
    (folder / "cats/c.txt").write_text("0 0.5 0.5 0.1 0.1\n")


def _mask(folder):
    """A label mask of three values beside the images, as a grey PNG."""
    rows = b"".join(b"\0" + bytes((x // 6) % 3 for x in range(16)) for _ in range(12))
    chunks = (b"IHDR" + struct.pack(">IIBBBBB", 16, 12, 8, 0, 0, 0, 0), b"IDAT" + zlib.compress(rows), b"IEND")
    png = b"".join(struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks)
    (folder / "masks").mkdir()
    (folder / "masks/a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + png)


PICTURES, SOUNDS = ("a.png", "b.png", "cats/c.png"), ("a.wav", "x/b.wav")
REQUESTS = {
    "coco": ("images", PICTURES, _coco, "--std 25 --copies 2 --sidecars copy"),
    "masks": ("images", PICTURES, _mask, "--std 25 --sidecars copy --with-clean"),
    "audio": ("audio", SOUNDS, None, "--snr-db 5..20 --copies 2"),
    "arrays": ("arrays", (), _arrays, "--std 10%"),
    "weights": ("weights", (), _weights, "--std 5% --sidecars copy"),
}


@pytest.fixture(params=REQUESTS)
def request_of(request, tmp_path, fill, s3_server, bucket):
    """Return a kind, a folder of its files, the URL of a copy of that, and options."""
    kind, names, more, words = REQUESTS[request.param]
    source = fill(tmp_path / "src", *names)
    source.mkdir(exist_ok=True)
    if more is not None:
        more(source)
    s3_server.upload(source, f"{bucket}/in")
    return kind, source, f"s3://{bucket}/in", words.split()


def test_a_kind_and_verify_of_it(request_of, s3_server, bucket, destination, spawned, tree):
    kind, source, url, words = request_of
    assert spawned(kind, source, destination, *words).status == 0
    made = spawned(kind, url, f"s3://{bucket}/out", *words)
    assert (made.status, s3_server.tree(f"{bucket}/out")) == (0, tree(destination))
    for place, where in ((destination, url), (f"s3://{bucket}/out", url), (f"s3://{bucket}/out", source)):
        verified = spawned("verify", place, "--recompute", where, "--jobs", "2", "--json")
        assert (verified.status, verified.summary["remade"]) == (0, verified.summary["rows"])
    again = spawned(kind, url, f"s3://{bucket}/out", *words, "--json").summary
    assert (again["made"], again["kept"] > 0) == (0, True)
    redone = spawned(kind, url, f"s3://{bucket}/out", *words, "--redo", "--checksum", "--json").summary
    assert redone["made"] == again["kept"]
    assert s3_server.tree(f"{bucket}/out") == tree(destination)


def test_latents(s3_server, bucket, destination, spawned, tree):
    words = ("--shape", "4,3", "--count", "10", "--per-file", "4")
    assert spawned("latents", destination, *words).status == 0
    assert spawned("latents", f"s3://{bucket}/out", *words).status == 0
    assert s3_server.tree(f"{bucket}/out") == tree(destination)
    assert spawned("verify", f"s3://{bucket}/out", "--recompute").status == 0


@pytest.fixture
def out(s3_server, bucket, pictures, spawned):
    """A finished run on a URL, pairs of five pictures and a side file."""
    (pictures / "cats/c.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    s3_server.upload(pictures, f"{bucket}/in")
    words = ("--std", "25", "--with-clean", "--sidecars", "copy")
    assert spawned("images", f"s3://{bucket}/in", f"s3://{bucket}/out", *words).status == 0
    return f"s3://{bucket}/out"


DAMAGE = {
    "gone": ("noisy/a.png", None, "gone"),
    "edited": ("noisy/a.png", lambda content: content[:-1] + b"x", "digest-differs"),
    "cut": ("clean/b.png", lambda content: content[:-1], "size-differs"),
    "a label edited": ("noisy/cats/c.txt", lambda content: content.replace(b"1", b"2"), "digest-differs"),
    "another": ("noisy/other.png", lambda content: b"new", "not-listed"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_verify_names_what_differs(out, s3_server, spawned, damage):
    name, change, reason = DAMAGE[damage]
    files, key = s3_server.files(), f"{out.removeprefix('s3://')}/{name}"
    if change is None:
        files.rm_file(key)
    else:
        files.pipe_file(key, change(files.cat_file(key) if files.exists(key) else b""))
    done = spawned("verify", out, "--json")
    assert done.status == 1
    assert [(each["file_name"], each["reason"]) for each in done.summary["differences"]] == [(name, reason)]


@pytest.mark.parametrize("form", ["pairs", "labels", "csv", "hf"])
def test_exports(out, s3_server, spawned, pictures, destination, tree, tmp_path, form):
    words = ("--std", "25", "--with-clean", "--sidecars", "copy")
    assert spawned("images", pictures, destination, *words).status == 0
    on_disk, on_s3 = (spawned("export", place, "--to", form) for place in (destination, out))
    assert (on_disk.status, on_s3.status, on_s3.out) == (0, 0, on_disk.out)
    if form == "hf":
        assert s3_server.tree(out.removeprefix("s3://")) == tree(destination)
        assert f"{out}/noisy/metadata.jsonl" in on_s3.err
    else:
        for place in (tmp_path / "table", f"{out}/table.csv"):
            assert spawned("export", out, "--to", form, "-o", place).status == 0
        assert (tmp_path / "table").read_bytes() == on_disk.out
        assert s3_server.tree(out.removeprefix("s3://"))["table.csv"] == on_disk.out
        assert spawned("export", out, "--to", form, "-o", f"{out}/table.csv").status == 2
        own = spawned("export", out, "--to", form, "-o", f"{out}/manifest.jsonl", "--force")
        assert (own.status, "is a file of the run itself" in own.err) == (2, True)
        absolute = spawned("export", out, "--to", form, "--absolute").out.decode().splitlines()
        assert all(f"{out}/" in line for line in absolute[1:]) or form == "csv"
    assert spawned("verify", out).status == 0


def test_an_export_on_the_url_that_the_manifest_left_behind(out, s3_server, spawned, bucket):
    for words in (("--to", "csv", "--absolute", "-o", f"{out}/table.csv"), ("--to", "hf")):
        assert spawned("export", out, *words).status == 0
    s3_server.files().pipe_file(f"{bucket}/in/new.png", s3_server.files().cat_file(f"{bucket}/in/a.png"))
    words = ("--std", "25", "--with-clean", "--sidecars", "copy")
    assert spawned("images", f"s3://{bucket}/in", out, *words).status == 0
    found = spawned("verify", out, "--json").summary["differences"]
    assert {each["reason"] for each in found} == {"stale-export"}
    assert f"-o {out}/table.csv" in next(each["message"] for each in found if each["file_name"] == "table.csv")


def test_metadata_of_a_source_on_a_url(out, s3_server, spawned, bucket):
    s3_server.files().pipe_file(f"{bucket}/in/metadata.csv", b"file_name,text\na.png,one\ncats/c.png,two\n")
    assert spawned("export", out, "--to", "hf", "--metadata", f"s3://{bucket}/in").status == 0
    lines = s3_server.tree(f"{bucket}/out")["noisy/metadata.jsonl"].splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["one", None, "two", None, None]


def test_a_file_that_is_gone_is_no_half_table(out, s3_server, spawned):
    s3_server.files().rm_file(f"{out.removeprefix('s3://')}/clean/a.png")
    done = spawned("export", out, "--to", "pairs")
    assert (done.status, done.out) == (2, b"")
    assert f"{out}/clean/a.png: No such file or directory" in done.err


def test_prune_and_limit(out, s3_server, spawned, bucket):
    words = ("images", f"s3://{bucket}/in", out, "--std", "25", "--with-clean", "--sidecars", "copy", "--json")
    limited = spawned(*words, "--limit", "2").summary
    assert (limited["made"], limited["kept"], limited["pruned"]) == (0, 2, 0)
    for name in ("cats/c.png", "cats/c.txt"):
        s3_server.files().rm_file(f"{bucket}/in/{name}")
    pruned = spawned(*words, "--prune").summary
    assert (pruned["made"], pruned["kept"], pruned["pruned"]) == (0, 4, 1)
    left = s3_server.tree(f"{bucket}/out").keys()
    assert {name for name in left if "/" in name} == {
        f"{part}/{name}" for part in ("clean", "noisy") for name in ("a.png", "b.png", "cats/d.png", "e.png")
    }
    assert spawned("verify", out).status == 0


def test_one_file(s3_server, bucket, pictures, tmp_path, spawned, tree):
    local, url = tmp_path / "local.png", f"s3://{bucket}/one"
    assert spawned("images", pictures / "a.png", local, "--std", "25").status == 0
    s3_server.upload(pictures, f"{bucket}/in")
    source = f"s3://{bucket}/in/a.png"
    assert spawned("images", source, tmp_path / "from.png", "--std", "25").status == 0
    assert spawned("images", source, f"{url}/a.png", "--std", "25").status == 0
    assert spawned("images", source, "-", "--std", "25").out == local.read_bytes()
    assert (tmp_path / "from.png").read_bytes() == local.read_bytes() == s3_server.tree(f"{bucket}/one")["a.png"]
    piped = spawned("images", "-", tmp_path / "piped.png", "--std", "25", stdin=(pictures / "a.png").read_bytes())
    assert piped.status == 0
    again = spawned("images", "-", f"{url}/p.png", "--std", "25", stdin=(pictures / "a.png").read_bytes())
    assert (again.status, s3_server.tree(f"{bucket}/one")["p.png"]) == (0, (tmp_path / "piped.png").read_bytes())
    assert spawned("images", source, f"{url}/a.png", "--std", "25").status == 2
    onto_itself = spawned("images", source, source, "--std", "25", "--force")
    assert (onto_itself.status, "is the source itself" in onto_itself.err) == (2, True)
    into_folder = spawned("images", source, f"{url}/folder/", "--std", "25")
    assert into_folder.status == 0
    assert s3_server.tree(f"{bucket}/one/folder").keys() == {"a.png", "manifest.jsonl", "run.json"}
    missing = spawned("images", f"s3://{bucket}/in/none.png", tmp_path / "none.png", "--std", "25")
    assert missing.status == 2


def test_a_list_of_names(s3_server, bucket, pictures, tmp_path, spawned, tree):
    s3_server.upload(pictures, f"{bucket}/in")
    names = [f"s3://{bucket}/in/cats/c.png", "a.png"]
    words = ("images", f"s3://{bucket}/in", tmp_path / "dst", "--std", "25", "--files0-from", "-")
    assert spawned(*words, stdin="\0".join(names).encode()).status == 0
    assert {name for name in tree(tmp_path / "dst") if name.endswith(".png")} == {"a.png", "cats/c.png"}
    elsewhere = spawned(*words, stdin=b"s3://b/x.png")
    assert (elsewhere.status, "leads out of s3://" in elsewhere.err) == (2, True)


def test_a_sheet_of_objects(s3_server, bucket, pictures, tmp_path, spawned):
    s3_server.upload(pictures, f"{bucket}/src")
    for source, name in ((pictures, "a.png"), (f"s3://{bucket}/src", "b.png"), (f"s3://{bucket}/src/a.png", "c.png")):
        assert spawned("preview", source, tmp_path / name, "--std", "25").status == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "c.png").read_bytes() != (tmp_path / "b.png").read_bytes()


def test_a_folder_on_this_machine_holds_no_url(s3_server, bucket, pictures, spawned, monkeypatch):
    monkeypatch.chdir(pictures)
    assert spawned("images", ".", f"s3://{bucket}/out", "--std", "25").status == 0
    nested = spawned("images", f"s3://{bucket}/out", f"s3://{bucket}/out/below", "--std", "25", "--force")
    assert (nested.status, "lies inside the source folder" in nested.err) == (2, True)


def test_annotations_and_words_name_the_url(s3_server, bucket, pictures, spawned, tmp_path):
    (pictures / "broken.png").write_bytes((pictures / "a.png").read_bytes()[:60])
    s3_server.upload(pictures, f"{bucket}/in")
    page = tmp_path / "page"
    done = spawned(
        "images", f"s3://{bucket}/in", f"s3://{bucket}/out", "--std", "25", "--annotations", "github",
        environment={"GITHUB_STEP_SUMMARY": os.fspath(page), "GITHUB_WORKSPACE": os.fspath(tmp_path)},
    )  # fmt: skip
    assert f"::error file=s3%3A//{bucket}/in/broken.png,title=" in done.err + done.out.decode()
    assert f"5 images written to s3://{bucket}/out/ (" in done.err
    assert "### noisecli images: s3" in page.read_text()


def test_a_bucket_that_is_not_there(bucket, destination, spawned):
    done = spawned("images", "s3://no-such-bucket-anywhere/x", destination, "--std", "25")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "no such folder; name a folder or a file that exists" in done.err


def test_wrong_credentials(bucket, destination, spawned):
    wrong = {"AWS_SECRET_ACCESS_KEY": "another-secret"}
    done = spawned("images", f"s3://{bucket}/x", destination, "--std", "25", environment=wrong)
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "check the credentials in the environment" in done.err
    assert "another-secret" not in done.err


MACHINES = 3


@pytest.fixture
def whole(pictures, tmp_path, spawned, tree):
    """What the run without --shard makes, with labels, pairs and a broken image."""
    (pictures / "broken.png").write_bytes((pictures / "a.png").read_bytes()[:60])
    (pictures / "cats/c.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    assert spawned("images", pictures, tmp_path / "whole", *SHARDED).status == 1
    return tree(tmp_path / "whole")


SHARDED = ("--std", "25", "--with-clean", "--sidecars", "copy")


def _machine(tmp_path, number):
    """The environment of another machine, whose journals nobody else sees."""
    return {"XDG_STATE_HOME": os.fspath(tmp_path / f"machine-{number}")}


def test_shards_of_several_machines_in_one_url(whole, s3_server, bucket, pictures, tmp_path, spawn, spawned):
    s3_server.upload(pictures, f"{bucket}/in")
    out, running = f"s3://{bucket}/out", []
    for number in range(1, MACHINES + 1):
        words = ("images", f"s3://{bucket}/in", out, *SHARDED, "--shard", f"{number}/{MACHINES}")
        running.append(spawn(*words, environment=_machine(tmp_path, number)))
    for process in running:
        process.communicate()
        assert process.returncode in (0, 1)
    assert spawned("merge", out, "--dry-run", environment=_machine(tmp_path, 9)).status == 0
    merged = spawned("merge", out, "--json", environment=_machine(tmp_path, 9)).summary
    assert (merged["shards"], merged["outputs"], merged["copied"]) == (MACHINES, 5, 0)
    assert s3_server.tree(f"{bucket}/out") == whole
    assert spawned("merge", out, "--json", environment=_machine(tmp_path, 8)).summary["outputs"] == 5


@pytest.mark.parametrize("way", ["url to url", "disk to url", "url to disk"])
def test_shards_apart(whole, s3_server, bucket, pictures, tmp_path, spawned, tree, way):
    parts, target = way.split(" to ")
    places = {"url": f"s3://{bucket}/", "disk": f"{tmp_path}/"}
    folders = [f"{places[parts]}part-{number}" for number in range(1, MACHINES + 1)]
    for number, folder in enumerate(folders, 1):
        words = ("images", pictures, folder, *SHARDED, "--shard", f"{number}/{MACHINES}")
        assert spawned(*words, environment=_machine(tmp_path, number)).status in (0, 1)
    done = spawned("merge", f"{places[target]}out", *folders)
    assert (done.status, "copied there from another file system or store" in done.err) == (0, True)
    assert (tree(tmp_path / "out") if target == "disk" else s3_server.tree(f"{bucket}/out")) == whole
    left = s3_server.tree(f"{bucket}/part-1") if parts == "url" else tree(tmp_path / "part-1")
    assert {name for name, content in left.items() if content} == set()


def test_a_shard_that_goes_on_elsewhere(s3_server, bucket, pictures, tmp_path, spawned):
    """Its journal is on another machine: whether it goes on or was killed, nobody can say here."""
    out = f"s3://{bucket}/out"
    assert spawned("images", pictures, out, "--std", "25", "--shard", "1/2").status == 0
    s3_server.files().pipe_file(f"{bucket}/out/.manifest.shard-2-of-2.noisecli-journal", b"{}")
    done = spawned("merge", out, environment=_machine(tmp_path, 9))
    assert done.status == 2
    assert "shard 2/2 is running on another machine, or interrupted: run the same command again" in done.err


def test_nothing_of_a_secret_is_in_what_a_run_leaves(out, s3_server, bucket, tmp_path):
    secret = s3_server.environment["AWS_SECRET_ACCESS_KEY"].encode()
    state = [path.read_bytes() for path in Path(tmp_path / "state").rglob("*") if path.is_file()]
    assert not any(secret in content for content in (*s3_server.tree(f"{bucket}/out").values(), *state))
