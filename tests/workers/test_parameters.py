"""Which floats of a model's file are no parameters: by the names and types of real files, a line each."""

import numpy as np
import pytest

from noisecli.model import SampleSpec
from noisecli.workers.parameters import roles_of, tied

FLOATS = {"F16": "float16", "BF16": "float32", "F32": "float32", "<f4": "float32"}


class Part:
    """A tensor by its name and type; see noisecli.codecs.StoredArray."""

    def __init__(self, name, dtype, shape, values=None):
        self.name, self.dtype, self.shape, self.values = name, dtype, shape, values
        self.spec = SampleSpec(FLOATS[dtype], shape, 1.0, -np.inf, np.inf) if dtype in FLOATS else None

    def blocks(self):
        yield from np.array_split(self.values.ravel(), 2)


def roles(*tensors):
    return roles_of([Part(*tensor) for tensor in tensors])


QUANTISED = {
    "GPTQ": """q.qweight I32 8x4, q.qzeros I32 1x4, q.bias F16 4, *q.scales F16 1x4, *q.g_idx F32 64,
               norm.weight F16 4""",
    "bitsandbytes": """q.weight U8 8x1, *q.weight.absmax F32 1, q.bias F16 4, *q.weight.nested_quant_map F32 256,
                       *q.SCB F32 4""",
    "float8": "q.weight F8_E4M3 4x4, *q.weight_scale_inv F32 1x1, *q.input_scale F32, q.bias BF16 4",
    "MLX": "q.weight U32 4x4, *q.scales BF16 4x1, *q.biases BF16 4x1, q.bias BF16 4",
    "MXFP4": "e.up_blocks U8 2x4x4, e.up_scales U8 2x4, e.up_bias BF16 2x4",
    "AQLM": "q.codes I16 4x4, *q.codebooks F16 1x9, *q.scales F16 4x1",
    "its scales in another file": "a.qweight U8 2x2, *b.scales F16 4, c.scale F32 4",
    "trained adapters beside": "q.qweight U8 2x2, q.lora_A.weight F32 2x4, q.lora_a F32 2x4",
    "Keras int8, old": "m/d/s/kernel:0 |i1 4x4, m/d/s/bias:0 <f4 4, *m/d/s/kernel_scale:0 <f4 4, m/e/s/kernel:0 <f4 4",
    "Keras float8, old": "d/kernel <f4 4x4, d/bias <f4 4, *d/kernel_scale <f4, *d/kernel_amax_history <f4 1024",
    "a flat npz": "kernel |i1 4x4, *kernel_scale <f4 4, bias <f4 4, w <f4 3",
    "no quantised numbers": """swin.position_index I64 9x9, swin.position_table F32 9x2, clip.position_ids I64 1x77,
                               clip.class_embedding F32 8, norm.scale F32 8, s.index <i4 9x9, s.table <f4 9x2""",
}


@pytest.mark.parametrize("tensors", QUANTISED.values(), ids=QUANTISED)
def test_what_belongs_to_quantised_numbers_is_no_parameter(tensors):
    described, scales = [], set()
    for words in tensors.split(","):
        name, dtype, *shape = words.split()
        described.append((name.strip("*"), dtype, tuple(int(size) for text in shape for size in text.split("x"))))
        scales |= {name.strip("*")} if name.startswith("*") else set()
    assert roles(*described) == dict.fromkeys(scales, "scale")


