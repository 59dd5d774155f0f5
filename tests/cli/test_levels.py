"""How strong: every written form, slips of units, and strength as a value."""

import math

import click
import pytest

from noisecli.cli.levels import parse_levels, parse_share
from noisecli.kinds import KINDS


def parsed(text, quantity="std", kind="images", steps=None, severity_set="imagenet-c", mean=0.0):
    return parse_levels(text, quantity, KINDS[kind].bare_unit, steps=steps, severity_set=severity_set, mean=mean)


def ends(*arguments, **options):
    return [(level.low, level.high) for level in parsed(*arguments, **options)]


@pytest.mark.parametrize(
    ("text", "quantity", "kind", "low", "high"),
    [
        ("25", "std", "images", 25 / 255, 25 / 255),
        ("25.", "std", "images", 25 / 255, 25 / 255),
        ("2.5e1", "std", "images", 25 / 255, 25 / 255),
        (" 25 ", "std", "images", 25 / 255, 25 / 255),
        ("0", "std", "images", 0, 0),
        ("1", "std", "images", 1 / 255, 1 / 255),
        ("10%", "std", "images", 0.1, 0.1),
        ("0.1%", "std", "images", 0.001, 0.001),
        ("25/255", "std", "images", 25 / 255, 25 / 255),
        ("0.1/255", "std", "images", 0.1 / 255, 0.1 / 255),
        ("100/65535", "std", "images", 100 / 65535, 100 / 65535),
        ("5..50", "std", "images", 5 / 255, 50 / 255),
        ("0.5..50", "std", "images", 0.5 / 255, 50 / 255),
        ("5..50%", "std", "images", 0.05, 0.5),
        ("5%..50%", "std", "images", 0.05, 0.5),
        ("5..50/255", "std", "images", 5 / 255, 50 / 255),
        ("0.01", "std", "audio", 0.01, 0.01),
        ("1", "std", "audio", 1, 1),
        ("1%", "std", "audio", 0.01, 0.01),
        ("300/32768", "std", "audio", 300 / 32768, 300 / 32768),
        ("625", "var", "images", 625 / 65025, 625 / 65025),
        ("1%", "var", "images", 0.01, 0.01),
        ("100..400", "var", "images", 100 / 65025, 400 / 65025),
        ("0.01", "var", "audio", 0.01, 0.01),
        ("20", "snr_db", "audio", 20, 20),
        ("-5", "snr_db", "audio", -5, -5),
        ("-5..5.5", "snr_db", "images", -5, 5.5),
        ("-10..-5", "snr_db", "audio", -10, -5),
    ],
)
def test_written_forms(text, quantity, kind, low, high):
    [level] = parsed(text, quantity, kind)
    assert (level.low, level.high) == (pytest.approx(low, rel=1e-15), pytest.approx(high, rel=1e-15))


def test_sweeps_are_levels_in_the_order_written():
    assert ends("5, 25,15") == [(5 / 255,) * 2, (25 / 255,) * 2, (15 / 255,) * 2]
    assert [level.folder for level in parsed("5,10%,25/255")] == ["std-5", "std-10pct", "std-25of255"]
    assert [level.folder for level in parsed("20,-5", "snr_db", "audio")] == ["snr-db-20", "snr-db--5"]


def test_levels_spread_a_range_evenly():
    assert [level.text for level in parsed("0..50", steps=6)] == ["0", "10", "20", "30", "40", "50"]
    assert [level.text for level in parsed("5..50%", steps=2)] == ["5%", "50%"]
    assert [level.text for level in parsed("-10..10", "snr_db", "audio", steps=3)] == ["-10", "0", "10"]
    assert [level.text for level in parsed("0..5", "severity", steps=6)] == list("012345")


@pytest.mark.parametrize(("text", "steps"), [("25", 3), ("5,10", 3), ("5..50", 1), ("5..50", 0), ("5..50", -2)])
def test_levels_need_a_range_and_two_steps(text, steps):
    with pytest.raises(click.BadParameter):
        parsed(text, steps=steps)


@pytest.mark.parametrize(
    ("severity_set", "stds"),
    [("imagenet-c", [0, 0.08, 0.12, 0.18, 0.26, 0.38]), ("cifar-c", [0, 0.04, 0.06, 0.08, 0.09, 0.10])],
)
def test_severities_are_the_published_ones(severity_set, stds):
    assert ends("0,1,2,3,4,5", "severity", severity_set=severity_set) == [(std, std) for std in stds]
    [level] = parsed("1..5", "severity", severity_set=severity_set)
    assert level.steps == tuple(stds[1:])


