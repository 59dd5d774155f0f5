"""What is seen on a sheet of pictures is what a real run writes, sample for sample."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from noisecli.model import Limits
from noisecli.views import pictures
from noisecli.views.noisy_copy import NoisyCopy, Viewing

VIEWING = Viewing(Limits())
FLOAT = np.float32


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.png", []),
        ("a.jpg", []),
        ("a.jpg", ["--quality", "60", "--subsampling", "420"]),
        ("a.webp", []),
        ("a.bmp", ["--format", "jpg"]),
        ("deep/b/a.png", ["--seed", "5", "--shared-channels"]),
        ("a.tiff", ["--mean", "20"]),
    ],
)
def test_noise_and_loss_are_those_of_the_real_run(noisy, preview, save, photo, samples, holds, tmp_path, name, words):
    path = save(name, photo())
    assert noisy("images", tmp_path / "src", tmp_path / "dst", "--std", "10,30", *words).status == 0
    assert preview(tmp_path / "src", tmp_path / "sheet.png", "--std", "30,10", *words).status == 0
    sheet = samples(tmp_path / "sheet.png")
    assert holds(sheet, samples(path))
    written = sorted(path for path in tmp_path.glob("dst/std-*/**/a.*"))
    assert len(written) == 2
    for output in written:
        assert holds(sheet, samples(output))


@pytest.mark.parametrize(
    ("words", "depth"),
    [(["--severity", "2"], 8), (["--var", "900"], 8), (["--snr-db", "10"], 8), (["--std", "5%"], 16)],
)
def test_all_words_of_strength_are_those_of_the_real_run(noisy, preview, save, photo, holds, tmp_path, words, depth):
    picture = photo().astype(np.uint16) * 257 if depth == 16 else photo()
    source = save("a.png", picture)
    assert noisy("images", source, tmp_path / "noisy.png", *words).status == 0
    assert preview(source, tmp_path / "sheet.png", *words).status == 0
    output = cv2.imread(str(tmp_path / "noisy.png"), cv2.IMREAD_UNCHANGED)
    shown = output if depth == 8 else np.rint(output / 257).astype(np.uint8)
    assert holds(cv2.imread(str(tmp_path / "sheet.png")), shown)


@pytest.mark.parametrize(
    ("dtype", "white", "words"),
    [
        ("uint8", 255, []),
        ("uint16", 65535, []),
        (FLOAT, 1, []),
        (FLOAT, 80, ["--full-scale", "80"]),
        (FLOAT, 80, ["--range", "0..80"]),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_depth_is_shown_on_the_screens_scale(preview, save, holds, tmp_path, dtype, white, words, channels):
    ramp = np.linspace(0, 1, 300)[None].repeat(200, axis=0)
    shares = np.stack([ramp, ramp[:, ::-1], ramp / 2], axis=2)[..., :channels].squeeze()
    values = (shares * white).astype(dtype) if dtype == FLOAT else np.rint(shares * white).astype(dtype)
    source = save("a.tiff" if dtype == FLOAT else "a.png", values)
    assert preview(source, tmp_path / "sheet.png", "--std", "25", *words).status == 0
    shown = np.rint(values.astype(np.float64) / white * 255).astype(np.uint8)
    colours = shown if channels == 3 else cv2.merge([shown] * 3)
    assert holds(cv2.imread(str(tmp_path / "sheet.png")), colours)


@pytest.mark.parametrize(("side", "times"), [(28, 11), (1, 320), (100, 3), (200, 1)])
def test_small_pictures_are_enlarged_by_whole_numbers(
    preview, save, photo, samples, holds, enlarged, tmp_path, side, times
):
    source = save("a.png", photo(side, side))
    assert preview(source, tmp_path / "sheet.png", "--std", "25").status == 0
    assert holds(samples(tmp_path / "sheet.png"), enlarged(samples(source), times))


def test_zoom_shows_a_part_larger(preview, save, photo, samples, enlarged, tmp_path):
    source = save("a.png", photo(300, 300))
    row = pictures.draw_row(str(source), "a.png", [], Viewing(Limits(), zoom=8))
    view = row.cells[0].panels[0]
    assert view.shape == (320, 320, 3)
    assert (enlarged(view[::8, ::8], 8) == view).all()
    assert preview(source, tmp_path / "sheet.png", "--std", "25", "--zoom", "8").status == 0


def test_a_large_picture_is_shown_pixel_for_pixel_where_its_detail_is(save, photo, holds):
    """At a smaller scale the noise would be averaged away."""
    picture = np.full((1000, 1500, 3), 128, np.uint8)
    picture[500:800, 1000:1300] = photo(300, 300)
    noise = np.random.default_rng(1).normal(0, 25, picture.shape)
    noisy = np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)
    source, output = save("a.png", picture), save("b.png", noisy)
    row = pictures.draw_row(str(source), "a.png", [NoisyCopy(str(output), "std 25", ())], VIEWING)
    clean_view, noisy_view = (cell.panels[0] for cell in row.cells)
    assert clean_view.shape == noisy_view.shape == (320, 320, 3)
    assert holds(clean_view, picture[520:780, 1020:1280])
    assert holds(noisy_view, noisy[520:780, 1020:1280])
    assert row.lead is not None
    assert row.lead.panels[0].shape == (213, 320, 3)


@pytest.mark.parametrize("patch", [(100, 600, 50, 50), (0, 0, 30, 20), (1450, 980, 50, 20), (400, 300, 700, 700)])
def test_a_large_picture_with_a_patch_is_shown_where_that_is(save, photo, holds, patch):
    picture = np.full((1000, 1500, 3), 128, np.uint8)
    picture[500:800, 1000:1300] = photo(300, 300)
    x, y, width, height = patch
    noisy = picture.copy()
    noisy[y : y + height, x : x + width] //= 2
    source, output = save("a.png", picture), save("b.png", noisy)
    row = pictures.draw_row(str(source), "a.png", [NoisyCopy(str(output), "std 25", (), patch)], VIEWING)
    clean_view, noisy_view = (cell.panels[0] for cell in row.cells)
    changed = (clean_view != noisy_view).any(axis=2).sum()
    assert changed == min(width, 320) * min(height, 320)


def test_a_large_picture_without_detail_is_shown_by_its_middle(save):
    row = pictures.draw_row(str(save("a.png", np.zeros((1000, 1000), np.uint8))), "a.png", [], VIEWING)
    assert row.cells[0].panels[0].shape == (320, 320, 3)
    marked = np.argwhere(row.lead.panels[0].any(axis=2))
    assert abs(marked.mean(axis=0) - 159.5).max() < 1


@pytest.mark.parametrize(
    ("shape", "zoom", "shown"),
    [
        ((160, 480), None, (160, 480)),
        ((375, 500), None, (375, 500)),
        ((500, 334), None, (500, 334)),
        ((250, 250), 2, (500, 500)),
        ((334, 501), None, (320, 320)),
        ((64, 1200), None, (64, 500)),
        ((720, 1280), None, (320, 500)),
        ((100, 600), 2, (200, 500)),
        ((1280, 720), None, (320, 320)),
    ],
)
def test_what_has_room_is_shown_whole_and_wide_pictures_keep_500_pixels(save, photo, shape, zoom, shown):
    row = pictures.draw_row(str(save("a.png", photo(*shape))), "a.png", [], Viewing(Limits(), zoom))
    assert row.cells[0].panels[0].shape == (*shown, 3)
    assert (row.lead is None) == (shown == tuple(side * (zoom or 1) for side in shape))


@pytest.mark.parametrize("shape", [(5, 4000), (4000, 5), (1, 321), (321, 1), (321, 320)])
def test_odd_shapes_have_a_row(preview, save, photo, tmp_path, shape):
    source = save("a.png", photo(*shape))
    assert preview(source, tmp_path / "sheet.png", "--std", "25").status == 0


def test_pictures_are_shown_the_right_way_up(preview, sample_data, samples, holds, tmp_path):
    source = sample_data / "images/boats/upright.jpg"
    row = pictures.draw_row(str(source), "upright.jpg", [], VIEWING)
    view = row.cells[0].panels[0][..., ::-1].astype(int)
    with Image.open(source) as opened:
        right = np.asarray(ImageOps.exif_transpose(opened)).astype(int)
    assert view.shape == right.shape
    # two JPEG decoders differ by a step or two; the wrong way up differs by tens
    assert abs(view - right).mean() < 2


def test_what_is_transparent_shows_what_is_behind_it(save, photo):
    clean = np.dstack([photo(), np.zeros((240, 320), np.uint8)])
    clean[:, 160:, 3] = 255
    noisy = clean.copy()
    noisy[..., :3] = photo(seed=8)
    row = pictures.draw_row(str(save("a.png", clean)), "a", [NoisyCopy(str(save("b.png", noisy)), "", ())], VIEWING)
    first, second = (cell.panels[0] for cell in row.cells)
    assert (first[:, :160] == second[:, :160]).all()
    assert set(np.unique(first[:, :160])) <= {255, 214, 210, 206}
    assert (second[:, 160:] == noisy[:, 160:, :3]).all()


def test_of_several_pages_the_first_is_shown(tmp_path):
    first, second = Image.new("RGB", (320, 320), (9, 99, 200)), Image.new("RGB", (320, 320), (200, 9, 9))
    first.save(tmp_path / "a.tiff", save_all=True, append_images=[second])
    row = pictures.draw_row(str(tmp_path / "a.tiff"), "a.tiff", [], VIEWING)
    assert (row.cells[0].panels[0] == (200, 99, 9)).all()
    assert "2 pages" in row.about


def test_the_histogram_is_of_the_whole_picture(save):
    picture = np.zeros((240, 320), np.uint8)
    picture[:60] = 255
    row = pictures.draw_row(str(save("a.png", picture)), "a.png", [], VIEWING)
    filled = (row.cells[0].panels[1][:-1] == (208, 196, 184)).all(axis=2).sum(axis=0)
    assert set(np.flatnonzero(filled)) == {0, 1, 318, 319}
    # heights are square roots of counts: three quarters black, one quarter white
    assert abs(filled[0] / filled[-1] - 3**0.5) < 0.1


@pytest.mark.parametrize("white", [0, 255])
def test_the_histogram_of_a_saturated_picture_is_readable(save, white):
    """90% white, the rest evenly from 40 to 200: were white's bar whole, the others would be a tenth of it."""
    picture = np.full((400, 320), white, np.uint8)
    picture[:40] = 40 + np.arange(40 * 320).reshape(40, 320) % 160
    noise = np.random.default_rng(0).normal(0, 5, picture.shape)
    noisy = save("b.png", np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8))
    row = pictures.draw_row(str(save("a.png", picture)), "a.png", [NoisyCopy(str(noisy), "", ())], VIEWING)
    clean, over = (cell.panels[1] for cell in row.cells)
    bars = (clean[:-1] == (208, 196, 184)).all(axis=2).sum(axis=0)
    assert 20 < np.median(bars[60:240]) < 60
    assert row.legend.is_cut
    marked = np.flatnonzero((clean[:4] == (34, 30, 26)).all(axis=2).any(axis=0))
    assert set(marked) == (set(range(7)) if white == 0 else set(range(313, 320)))
    assert (over[:4] == (18, 96, 224)).all(axis=2).any()


