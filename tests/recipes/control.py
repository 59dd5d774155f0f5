"""A cart-pole whose sensors and motor are noisy, balanced by a policy that learned with that noise or without."""

import numpy as np
from common import Figures, Recipe, Work, main
from numpy.typing import NDArray

from noisecli import add_gaussian_noise

Array = NDArray[np.float64]
STEPS = 300
OBSERVATION_STD, ACTION_STD = 0.4, 0.5


def balanced(policies: Array, rng: np.random.Generator, noisy: bool, episodes: int) -> Array:
    """Return for each policy the mean number of steps until the pole falls or the cart leaves the track.

    The physics of Barto, Sutton and Anderson (1983), one step 0.02 s; a policy is linear in what it sees now and saw
    before (position, speed, angle, its speed: twice four numbers), the force held to one unit, 10 N.
    """
    count = len(policies)
    state = rng.uniform(-0.05, 0.05, (count, episodes, 4))
    before, alive, steps = np.zeros_like(state), np.ones((count, episodes), bool), np.zeros((count, episodes))
    for _ in range(STEPS):
        seen = add_gaussian_noise(state, OBSERVATION_STD, rng=rng) if noisy else state
        action = np.clip(np.einsum("ci,cei->ce", policies, np.concatenate([seen, before], axis=-1)), -1, 1)
        before = seen
        if noisy:
            action = add_gaussian_noise(action, ACTION_STD, rng=rng, clip=(-1, 1))
        state = moved(state, 10 * action)
        alive &= (np.abs(state[..., 0]) < 2.4) & (np.abs(state[..., 2]) < 0.21)
        steps += alive
    return steps.mean(axis=1)


def moved(state: Array, force: Array) -> Array:
    x, speed, angle, turn = np.moveaxis(state, -1, 0)
    push = (force + 0.05 * turn**2 * np.sin(angle)) / 1.1
    turning = (9.8 * np.sin(angle) - np.cos(angle) * push) / (0.5 * (4 / 3 - 0.1 * np.cos(angle) ** 2 / 1.1))
    moving = push - 0.05 * turning * np.cos(angle) / 1.1
    return np.stack([x + 0.02 * speed, speed + 0.02 * moving, angle + 0.02 * turn, turn + 0.02 * turning], axis=-1)


def learned(rng: np.random.Generator, noisy: bool) -> Array:
    """Return the policy that the cross-entropy method arrives at: draw 40, keep the best 8, draw around them."""
    centre, spread = np.zeros(8), np.full(8, 1.0)
    for _ in range(15):
        policies = centre + spread * rng.standard_normal((40, 8))
        best = np.argsort(balanced(policies, rng, noisy, episodes=8))[-8:]
        centre, spread = policies[best].mean(axis=0), policies[best].std(axis=0) + 0.05
    return centre[None]


def run(work: Work) -> Figures:
    policies = {name: learned(np.random.default_rng(work.seed), name == "trained") for name in ("without", "trained")}
    figures = {}
    for name, policy in policies.items():
        for world in ("clean", "noisy"):
            rng = np.random.default_rng([work.seed, 1])
            figures[f"{name}_{world}"] = float(balanced(policy, rng, world == "noisy", episodes=200)[0])
    return figures


RECIPE = Recipe(
    use="Control with noisy sensors and motors, `add_gaussian_noise`",
    bought="steps of 300 a cart-pole stays up with noise: {without_noisy:.0f} → {trained_noisy:.0f};"
    " without: {without_clean:.0f} → {trained_clean:.0f}",
    run=run,
)

if __name__ == "__main__":
    main(RECIPE)
