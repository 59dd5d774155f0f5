"""--shard auto: which part a scheduler's variables stand for, and what they leave unsaid."""

import click
import pytest

from noisecli.cli.shards import SCHEDULERS, parse_shard

SLURM = {"SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "4", "SLURM_ARRAY_TASK_COUNT": "4"}


def slurm(number, **others):
    return {**SLURM, "SLURM_ARRAY_TASK_ID": str(number), **others}


@pytest.mark.parametrize(
    ("text", "environment", "expected"),
    [
        ("2/3", slurm(4), (2, 3)),
        (" 2 / 3 ", {}, (2, 3)),
        ("auto", slurm(1), (1, 4)),
        ("AUTO", slurm(4), (4, 4)),
        ("auto/4", slurm(3), (3, 4)),
        ("auto", slurm(0, SLURM_ARRAY_TASK_MIN="0", SLURM_ARRAY_TASK_MAX="3"), (1, 4)),
        ("auto", slurm(13, SLURM_ARRAY_TASK_MIN="10", SLURM_ARRAY_TASK_MAX="13"), (4, 4)),
        ("auto", {"AWS_BATCH_JOB_ARRAY_INDEX": "0", "AWS_BATCH_JOB_ARRAY_SIZE": "5"}, (1, 5)),
        ("auto", {"AWS_BATCH_JOB_ARRAY_INDEX": "4", "AWS_BATCH_JOB_ARRAY_SIZE": "5"}, (5, 5)),
        ("auto/7", {"JOB_COMPLETION_INDEX": "6"}, (7, 7)),
        ("auto", {"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "2"}, (1, 2)),
        ("auto", {"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "4", **slurm(2)}, (2, 4)),
    ],
)
def test_what_it_stands_for(text, environment, expected):
    assert parse_shard(text, environment) == expected


@pytest.mark.parametrize(
    ("text", "environment", "words"),
    [
        ("auto", {}, "none of SLURM_ARRAY_TASK_ID, AWS_BATCH_JOB_ARRAY_INDEX, JOB_COMPLETION_INDEX, CI_NODE_INDEX"),
        ("auto", {"CI_NODE_TOTAL": "1"}, "is no job of an array"),
        ("auto", {"SLURM_ARRAY_TASK_ID": "2"}, "SLURM_ARRAY_TASK_COUNT is not set; write --shard auto/N"),
        ("auto", {"JOB_COMPLETION_INDEX": "0"}, "Kubernetes does not say of how many; write --shard auto/N"),
        ("auto", {"AWS_BATCH_JOB_ARRAY_INDEX": "0"}, "AWS_BATCH_JOB_ARRAY_SIZE is not set"),
        ("auto", {"CI_NODE_INDEX": "1"}, "CI_NODE_TOTAL is not set"),
        ("auto/3", {"SLURM_ARRAY_TASK_ID": "2"}, "SLURM_ARRAY_TASK_MIN is not set"),
        (
            "auto/3",
            {"SLURM_ARRAY_TASK_ID": "2", **dict.fromkeys(SLURM, "2"), "SLURM_ARRAY_TASK_COUNT": "1"},
            "is 1, so",
        ),
        ("auto", slurm(7, SLURM_ARRAY_TASK_MAX="7"), "have gaps"),
        ("auto", slurm(9), "counted from 1 to 4"),
        ("auto", slurm("x"), "not a number"),
        ("auto/3", {"JOB_COMPLETION_INDEX": "3"}, "counted from 1 to 3"),
        ("auto", {"CI_NODE_INDEX": "0", "CI_NODE_TOTAL": "2"}, "counted from 1 to 2"),
        ("auto/0", {"JOB_COMPLETION_INDEX": "0"}, "from 1 to 100,000"),
        ("auto/4", {**slurm(2), "JOB_COMPLETION_INDEX": "2"}, "by SLURM_ARRAY_TASK_ID this is 2/4, by JOB_COMPLETION"),
        ("automatic", slurm(1), "or auto"),
    ],
)
def test_half_a_run_is_never_guessed(text, environment, words):
    with pytest.raises(click.UsageError) as caught:
        parse_shard(text, environment)
    assert words in caught.value.message
    assert "\n" not in caught.value.message


def test_help_names_every_scheduler(noisy):
    shown = " ".join(noisy("images", "--help").out.split())
    assert all(scheduler.name in shown for scheduler in SCHEDULERS)
