"""The images of sample_data by name: what is where, in which colours."""

from __future__ import annotations

from pictures import Scene, Thing

CLASSES = ("boats", "balloons")

CREAM = "#fff3dc"
RED = "#d8402f"
BLUE = "#2f6fb3"
YELLOW = "#f6c945"
GREEN = "#18a08a"
VIOLET = "#7a3fa0"
SUNSET_SKY = ("#2b3f73", "#c96a5b", "#ffc07a")
DAY_SKY = ("#2f74bd", "#8cc4e8", "#e6f2f2")
FOG_SKY = ("#8f9aa3", "#d5d9db")
MORNING_SKY = ("#3f7fc4", "#a9d3ee", "#fbe9c9")
DUSK_SKY = ("#2a2557", "#8a4f86", "#f39a72")
SUNSET_SEA = ("#b5766a", "#3d4f7c", "#1d2c4f")
DAY_SEA = ("#7fb9cf", "#2c7fa8", "#135276")
FOG_SEA = ("#b4babd", "#6a747b")
GREEN_HILLS = ("#8fb0c4", "#7fa877", "#4f8247", "#2f5a33")
DUSK_HILLS = ("#7d5a8c", "#574277", "#372c57", "#221c3b")
AUTUMN_HILLS = ("#b6a9b8", "#c98f4e", "#a8632f", "#6b4020")
WINTER_HILLS = ("#b9cbe0", "#dbe6f0", "#c3d3e4", "#f2f6fa")

SCENES = {
    "boats/sunset.jpg": Scene(
        kind="boats",
        width=320,
        height=214,
        seed=3,
        sky=SUNSET_SKY,
        ground=SUNSET_SEA,
        sun=(0.7, 0.47),
        horizon=0.55,
        cloudiness=0.5,
        things=(
            Thing(0.33, 0.72, 0.45, ("#7c2d24", CREAM, RED)),
            Thing(0.85, 0.6, 0.14, ("#24344d", CREAM, YELLOW)),
        ),
    ),
    "boats/noon.png": Scene(
        kind="boats",
        width=240,
        height=180,
        seed=11,
        sky=DAY_SKY,
        ground=DAY_SEA,
        sun=(0.18, 0.14),
        horizon=0.5,
        cloudiness=0.6,
        things=(Thing(0.58, 0.78, 0.58, ("#f2f2f2", "#fafafa", BLUE)),),
    ),
    "boats/regatta.jpg": Scene(
        kind="boats",
        width=300,
        height=200,
        seed=23,
        sky=DAY_SKY,
        ground=DAY_SEA,
        sun=(0.9, 0.1),
        horizon=0.42,
        cloudiness=0.4,
        things=(
            Thing(0.62, 0.5, 0.16, ("#303030", CREAM, GREEN)),
            Thing(0.4, 0.56, 0.24, ("#20406a", "#fafafa", YELLOW)),
            Thing(0.82, 0.66, 0.36, ("#8b2020", "#fafafa", RED)),
            Thing(0.17, 0.8, 0.52, ("#1f4f3f", CREAM, GREEN)),
        ),
    ),
    "boats/fog.png": Scene(
        kind="boats",
        width=240,
        height=180,
        seed=31,
        sky=FOG_SKY,
        ground=FOG_SEA,
        sun=(0.6, 0.2),
        horizon=0.52,
        cloudiness=0.9,
        things=(
            Thing(0.45, 0.74, 0.5, ("#3f4448", "#e9e9e6", "#8a9096")),
            Thing(0.83, 0.57, 0.15, ("#8d9498", "#dcdcda", "#b0b4b6")),
        ),
    ),
    "boats/upright.jpg": Scene(
        kind="boats",
        width=180,
        height=240,
        seed=41,
        sky=DUSK_SKY,
        ground=SUNSET_SEA,
        sun=(0.28, 0.5),
        horizon=0.58,
        cloudiness=0.3,
        things=(Thing(0.56, 0.78, 0.5, ("#33203c", "#ffe2c4", VIOLET)),),
    ),
    "boats/deep.png": Scene(
        kind="boats",
        width=176,
        height=132,
        seed=53,
        sky=MORNING_SKY,
        ground=DAY_SEA,
        sun=(0.8, 0.3),
        horizon=0.5,
        cloudiness=0.5,
        things=(Thing(0.4, 0.76, 0.55, ("#6a2f1f", CREAM, YELLOW)),),
    ),
    "balloons/morning.jpg": Scene(
        kind="balloons",
        width=320,
        height=214,
        seed=5,
        sky=MORNING_SKY,
        ground=GREEN_HILLS,
        sun=(0.2, 0.2),
        horizon=0.55,
        cloudiness=0.5,
        things=(
            Thing(0.6, 0.75, 0.6, (RED, YELLOW, BLUE)),
            Thing(0.2, 0.55, 0.22, (VIOLET, CREAM)),
            Thing(0.87, 0.5, 0.16, (GREEN, "#ffffff")),
        ),
    ),
    "balloons/festival.png": Scene(
        kind="balloons",
        width=240,
        height=180,
        seed=67,
        sky=DAY_SKY,
        ground=AUTUMN_HILLS,
        sun=(0.85, 0.15),
        horizon=0.6,
        cloudiness=0.3,
        things=(
            Thing(0.12, 0.4, 0.26, (BLUE, CREAM)),
            Thing(0.36, 0.62, 0.42, (YELLOW, RED)),
            Thing(0.6, 0.36, 0.2, (GREEN, YELLOW)),
            Thing(0.82, 0.72, 0.48, (VIOLET, RED, CREAM)),
        ),
    ),
    "balloons/dusk.jpg": Scene(
        kind="balloons",
        width=288,
        height=192,
        seed=71,
        sky=DUSK_SKY,
        ground=DUSK_HILLS,
        sun=(0.5, 0.52),
        horizon=0.58,
        cloudiness=0.4,
        things=(
            Thing(0.3, 0.7, 0.56, ("#e0604c", "#f7d9a0")),
            Thing(0.76, 0.46, 0.24, (BLUE, "#d9e4f2")),
        ),
    ),
    "balloons/winter.png": Scene(
        kind="balloons",
        width=224,
        height=168,
        seed=83,
        sky=FOG_SKY,
        ground=WINTER_HILLS,
        sun=(0.75, 0.2),
        horizon=0.6,
        cloudiness=0.5,
        things=(Thing(0.4, 0.68, 0.6, (RED, CREAM)),),
    ),
    "balloons/valley.jpg": Scene(
        kind="balloons",
        width=200,
        height=267,
        seed=97,
        sky=MORNING_SKY,
        ground=GREEN_HILLS,
        sun=(0.8, 0.12),
        horizon=0.6,
        cloudiness=0.45,
        things=(
            Thing(0.45, 0.6, 0.42, (GREEN, CREAM, BLUE)),
            Thing(0.82, 0.46, 0.13, (RED, CREAM)),
        ),
    ),
}

STICKER = Thing(0.5, 0.95, 0.9, (RED, CREAM, BLUE))