@pytest.mark.parametrize("text", ["6", "-1", "1.5", "10%", "3..1", "1/5", "one"])
def test_severities_are_whole_numbers_from_0_to_5(text):
    with pytest.raises(click.BadParameter):
        parsed(text, "severity")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "5..",
        "..5",
        "5...6",
        "5..6..7",
        "5,,6",
        "5%%",
        "1e999",
        "nan",
        "inf",
        "25/0",
        "25/-1",
        "0x10",
        "-5",
        "-5..5",
        "50..5",
        "5/255/2",
        "٥",
    ],
)
def test_what_is_no_level_is_refused(text):
    with pytest.raises(click.BadParameter):
        parsed(text)


@pytest.mark.parametrize("text", ["10%", "5..10%", "5/255"])
def test_decibels_take_no_unit(text):
    with pytest.raises(click.BadParameter, match="decibels"):
        parsed(text, "snr_db", "audio")


@pytest.mark.parametrize(
    ("text", "quantity", "kind", "ways_out"),
    [
        ("0.1", "std", "images", ["10%", "0.1/255"]),
        ("0.05..0.5", "std", "images", ["50%", "0.5/255"]),
        ("0.1,0.2", "std", "images", ["20%", "0.2/255"]),
        ("0.01", "var", "images", ["1%", "0.01/65025"]),
        ("25", "std", "audio", ["25%", "25/32768", "--snr-db"]),
        ("0.1..5", "std", "audio", ["5%", "5/32768"]),
        ("2", "var", "audio", ["--snr-db"]),
    ],
)
def test_slips_of_units_are_refused_with_the_ways_to_write_what_was_meant(text, quantity, kind, ways_out):
    with pytest.raises(click.BadParameter) as refusal:
        parsed(text, quantity, kind)
    assert all(way in refusal.value.message for way in ways_out)


@pytest.mark.parametrize(("text", "kind"), [("0.1", "images"), ("0.05..0.5", "images"), ("25", "audio")])
def test_the_ways_out_are_taken(text, kind):
    with pytest.raises(click.BadParameter) as refusal:
        parsed(text, "std", kind)
    ways = [word.strip(",;") for word in refusal.value.message.split() if word[0].isdigit() and word[-1] in "%5678,"]
    assert ways
    for way in ways:
        if "%" in way or "/" in way:
            assert parsed(way, "std", kind)


@pytest.mark.parametrize("text", ["25,25", "25,25.0", "25,25/255", "10%,25.5", "5..50,5..50"])
def test_a_level_written_twice_is_refused(text):
    with pytest.raises(click.BadParameter, match="twice"):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "quantity", "other", "other_quantity"),
    [
        ("25", "std", "25/255", "std"),
        ("51", "std", "20%", "std"),
        ("25", "std", "625", "var"),
        ("8%", "std", "1", "severity"),
        ("5..50%", "std", "5%..50%", "std"),
        ("12.75..51", "std", "5..20%", "std"),
    ],
)
def test_the_same_strength_in_other_words_is_the_same_value(text, quantity, other, other_quantity):
    assert parsed(text, quantity)[0].canonical == parsed(other, other_quantity)[0].canonical


def test_mean_has_the_same_unit():
    assert parse_share("25.5", 255.0) == pytest.approx(0.1)
    assert parse_share("-10%", 255.0) == pytest.approx(-0.1)
    assert parse_share("0.1", 1.0) == pytest.approx(0.1)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--std", "25", "--var", "25"],
        ["--std", "25", "--severity", "1"],
        ["--std", "25", "--snr-db", "10"],
        ["--snr-db", "10", "--mean", "5"],
        ["--std", "25", "--mean", "loud"],
        ["--std", "0.1"],
        ["--std", "25", "--prob", "1.5"],
        ["--std", "25", "--prob", "nan"],
        ["--std", "25", "--timeout", "nan"],
        ["--std", "25", "--full-scale", "nan"],
        ["--std", "25", "--full-scale", "inf"],
        ["--std", "25", "--copies", "0"],
        ["--std", "25", "--format", "docx"],
        ["--std", "25", "--quality", "0"],
        ["--std", "25", "--limit", "0"],
        ["--std", "25", "-j", "0"],
        ["--std", "25", "--no-clip", "--format", "png"],
        ["--std", "25", "-q", "-v"],
        ["--std", "5..50", "--levels", "0"],
    ],
)
def test_slips_on_the_command_line_are_refused_in_one_line(noisy, pictures, destination, words):
    done = noisy("images", pictures, destination, *words)
    assert done.status == 2
    assert done.err.startswith("noisecli: ")
    assert done.err.count("\n") == 1
    assert done.out == ""
    assert not destination.exists()


