"""The paper's experiment: what it measures, keeps, prints and draws."""

import csv
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage.metrics import structural_similarity

import napari_usm as usm
from napari_usm import cli
from napari_usm.lab import contestants, degrade, figures, scores, summary, table1

METHODS = ("blurred", "proposed", "classic_9")
SIGMAS = (0.5, 0.7, 1.0)


def picture(seed, shape=(40, 36)):
    """Coloured patches, smaller and larger ones."""
    rng = np.random.default_rng(seed)
    fine = rng.integers(0, 120, (shape[0] // 4 + 1, shape[1] // 4 + 1, 3))
    coarse = rng.integers(0, 130, (shape[0] // 9 + 1, shape[1] // 9 + 1, 3))
    made = np.kron(fine, np.ones((4, 4, 1)))[: shape[0], : shape[1]]
    made = made + np.kron(coarse, np.ones((9, 9, 1)))[: shape[0], : shape[1]]
    return made.astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Two pictures, and files that are none."""
    made = tmp_path / "pictures"
    made.mkdir()
    Image.fromarray(picture(0)).save(made / "a.png")
    Image.fromarray(picture(1)).save(made / "b.png")
    (made / "notes.txt").write_text("no picture at all")
    (made / ".hidden").write_text("passed over")
    (made / "folder").mkdir()
    return made


@pytest.fixture(autouse=True)
def no_figures(monkeypatch, request):
    """Drawing takes a second; what is drawn is tested once."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(figures, "save_figures", lambda *_: None)


@pytest.fixture
def drawn():
    """Asked for by tests that draw."""


def run(folder, out, *more):
    """Run the command on three levels and three methods; the exit status."""
    levels = ["--levels", *map(str, SIGMAS), "--noise", "0", "4"]
    arguments = [folder, "--out", out, *levels, "--methods", *METHODS, *more]
    return cli.main(["table1", *map(str, arguments)])


def read(path):
    """Rows of a CSV file as dictionaries."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- What is measured ---


def test_rows_are_what_is_measured_by_other_means(folder, tmp_path):
    """A blurred picture and the classic mask, made and measured without ours."""
    assert run(folder, tmp_path / "out") == 0

    rows = read(tmp_path / "out" / "rows.csv")
    assert len(rows) == 2 * 3 * 2 * 3
    for name, seed in (("a.png", 0), ("b.png", 1)):
        sharp = picture(seed).max(axis=2)
        blurred = ndimage.gaussian_filter(sharp.astype(float), 0.7)
        blurred = np.floor(blurred + 0.5)
        detail = blurred - ndimage.uniform_filter(blurred, 3, mode="mirror")
        masked = np.clip(np.floor(blurred + 9 * detail + 0.5), 0, 255)
        for method, result in (("blurred", blurred), ("classic_9", masked)):
            (row,) = (
                row
                for row in rows
                if (row["image"], row["method"]) == (name, method)
                and (float(row["sigma"]), float(row["noise"])) == (0.7, 0)
            )
            expected = structural_similarity(
                sharp,
                result.astype(np.uint8),
                gaussian_weights=True,
                use_sample_covariance=False,
            )
            assert float(row["ssim"]) == pytest.approx(expected, abs=1e-9)
            merits = {
                "fom": usm.metrics.figure_of_merit(sharp, result),
                "fom_reference": usm.metrics.figure_of_merit(
                    sharp, result, thresholds="reference"
                ),
            }
            for column, merit in merits.items():
                assert float(row[column]) == pytest.approx(merit, abs=1e-12)
            error = np.mean((sharp - result) ** 2)
            psnr = 10 * np.log10(255**2 / error)
            assert float(row["psnr"]) == pytest.approx(psnr)


def test_means_and_variances_are_those_of_the_rows(folder, tmp_path, capsys):
    """Over a set of levels and over each, and the paper's numbers stand beside them."""
    run(folder, tmp_path / "out")
    printed = capsys.readouterr().out

    rows = read(tmp_path / "out" / "rows.csv")
    cells = read(tmp_path / "out" / "table1.csv")

    assert len(cells) == (1 + 3) * 2 * 3
    groups = {"sigma 0.5, 0.7, 1": SIGMAS, "sigma 0.7": (0.7,)}
    for label, sigmas in groups.items():
        for method in METHODS:
            (cell,) = (
                c
                for c in cells
                if (c["levels"], c["method"], float(c["noise"])) == (label, method, 4)
            )
            for column in ("fom", "ssim", "psnr", "fom_reference"):
                values = [
                    float(row[column])
                    for row in rows
                    if row["method"] == method
                    and float(row["noise"]) == 4
                    and float(row["sigma"]) in sigmas
                ]
                assert len(values) == int(cell["blurred_pictures"]) == 2 * len(sigmas)
                mean = sum(values) / len(values)
                variance = sum((v - mean) ** 2 for v in values) / (len(values) - 1)
                assert float(cell[f"{column}_mean"]) == pytest.approx(mean)
                assert float(cell[f"{column}_variance"]) == pytest.approx(variance)
    first = cells[0]
    assert (first["method"], first["paper_fom_mean"]) == ("blurred", "0.8742")
    mean = float(first["fom_mean"])
    assert re.search(rf"^blurred +{mean:.4f} \(0.8742\)", printed, re.M)
    assert (tmp_path / "out" / "table1.txt").read_text("utf-8") == printed


def test_a_sharp_picture_is_a_level_too(folder, tmp_path):
    """Equal pictures have an infinite ratio, without a warning and a variance."""
    more = ["--levels", "0", "--noise", "0", "--methods", "blurred"]
    assert run(folder, tmp_path / "out", *more) == 0

    (cell,) = read(tmp_path / "out" / "table1.csv")
    assert (cell["fom_mean"], cell["ssim_variance"]) == ("1.0", "0.0")
    assert (cell["psnr_mean"], cell["psnr_variance"]) == ("inf", "nan")


def test_noise_is_the_same_for_every_method_and_run():
    """It depends on the pixels, the blur and its size alone."""
    flat = degrade.Reference("flat.png", np.full((64, 64), 100, np.uint8))
    renamed = degrade.Reference("other.png", np.full((64, 64), 100, np.uint8))

    noisy = degrade.degraded(flat, 0.5, 5)

    assert noisy.tolist() == degrade.degraded(renamed, 0.5, 5).tolist()
    assert noisy.std() == pytest.approx(5, rel=0.05)
    for other in (
        degrade.degraded(flat, 0.7, 5),
        degrade.degraded(flat, 0.5, 5.001),
        degrade.degraded(degrade.Reference("a", flat.pixels + np.uint8(1)), 0.5, 5),
    ):
        assert abs(np.corrcoef(noisy.ravel(), other.ravel())[0, 1]) < 0.1


def test_the_middle_of_a_picture(folder):
    """A crop has its pixels in the middle; what is smaller is taken whole."""
    (a, _), _ = degrade.read_references(folder, 20)
    assert a.pixels.tolist() == picture(0).max(axis=2)[10:30, 8:28].tolist()
    (whole, _), _ = degrade.read_references(folder, 38)
    assert whole.pixels.tolist() == picture(0).max(axis=2)[1:39].tolist()


def test_every_method_for_the_lab_takes_part():
    """Those that are only there to be compared are in the table of methods."""
    names = [n for n, entry in usm.METHODS.items() if entry.audience == "lab"]
    known = contestants.contestants()
    assert set(names) < set(known)
    image = picture(0).max(axis=2)
    np.testing.assert_array_equal(
        known["classic_1"].sharpened(image),
        usm.unsharp_mask(image, amount=1, kernel="box", mode="mirror"),
    )
    assert len({each.settings for each in known.values()}) == len(known)


def test_how_the_methods_of_the_paper_rank():
    """The best first, there and here, of those that were measured."""
    known = contestants.contestants()

    def cell(name, fom, ssim):
        mean = scores.Scores(fom, 0, ssim, 0)
        return summary.Cell(summary.SETS[0], 0, known[name], 6, mean, mean)

    by_merit, by_similarity = summary.standings(
        [cell("blurred", 0.8, 0.9), cell("classic_1", 1, 1), cell("proposed", 0.9, 0.5)]
    )

    assert by_merit == ("FOM", *[("proposed (adaptive)", "blurred")] * 2)
    assert by_similarity.paper == ("proposed (adaptive)", "blurred")
    assert by_similarity.here == ("blurred", "proposed (adaptive)")


# --- Going on ---


@pytest.fixture
def measured(monkeypatch):
    """Names of the methods that images were sharpened with, as they are."""
    names = []
    original = contestants.Contestant.sharpened

    def sharpened(self, image):
        names.append(self.name)
        return original(self, image)

    monkeypatch.setattr(contestants.Contestant, "sharpened", sharpened)
    return names


def test_a_run_goes_on_where_it_was(folder, tmp_path, measured):
    """A half-written line is dropped, and only what is missing is measured."""
    out = tmp_path / "out"
    run(folder, out)
    rows, table = ((out / name).read_bytes() for name in ("rows.csv", "table1.csv"))
    for size, missing in ((len(rows) - 5, 1), (len(rows), 0), (40, 36), (0, 36)):
        (out / "rows.csv").write_bytes(rows[:size])
        measured.clear()

        assert run(folder, out) == 0

        assert len(measured) == missing
        assert (out / "rows.csv").read_bytes() == rows
        assert (out / "table1.csv").read_bytes() == table


def test_a_stopped_run_keeps_its_rows(folder, tmp_path, measured, monkeypatch, capsys):
    """Ctrl-C loses at most the level that was being measured."""
    original = scores.Judge.scores

    def stopped(self, result):
        if len(measured) == 8:
            raise KeyboardInterrupt
        return original(self, result)

    with monkeypatch.context() as patch:
        patch.setattr(scores.Judge, "scores", stopped)
        assert run(folder, tmp_path / "out") == 130
    assert "goes on from here" in capsys.readouterr().err
    assert len(read(tmp_path / "out" / "rows.csv")) == 6
    measured.clear()

    assert run(folder, tmp_path / "out") == 0

    assert len(measured) == 36 - 6


def test_rows_of_other_parameters_are_not_mixed(
    folder, tmp_path, measured, monkeypatch
):
    """Another version measures again, and its means are of its own rows."""
    out = tmp_path / "out"
    run(folder, out)
    expected = (out / "table1.csv").read_text("utf-8")
    lines = (out / "rows.csv").read_text("utf-8").splitlines()
    spoilt = [",".join([*line.split(",")[:-4], "0,0,0,0"]) for line in lines[1:]]
    (out / "rows.csv").write_text("\n".join([lines[0], *spoilt, ""]), "utf-8")
    monkeypatch.setattr(usm, "__version__", "9.9", raising=False)
    measured.clear()

    assert run(folder, out) == 0

    assert len(measured) == 36
    assert (out / "table1.csv").read_text("utf-8") == expected
    assert len(read(out / "rows.csv")) == 72


def test_more_can_be_asked_for_later(folder, tmp_path, measured):
    """Another method or picture adds its own rows only."""
    out = tmp_path / "out"
    run(folder, out)
    measured.clear()
    Image.fromarray(picture(2)).save(folder / "aa.png")

    assert run(folder, out, "classic_1") == 0

    assert sorted(measured) == sorted(
        ["classic_1"] * 18 + ["blurred", "proposed", "classic_9"] * 6
    )


# --- What cannot be used ---


def test_files_that_are_no_pictures_are_named(folder, tmp_path, capsys):
    """They are passed over, and named at the end with the reason."""
    Image.fromarray(picture(0, (10, 30))).save(folder / "small.png")
    Image.fromarray(np.zeros((20, 20), np.uint16)).save(folder / "deep.png")
    (folder / "half.png").write_bytes((folder / "a.png").read_bytes()[:300])

    assert run(folder, tmp_path / "out") == 0

    told = capsys.readouterr().err.splitlines()[-4:]
    assert told[0] == "left out: deep.png (not of 8 bit, but I;16)"
    assert told[1].startswith("left out: half.png (")
    assert told[2:] == [
        "left out: notes.txt (no picture)",
        "left out: small.png (smaller than 11 pixels)",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["nowhere"], "`folder` must be a folder; got nowhere"),
        (["pictures/folder"], "`folder` must hold a picture; .* has nothing"),
        (["pictures", "--size", "5"], "`size` must be at least 11; got 5"),
        (["pictures", "--levels", "-1"], "`levels` must be at least 0 .*; got -1"),
        (["pictures", "--noise", "nan"], "`noise` must be at least 0 .*; got nan"),
        (["pictures", "--methods", "best"], "`methods` must be of blurred, .*'best'"),
        (["pictures", "--out", "pictures"], "`out` must be new, empty or a folder"),
    ],
)
def test_errors(folder, tmp_path, monkeypatch, capsys, change, message):
    """What is wrong is told, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))

    assert table1.main(change) == 2

    told = capsys.readouterr()
    assert re.search(f"^napari-usm: error: {message}", told.err)
    assert told.out == ""
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_of_the_user_is_not_written_to(folder, tmp_path, capsys):
    """Another table of the same name is left as it is."""
    out = tmp_path / "out"
    out.mkdir()
    for content in (b"name,age\nme,7\n", b"name", b"\0\r\xff\n"):
        (out / "rows.csv").write_bytes(content)

        assert run(folder, out) == 2

        assert "is another's" in capsys.readouterr().err
        assert (out / "rows.csv").read_bytes() == content


@pytest.mark.parametrize(
    "name", ["a\u2028b.png", 'a"b,c.png', "a\nb.png", "\udcff.png"]
)
def test_any_name_of_a_file(tmp_path, name):
    """A run of pictures of odd names goes on where it was, too."""
    folder, out = tmp_path / "pictures", tmp_path / "out"
    folder.mkdir()
    try:
        (folder / name).touch()
    except OSError:
        pytest.skip("no name of a file here")
    Image.fromarray(picture(0)).save(folder / name, "png")
    assert run(folder, out) == 0
    before = (out / "rows.csv").read_bytes()

    assert run(folder, out) == 0

    assert (out / "rows.csv").read_bytes() == before
    with (out / "rows.csv").open(newline="", errors="surrogateescape") as file:
        assert {line["image"] for line in csv.DictReader(file)} == {name}


def test_rows_that_are_none(folder, tmp_path, capsys):
    """A line that someone has changed is named."""
    out = tmp_path / "out"
    assert run(folder, out) == 0
    with (out / "rows.csv").open("a") as file:
        file.write("a.png,blurred,0\n")

    assert run(folder, out) == 2

    assert "['a.png', 'blurred', '0'] is none" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["sigmas", "noises"])
def test_no_levels(folder, tmp_path, name):
    """Without a level there is nothing to measure."""
    with pytest.raises(ValueError, match=r"must be one or more; got \[\]"):
        table1.table1(folder, tmp_path / "out", **{name: []})
    assert not (tmp_path / "out").exists()


# --- Both doors, and what is drawn ---


def test_both_doors(folder, tmp_path):
    """The module as a program writes the same rows and tables as the command."""
    run(folder, tmp_path / "one")
    levels = ["--levels", *map(str, SIGMAS), "--noise", "0", "4"]
    more = [str(folder), "--out", str(tmp_path / "two"), *levels]

    done = subprocess.run(
        [sys.executable, "-m", "napari_usm.lab.table1", *more, "--methods", *METHODS],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )

    assert done.returncode == 0, done.stderr
    for name in ("rows.csv", "table1.csv", "table1.txt"):
        one, two = (tmp_path / which / name for which in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
    assert "36 of 36, 0 s left: b.png" in done.stderr
    drawn = {path.stem for path in (tmp_path / "two").glob("*.svg")}
    assert drawn == {"table1", "levels", *(f"figure{n}" for n in (1, 2, 3, 5, 6))}
    for path in (tmp_path / "two").glob("*.png"):
        assert np.ptp(np.asarray(Image.open(path).convert("L"))) > 200


def test_the_figures_show_what_they_say(drawn):
    """Pixels, norms and curves are those of formulas that are not ours."""
    reference = degrade.Reference("a.png", picture(0).max(axis=2))
    image = degrade.degraded(reference, 1.0, 0).astype(float)
    detail = image - ndimage.uniform_filter(image, 3, mode="mirror")

    places = figures.draw_gains(reference).axes
    for axes, gain in zip(places[1:], (0.1, 3, 0.6), strict=True):
        expected = np.clip(np.floor(image + detail / gain + 0.5), 0, 255)
        np.testing.assert_allclose(axes.images[0].get_array(), expected, atol=1)
        assert axes.get_xlabel() == f"λ = {gain:g}"

    (axes,) = figures.draw_gradient(reference).axes
    gains, norms = axes.lines[0].get_data()
    assert gains.tolist() == [k / 10 for k in range(1, 31)]
    expected = [np.abs(np.diff(image + detail / g, axis=1)).sum() for g in gains]
    np.testing.assert_allclose(norms, np.array(expected) / 1e6, rtol=1e-5)

    curve, slope = figures.draw_choice(reference).axes
    values = curve.lines[0].get_ydata()
    np.testing.assert_allclose(np.gradient(values), slope.lines[0].get_ydata())
    chosen = slope.lines[1].get_xdata()[0]
    assert chosen == gains[np.argmax(np.gradient(values))]

    panels = figures.draw_panels(reference).axes
    assert panels[0].images[0].get_array().tolist() == reference.pixels.tolist()
    ssim = usm.metrics.structural_similarity(reference.pixels, image.astype(np.uint8))
    assert panels[1].get_xlabel().endswith(f"SSIM {ssim:.4f}")


def test_the_lab_loads_late():
    """Reading the command line loads neither what draws nor a viewer."""
    code = (
        "import sys, napari_usm.cli; "
        "heavy = {'matplotlib', 'napari', 'qtpy', 'dask', 'numba', 'scipy', 'skimage'};"
        "sys.exit(' '.join(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""