KERAS = {
    "int8": ("i8 44, f 4, *f 4", "dense"),
    "int8 without a bias": ("i8 44, *f 4", "dense"),
    "int8 EinsumDense": ("i8 444, f 44, *f 1144", "einsum_dense"),
    "int4 in groups": ("i8 44, f 4, *f 14, i8 14, *f 4", "dense"),
    "int4 in groups, without a bias": ("i8 44, *f 14, i8 14, *f 4", "einsum_dense"),
    "int4 embedding": ("i8 44, *f 41, i8 41, *f 8", "embedding"),
    "int8 embedding with a reverse": ("i8 44, *f 4, i8 44, *f 4", "reversible_embedding"),
    "gptq": ("f 4, i8 44, *f 14, i8 14, *f 8", "dense"),
    "gptq without a bias": ("i8 44, *f 14, i8 14, *f 8", "dense"),
    "awq": ("f 4, i8 44, *f 14, i8 14, *f 4, *f 8", "dense"),
    "float8": ("f 44, f 4, *f , *f 9, *f , *f 9, *f , *f 9", "dense"),
    "float8 without a bias": ("f 44, *f , *f 9, *f , *f 9, *f , *f 9", "dense"),
    "plain": ("f 44, f 4", "dense"),
    "recurrent": ("f 44, f 44, f 4", "lstm/cell"),
    "layer normalization": ("f 4, f 4", "layer_normalization"),
    "spectral normalization": ("f 44, f 14", "spectral_normalization"),
}


@pytest.mark.parametrize(("variables", "layer"), KERAS.values(), ids=KERAS)
def test_keras_numbers_its_variables_in_a_fixed_order(variables, layer):
    tensors, scales = [], set()
    for number, text in enumerate(variables.split(", ")):
        kind, _, shape = text.partition(" ")
        name = f"layers/{layer}/vars/{number}"
        tensors.append((name, "<f4" if kind.strip("*") == "f" else "|i1", tuple(map(int, shape))))
        scales |= {name} if kind.startswith("*") else set()
    # HDF5 lists names in the order of their letters
    assert roles(*sorted(tensors)) == dict.fromkeys(scales, "scale")


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("layers/batch_normalization/vars/3", [(4,)] * 4),
        ("bn/vars/3", [(4,)] * 4),
        ("layers/batch_normalization_1/vars/2", [(4,)] * 3),
        ("block/bn2/vars/1", [(4,)] * 2),
        ("layers/normalization/vars/1", [(4,), (4,), ()]),
    ],
)
def test_keras_has_a_running_variance_last(name, shapes):
    folder = name.rpartition("/")[0]
    tensors = [(f"{folder}/{n}", "<f4" if shape else "<i4", shape) for n, shape in enumerate(shapes)]
    assert roles(*tensors) == {name: "variance"}


@pytest.mark.parametrize(
    ("name", "shape", "role"),
    [
        ("layer1.0.bn1.running_var", (64,), "variance"),
        ("m/bn/bn/moving_variance:0", (64,), "variance"),
        ("batch_stats/bn/var", (64,), "variance"),
        ("net/batchnorm/~/var_ema/average", (64,), "variance"),
        ("model.layers.0.self_attn.rotary_emb.inv_freq", (64,), "constant"),
        ("lora_unet_down_blocks_0.alpha", (), "constant"),
        ("h.0.attn.bias", (1, 1, 1024, 1024), "constant"),
        ("sqrt_one_minus_alphas_cumprod", (1000,), "constant"),
        ("layer1.0.bn1.running_mean", (64,), None),
        ("snake.alpha", (64,), None),
        ("h.0.attn.c_attn.bias", (64,), None),
        ("clip.logit_scale", (), None),
        ("layers/batch_normalization/vars/0", (64,), None),
    ],
)
def test_running_variances_and_constants_are_known_by_their_names(name, shape, role):
    assert roles((name, "F32", shape)).get(name) == role


def test_only_equal_values_of_more_than_two_numbers_are_tied():
    values = np.arange(12, dtype="f4")
    nearly = values.copy()
    nearly[-1] = 0
    twos = np.repeat(np.float32([0, 1]), 6)
    parts = [
        Part("embed", "F32", (12,), values),
        Part("zeros", "F32", (12,), 0 * values),
        Part("forget", "F32", (12,), twos),
        Part("nearly", "F32", (12,), nearly),
        Part("head", "F32", (12,), values.copy()),
        Part("another shape", "F32", (3, 4), values),
        Part("zeros again", "F32", (12,), 0 * values),
        Part("forget again", "F32", (12,), twos),
        Part("third", "F32", (12,), values),
    ]
    assert tied(parts) == dict.fromkeys(["embed", "head", "third"], "embed")