def test_severity_is_not_for_arrays(noisy, tmp_path, destination):
    assert noisy("arrays", tmp_path, destination, "--severity", "1").status == 2


@pytest.mark.parametrize(
    ("words", "others"),
    [
        (["--std", "25"], ["--std", "25/255"]),
        (["--std", "25"], ["--var", "625"]),
        (["--std", "8%"], ["--severity", "1"]),
        (["--std", "5..20%"], ["--std", "12.75..51"]),
    ],
)
def test_the_same_strength_in_other_words_is_the_same_bytes(images, outputs, tmp_path, words, others):
    assert images(*words, to=tmp_path / "1").status == 0
    assert images(*others, to=tmp_path / "2").status == 0
    assert outputs(tmp_path / "1") == outputs(tmp_path / "2")


def test_a_level_has_the_same_bytes_alone_and_in_any_sweep(images, outputs, tmp_path):
    assert images("--std", "5,25,50", to=tmp_path / "sweep").status == 0
    assert images("--std", "0..50", "--levels", "3", to=tmp_path / "spread").status == 0
    for level in ("5", "25", "50"):
        assert images("--std", level, to=tmp_path / level).status == 0
    sweep, spread = outputs(tmp_path / "sweep"), outputs(tmp_path / "spread")
    assert len(sweep) == len(spread) == 15
    for level, trees in (("5", [sweep]), ("25", [sweep, spread]), ("50", [sweep, spread])):
        alone = {f"std-{level}/{name}": data for name, data in outputs(tmp_path / level).items()}
        for made in trees:
            assert alone.items() <= made.items()


def test_copy_1_is_a_single_run(images, outputs, tmp_path):
    assert images("--copies", "3", to=tmp_path / "3").status == 0
    assert images(to=tmp_path / "1").status == 0
    copies, single = outputs(tmp_path / "3"), outputs(tmp_path / "1")
    assert {name.replace("-1.", "."): data for name, data in copies.items() if "-1." in name} == single
    assert len(set(copies.values())) == len(copies) == 15


def test_no_noise_changes_no_sample(images, samples, rows, pictures, tmp_path):
    for words in (
        ["--std", "0"],
        ["--severity", "0"],
        ["--severity", "0", "--mean", "5"],
        ["--prob", "0", "--std", "9"],
    ):
        folder = tmp_path / "-".join(words)
        assert images(*words, to=folder).status == 0
        for name, row in rows(folder).items():
            assert not row["applied"]
            assert (samples(folder / name) == samples(pictures / name)).all()


def test_signal_to_noise_ratio_is_kept(noisy, write_wav, rows, tmp_path, destination):
    write_wav(tmp_path / "src/a.wav", frames=40_000)
    assert noisy("audio", tmp_path / "src", destination, "--snr-db", "-3").status == 0
    assert rows(destination)["a.wav"]["snr_db"] == pytest.approx(-3, abs=0.2)


def test_ranges_in_decibels_are_drawn_for_each_output(noisy, fill, rows, tmp_path, destination):
    source = fill(tmp_path / "src", *(f"{n}.wav" for n in range(12)))
    assert noisy("audio", source, destination, "--snr-db", "10..30").status == 0
    ratios = [row["snr_db"] for row in rows(destination).values()]
    assert len(set(ratios)) == 12
    assert all(9.5 < ratio < 30.5 for ratio in ratios)
    assert max(ratios) - min(ratios) > 8


def test_mean_moves_the_samples(images, samples, rows, destination, pictures):
    assert images("--std", "0", "--mean", "-10").status == 0
    assert rows(destination)["a.png"]["mean"] == -10.0
    difference = samples(destination / "a.png").astype(int) - samples(pictures / "a.png")
    assert (difference == -10).all()


def test_variance_is_told_as_std(images, rows, destination):
    assert images("--var", "625").status == 0
    row = rows(destination)["a.png"]
    assert math.isclose(row["std"], 25.0)
    assert row["level"] == "var=625"