def test_the_histogram_of_a_photo_is_not_cut(save, photo):
    row = pictures.draw_row(str(save("a.png", photo())), "a.png", [], VIEWING)
    assert not row.legend.is_cut


def test_the_numbers_beside_a_histogram_are_those_of_its_bars(save):
    """Grey levels 10, 20, 30 and 40 have 10, 20, 30 and 40 percent of the values."""
    picture = np.repeat([10, 20, 30, 40], [10, 20, 30, 40]).astype(np.uint8)[:, None].repeat(256, axis=1)
    row = pictures.draw_row(str(save("a.png", picture)), "a.png", [], Viewing(Limits(), zoom=1))
    strip, below = row.cells[0].panels[1:]
    tops = {x: int(np.flatnonzero((strip[:, x] != 255).any(axis=1))[0]) for x in (10, 20, 30, 40)}
    # above the strip is the view, above its axis a blank; 4 pixels are between panels
    spare, axis = row.gutter.panels
    ticks = np.flatnonzero((axis[:, -1] == (120, 112, 106)).all(axis=1)) + spare.shape[0] - len(picture)
    assert len(ticks) >= 3
    assert ticks[0] == pytest.approx(tops[40], abs=1)
    assert any(abs(tick - tops[10]) <= 1 for tick in ticks)
    # values have their numbers below
    assert set(np.flatnonzero((below[0] == (120, 112, 106)).all(axis=1))) == {0, 50, 100, 150, 200, 250}


