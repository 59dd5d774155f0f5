"""Which floats in a file of weights are no parameters, and which are stored twice.

Quantised numbers come with scales, offsets and group indices, which are part of their format: noise on them would give
rows another group's scale. Running variances must not become negative, and constants were never trained.
"""

import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from noisecli.codecs import StoredArray
from noisecli.kinds import Kind
from noisecli.kinds.arrays import ArraysSettings
from noisecli.words import Warn
from noisecli.workers.array_choice import choose_arrays, names_in_particular

Role = Literal["scale", "variance", "constant"]

_WORDS: Mapping[Role, Warn] = {"scale": "scales-kept", "variance": "buffers-kept", "constant": "buffers-kept"}

_NARROW = re.compile(r"[<>=|]?[iu]1|[IU]8|F[468](_\w+)?")
_WIDE = re.compile(r"[<>=|]?[iu][24]|[IU](16|32)")
"""How safetensors and numpy spell the numbers that weights are quantised to."""
_SCALE = re.compile(r"scale|absmax|quant_map|zero|SCB|g_idx|codebook|amax_history")
_SURELY_SCALE = re.compile(
    r"scales|g_idx|SCB|(nested_)?(absmax|quant_map)|(weight|input|output|k|v|q)_(scale|zero_point)(_inv|_2)?|weight_g_idx"
)
"""A scale without its integers, which may be in the model's next file."""
_TRAINED = re.compile(r"(.*_)?bias|lora_.*")
"""What stays a parameter beside integers."""
_VARIANCE = re.compile(r"(.*_)?(running_var|moving_var(iance)?|moving_stddev|exp_avg_sq)|variance")
_FLAX_VARIANCE = re.compile(r"(^|.*[./])(batch_stats[./].*[./]var|var_ema[./](average|hidden))")
_CONSTANT = re.compile(
    r"(\w+_)?inv_freq|freqs_cis|(cos|sin)_cached|masked_bias|attn_mask|relative_coords_table|betas"
    r"|\w*alphas_cumprod(_prev)?|posterior_(variance|log_variance_clipped|mean_coef[12])"
)
_BATCH_NORM = re.compile(r"batch_?norm|(^|[/_])bn\d*(_|/|$)", re.IGNORECASE)
_FLOAT8_STATE = 6
"""Keras's float8 keeps a scale and a history for each of inputs, kernel and gradients, behind all else."""


class Chosen(NamedTuple):
    """Which arrays of a file get noise.

    Attributes
    ----------
    names
        Of the arrays.
    words
        Warnings about the choice.
    twins
        Of arrays that are stored twice, which one names the noise of both.
    variances
        Those of the arrays that must not become negative.
    """

    names: frozenset[str]
    words: list[str]
    twins: Mapping[str, str]
    variances: frozenset[str]


def choose(kind: Kind, wanted: ArraysSettings, parts: Sequence[StoredArray], source: str) -> Chosen:
    """Return which arrays of a file get noise. Of weights, what is no parameter stays, unless a glob names it.

    Raises what choose_arrays() raises.
    """
    if not kind.all_arrays:
        names, words = choose_arrays(kind, wanted, parts, source)
        return Chosen(names, [*words], {}, frozenset())
    roles = roles_of(parts)
    # scales are never chosen: their numbers would no longer be those that were quantised
    left = [name for name, role in roles.items() if role == "scale" or not names_in_particular(wanted.choose, name)]
    names, words = choose_arrays(kind, wanted, parts, source, left)
    twins = tied(parts)
    told: set[Warn] = {_WORDS[roles[name]] for name in left}
    variances = frozenset(name for name in names if roles.get(name) == "variance")
    return Chosen(names, [*words, *told, *["tied"] * any(map(twins.get, names))], twins, variances)


class _Member(NamedTuple):
    own: str
    part: StoredArray

    @property
    def is_float(self) -> bool:
        return self.part.spec is not None and self.part.spec.is_float

    @property
    def is_quantised(self) -> bool:
        return len(self.part.shape) > 1 and _NARROW.fullmatch(self.part.dtype) is not None

    @property
    def is_wide(self) -> bool:
        return len(self.part.shape) > 1 and _WIDE.fullmatch(self.part.dtype) is not None


def roles_of(parts: Sequence[StoredArray]) -> dict[str, Role]:
    """Return the floats of a file that are no parameters, by name."""
    layers: dict[str, list[_Member]] = defaultdict(list)
    for part in parts:
        layer, own = _split(part.name)
        layers[layer].append(_Member(own, part))
    # bitsandbytes puts tables below the tensor's own name
    packed = {part.name for part in parts if _Member("", part).is_quantised}
    roles: dict[str, Role] = {}
    for layer, members in layers.items():
        if layer.rpartition("/")[2] == "vars" and all(member.own.isdecimal() for member in members):
            found = _roles_by_order(layer, sorted(members, key=lambda member: int(member.own)))
        else:
            found = _roles_by_name(layer, members, in_quantised_file=bool(packed), is_table=layer in packed)
        roles |= {member.part.name: role for member, role in found if member.is_float}
    return roles


