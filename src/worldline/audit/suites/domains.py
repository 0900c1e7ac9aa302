"""Kinds of things that happen, as groups of scene families: the columns of `transfer`."""

from __future__ import annotations

__all__ = ["DOMAINS", "domains_of"]

DOMAINS: dict[str, tuple[str, ...]] = {
    "falling": ("drop", "throw", "bounce"),
    "colliding": ("collide", "billiards"),
    "rolling and sliding": ("roll", "slide", "ramp", "u_slope"),
    "stacking and toppling": ("stack", "unstable_stack", "tower", "topple", "dominoes", "seesaw"),
    "hiding": ("occlude", "contain"),
    "swinging and spinning": ("pendulum", "gyroscope"),
    "pushing and grasping": ("push", "hand"),
    "breaking and soft": ("break", "cloth", "soft"),
    "pouring": ("pour",),
    "traffic": ("traffic",),
    "flat discs": ("disc_uniform", "disc_parabola", "disc_collision", "disc_bounce"),
}
"""Domain to families of the simulator."""


def domains_of(families: tuple[str, ...] | list[str]) -> dict[str, tuple[str, ...]]:
    """For each domain, which of its families are among these; empty where none is."""
    return {
        domain: tuple(name for name in names if name in families)
        for domain, names in DOMAINS.items()
    }