@pytest.mark.parametrize("size", [1e38, 5e220, 1.7e308, 1e-45, 5e-320, np.inf, np.nan])
@pytest.mark.parametrize("white", [1e-320, 1.0, 1e308])
def test_every_float_can_be_shown(tmp_path, size, white):
    picture = np.full((40, 50), size)
    picture[::2] = 0.5
    path = str(tmp_path / "a.tiff")
    assert cv2.imwrite(path, picture)
    row = pictures.draw_row(path, "a", [NoisyCopy(path, "", ())], Viewing(Limits(), None, white))
    assert len(row.cells) == 2


def test_signed_samples_are_shown_from_black_to_white(preview, save, holds, tmp_path):
    ramp = np.linspace(-1000, 3000, 300)[None].repeat(200, axis=0).astype(np.int16)
    source = save("a.tiff", ramp)
    assert preview(source, tmp_path / "sheet.png", "--std", "25", "--range", "-1000..3000").status == 0
    shown = np.rint((ramp + 1000) / 4000 * 255).astype(np.uint8)
    assert holds(cv2.imread(str(tmp_path / "sheet.png")), cv2.merge([shown] * 3))


@pytest.mark.parametrize("white", ["1e300", "1e39"])
def test_large_floats_have_a_sheet(preview, save, tmp_path, white):
    save("a.tiff", np.full((40, 50), 1e38, np.float32))
    done = preview(tmp_path / "src", tmp_path / "sheet.png", "--std", "25", "--full-scale", white)
    assert (done.status, "Warning" in done.err) == (0, False)