def _split(name: str) -> tuple[str, str]:
    """Return a tensor's layer and its own name in it; Keras's older files end in ":0"."""
    name = re.sub(r":\d+$", "", name)
    place = max(name.rfind("."), name.rfind("/"))
    return name[: max(place, 0)], name[place + 1 :]


def _roles_by_order(layer: str, members: Sequence[_Member]) -> list[tuple[_Member, Role]]:
    """Keras 3 numbers a layer's variables, in a fixed order: kernel, bias, kernel_scale, kernel_zero, g_idx."""
    shapes = [member.part.shape for member in members]
    if any(member.is_quantised for member in members):
        # gptq and awq put the bias in front, and without one the scale is alone behind the kernel
        first_two = [member.is_float for member in members[1:3]]
        bias = 0 if members[0].is_float else 1 if first_two == [True, True] else None
        return [(member, "scale") for place, member in enumerate(members) if place != bias]
    state = members[-_FLOAT8_STATE:]
    if len(members) > _FLOAT8_STATE and [len(member.part.shape) for member in state] == [0, 1] * 3:
        return [(member, "scale") for member in state]
    vectors = len({*shapes}) == 1 and len(shapes[0]) == 1
    if vectors and (len(members) == 4 or (len(members) in (2, 3) and _BATCH_NORM.search(layer))):
        return [(members[-1], "variance")]
    if len(members) == 3 and shapes[2] == () and not members[2].is_float and shapes[0] == shapes[1]:
        # a Normalization layer: mean, variance, and how many samples they are of
        return [(members[1], "variance")]
    return []


def _roles_by_name(
    layer: str, members: Sequence[_Member], *, in_quantised_file: bool, is_table: bool
) -> list[tuple[_Member, Role]]:
    scaled = any(_SCALE.search(member.own) for member in members)
    quantised = any(member.is_quantised for member in members) or (scaled and any(m.is_wide for m in members))
    float8 = any("amax_history" in member.own for member in members)
    roles: list[tuple[_Member, Role]] = []
    for member in members:
        own, shape = member.own, member.part.shape
        is_scale = _SCALE.search(own) is not None
        # without the name of a layer, all of a file is in one
        beside = quantised and not _TRAINED.fullmatch(own) and (is_scale or layer != "")
        if is_table or beside or (float8 and is_scale) or (in_quantised_file and _SURELY_SCALE.fullmatch(own)):
            roles.append((member, "scale"))
        elif _VARIANCE.fullmatch(own) or _FLAX_VARIANCE.fullmatch(member.part.name):
            roles.append((member, "variance"))
        elif _CONSTANT.fullmatch(own) or (own == "alpha" and math.prod(shape) == 1) or _is_causal_mask(own, shape):
            roles.append((member, "constant"))
    return roles


def _is_causal_mask(own: str, shape: tuple[int, ...]) -> bool:
    """GPT-2 and its heirs store the mask of their attention as "bias"."""
    return own == "bias" and len(shape) == 4 and shape[:2] == (1, 1) and shape[2] == shape[3] > 1


def tied(parts: Sequence[StoredArray]) -> dict[str, str]:
    """Return the name of the first tensor with the same values, for every parameter that is stored more than once.

    Tied embeddings and wrapped layers are one variable under two names: they must stay equal. Values that many a fresh
    tensor has, all of them one number or two, say nothing.
    """
    alike: dict[tuple[str, tuple[int, ...]], list[StoredArray]] = defaultdict(list)
    for part in parts:
        if part.spec is not None and part.spec.is_float and math.prod(part.shape) > 2:
            alike[part.dtype, part.shape].append(part)
    twins: dict[str, str] = {}
    for group in alike.values():
        begins = defaultdict(list)
        for part in group if len(group) > 1 else ():
            begins[next(iter(part.blocks())).tobytes()[:4096]].append(part)
        for candidates in begins.values():
            same: dict[bytes, list[str]] = defaultdict(list)
            for part in candidates if len(candidates) > 1 else ():
                if (digest := _digest(part)) is not None:
                    same[digest].append(part.name)
            twins |= {name: names[0] for names in same.values() if len(names) > 1 for name in names}
    return twins


def _digest(part: StoredArray) -> bytes | None:
    """Return a digest of a tensor's values; None where they are no more than two different numbers."""
    digest, known, varied = hashlib.sha256(), np.empty(0), False
    for block in part.blocks():
        digest.update(block.tobytes())
        if not varied:
            known = np.unique(np.concatenate([known, block]))
            varied = known.size > 2
    return digest.digest() if varied else None
