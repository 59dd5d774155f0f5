"""A model's description may hold anything anywhere: what cannot be read is refused in one line."""

import json
import random
import zipfile

import numpy as np
import pytest
from grammars import keras

from noisecli.codecs import arrays
from noisecli.errors import Refused
from noisecli.gradient import model_config
from noisecli.gradient.input_range import read_input_range
from noisecli.gradient.victim import as_victim
from noisecli.kinds.adversarial import request as adversarial_request
from noisecli.settings import NoiseSettings, Settings
from noisecli.storage import SourceFile
from noisecli.workers import WorkerContext
from noisecli.workers.adversarial.maker import AdversarialMaker

DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"name": "d", "units": 3, "activation": "softmax"}}


def model(**changes):
    config = {"name": "m", "layers": [DENSE], **changes}
    return {"module": "keras", "class_name": "Functional", "config": config}


@pytest.fixture
def settings(monkeypatch, tmp_path):
    """Have a request look at a .keras with this config.json; return what it refuses, or None."""
    monkeypatch.setattr(adversarial_request, "choose_backend", lambda: "torch")

    def look(text, method=zipfile.ZIP_DEFLATED, classes="a,b"):
        with zipfile.ZipFile(tmp_path / "m.keras", "w", method) as archive:
            archive.writestr("config.json", text)
        try:
            adversarial_request.adversary_settings(
                str(tmp_path / "m.keras"),
                str(tmp_path),
                eps=0.1,
                classes=classes,
                input_range=None,
                answers=None,
                members={"samples": "x", "labels": "y"},
                batch_size=4,
            )
        except Refused as refused:
            words = str(refused)
        else:
            return None
        assert "\n" not in words
        assert len(words) < len(str(tmp_path)) + 600
        words.encode()
        return words

    return look


def test_a_sound_description_is_read(settings):
    assert settings(json.dumps(model())) is None


@pytest.mark.parametrize(
    "config",
    [
        5,
        {**model(), "config": 5},
        model(layers=[5]),
        model(layers=[{**DENSE, "config": []}]),
        model(output_layers=[[5]], layers=[{**DENSE, "config": "x"}]),
        model(layers=[{**DENSE, "module": 5}]),
        model(layers=[{**DENSE, "module": ["keras.layers"]}]),
        model(layers=[{"class_name": "Rescaling"}]),
        model(layers=[{"class_name": "Rescaling", "config": {"scale": 10**400}}]),
        model(layers=[{"class_name": "Rescaling", "config": {"scale": True}}]),
        model(layers=[{"class_name": "\ud800", "config": {}}]),
        model(layers=[{"class_name": "a\nb: 0 differ", "config": {}}]),
        model(layers=[{"class_name": "n" * 100_000, "config": {}}]),
        model(layers=[{"class_name": "Dense", "config": {"activation": ["n" * 100_000], "units": {}}}]),
    ],
    ids=lambda config: json.dumps(config)[:90][-50:],
)
def test_wrong_types_are_refused_in_a_line(config, settings):
    assert settings(json.dumps(config))


NO_JSON = ["[" * 100_000, '{"config":' * 900 + "{}" + "}" * 900, "{", '{"a": ' + "9" * 5000 + "}"]


@pytest.mark.parametrize("text", NO_JSON, ids=lambda text: text[:10])
def test_json_that_is_deep_or_none_is_refused(text, settings):
    assert settings(text)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_description_packed_otherwise_is_refused(method, settings):
    assert "packed in a way" in settings(json.dumps(model()), method)


def test_outputs_that_name_no_layer_leave_the_last_one():
    for outputs in (5, [[]], [], [5], [["other", 0, 0]], {"0": 1}):
        assert model_config.answers(model(output_layers=outputs)) == "probabilities"


def test_classes_that_are_no_text_are_refused(settings, tmp_path):
    (tmp_path / "classes.txt").write_bytes(b"ant\nb\xe4r\n")
    assert "--classes" in settings(json.dumps(model()), classes=str(tmp_path / "classes.txt"))


@pytest.mark.parametrize("seed", range(3))
def test_whatever_a_grammar_makes_is_read_or_refused(seed):
    answers = set()
    for number in range(2000):
        try:
            config = json.loads(keras.config(random.Random(f"{seed} {number}")))
        except (ValueError, RecursionError):
            continue
        for ask in (
            (model_config.refuse_code, read_input_range, model_config.answers) if isinstance(config, dict) else ()
        ):
            try:
                ask(config)
                answers.add((ask.__name__, "read"))
            except Refused:
                answers.add((ask.__name__, "refused"))
    assert len(answers) == 6


def test_what_is_no_model_is_refused():
    with pytest.raises(Refused, match="0 inputs"):
        as_victim(object(), "logits")


@pytest.mark.parametrize("member", [["x"], {}, None, 5])
def test_a_row_that_names_no_member_differs(member, tmp_path):
    settings = Settings("adversarial", str(tmp_path), str(tmp_path), NoiseSettings(()))
    np.savez(tmp_path / "a.npz", x=np.ones((2, 2), np.float32))
    maker = AdversarialMaker(WorkerContext(settings, "", arrays))
    with SourceFile(str(tmp_path / "a.npz"), 1 << 20) as file:
        row = {"member": member, "dtype": "float32", "shape": [2, 2]}
        assert [key for key, _, _ in maker.mismatches(file, row)] == ["dtype", "shape"]
        assert not list(maker.mismatches(file, row | {"member": "x"}))
