"""Units, and the quantity that a size is about where only its unit is said."""

from __future__ import annotations

import math
from collections.abc import Mapping

__all__ = ["QUANTITIES", "QUANTITY_OF", "UNITS", "name_of", "unit_of"]

UNITS: Mapping[str, tuple[str, float]] = {
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), ("m", 1.0)),
    **dict.fromkeys(("cm", "centimetre", "centimetres", "centimeter", "centimeters"), ("m", 0.01)),
    **dict.fromkeys(("mm", "millimetre", "millimetres", "millimeter", "millimeters"), ("m", 1e-3)),
    **dict.fromkeys(("km", "kilometre", "kilometres", "kilometer", "kilometers"), ("m", 1000.0)),
    **dict.fromkeys(("ft", "foot", "feet"), ("m", 0.3048)),
    **dict.fromkeys(("in", "inch", "inches"), ("m", 0.0254)),
    **dict.fromkeys(("yd", "yds", "yard", "yards"), ("m", 0.9144)),
    **dict.fromkeys(("px", "pixel", "pixels"), ("px", 1.0)),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), ("s", 1.0)),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), ("s", 1e-3)),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), ("s", 60.0)),
    **dict.fromkeys(
        (
            "m/s",
            "mps",
            "metres per second",
            "meters per second",
            "metre per second",
            "meter per second",
        ),
        ("mps", 1.0),
    ),
    **dict.fromkeys(
        ("cm/s", "centimetres per second", "centimeters per second", "centimetre per second"),
        ("mps", 0.01),
    ),
    **dict.fromkeys(("mm/s", "millimetres per second", "millimeters per second"), ("mps", 1e-3)),
    **dict.fromkeys(
        (
            "km/h",
            "kmh",
            "kph",
            "kilometres per hour",
            "kilometers per hour",
            "kmph",
            "kilometre per hour",
            "kilometer per hour",
        ),
        ("mps", 1 / 3.6),
    ),
    **dict.fromkeys(("mph", "miles per hour", "mile per hour"), ("mps", 0.44704)),
    **dict.fromkeys(("ft/s", "feet per second", "foot per second"), ("mps", 0.3048)),
    **dict.fromkeys(
        ("px/s", "pixels per second", "pixel per second", "pixels a second", "px per second"),
        ("px_s", 1.0),
    ),
    **dict.fromkeys(
        ("m/s2", "metres per second squared", "meters per second squared"), ("mps2", 1.0)
    ),
    **dict.fromkeys(("ft/s2", "feet per second squared"), ("mps2", 0.3048)),
    **dict.fromkeys(("g", "gs"), ("mps2", 9.80665)),
    **dict.fromkeys(("rad/s", "radians per second", "radian per second"), ("radps", 1.0)),
    **dict.fromkeys(("deg/s", "degrees per second", "degree per second"), ("radps", math.pi / 180)),
    **dict.fromkeys(("rpm", "revolutions per minute"), ("radps", math.pi / 30)),
    **dict.fromkeys(
        ("rev/s", "revolutions per second", "revolution per second"), ("radps", 2 * math.pi)
    ),
    **dict.fromkeys(("percent", "per cent", "pct"), ("", 0.01)),
    "sizes/s": ("sizes_s", 1.0),
    "sizes/s2": ("sizes_s2", 1.0),
    **dict.fromkeys(("ns", "n s", "newton second", "newton seconds"), ("ns", 1.0)),
    **dict.fromkeys(("rad", "radian", "radians"), ("rad", 1.0)),
    **dict.fromkeys(("deg", "degree", "degrees"), ("rad", math.pi / 180)),
    **dict.fromkeys(("revolution", "revolutions", "full turn", "full turns"), ("rad", 2 * math.pi)),
}
"""Unit to the unit in which quantities of its dimension are stored, and the factor to it."""

QUANTITY_OF: Mapping[str, Mapping[str, str]] = {
    "fall": {"m": "height_m", "px": "height_px", "mps": "impact_speed_mps"},
    "rise": {"m": "height_m", "px": "height_px"},
    "throw": {"m": "range_m", "m up": "rise_m", "mps": "speed_mps", "rad": "launch_angle_rad"},
    "collide": {"mps": "approach_speed_mps", "px_s": "approach_speed_px_s"},
    "near_miss": {
        "m": "distance_m",
        "px": "distance_px",
        "s": "ttc_s",
        "mps2": "drac_mps2",
        "mps": "closing_speed_mps",
        "px_s": "closing_speed_px_s",
    },
    "bounce": {
        "mps": "speed_before_mps",
        "px_s": "speed_before_px_s",
        "mps back": "speed_after_mps",
        "px_s back": "speed_after_px_s",
    },
    "roll": {"m": "distance_m", "mps": "speed_mps", "radps": "spin_radps"},
    "slide": {"m": "distance_m", "mps": "speed_mps"},
    "start": {"mps": "top_speed_mps", "px_s": "top_speed_px_s"},
    "stop": {"mps": "top_speed_mps", "px_s": "top_speed_px_s"},
    "topple": {"rad": "tilt_rad"},
    "enter": {"px_s": "speed_px_s"},
    "exit": {"px_s": "speed_px_s"},
    "cross": {"s": "pet_s"},
    "reappear": {"s": "hidden_s"},
    "accelerate": {
        "mps": "delta_v_mps",
        "mps2": "mean_rate_mps2",
        "sizes_s": "delta_v_sizes_s",
        "sizes_s2": "mean_rate_sizes_s2",
    },
    "brake": {
        "mps": "delta_v_mps",
        "mps2": "mean_rate_mps2",
        "sizes_s": "delta_v_sizes_s",
        "sizes_s2": "mean_rate_sizes_s2",
    },
    "turn": {"rad": "angle_rad", "m": "radius_m", "px": "radius_px"},
    "oscillate": {"s": "period_s", "m": "amplitude_m", "px": "amplitude_px"},
    "rotate": {"rad": "angle_rad", "radps": "spin_radps"},
    "push": {"m": "distance_m", "mps": "speed_mps"},
    "carry": {"m": "distance_m", "mps": "speed_mps"},
    "pick_up": {"m": "height_m"},
    "put_down": {"m": "height_m"},
    "contain": {"mps": "entry_speed_mps"},
    "pour": {"m": "height_m", "rad": "tilt_rad"},
    "flow": {"mps": "speed_mps", "px_s": "speed_px_s"},
    "deform": {"": "bend"},
    "contact": {"ns": "impulse_ns"},
    "collapse": {"m": "height_lost_m"},
    "overtake": {"mps": "relative_speed_mps", "px_s": "relative_speed_px_s"},
}
"""Event and stored unit to the quantity that a bare measure of that unit is about; a bare time is
`duration_s` where nothing else is said."""

QUANTITIES: Mapping[str, tuple[str, str]] = {
    "entry_speed_mps": ("contain", "entry speed"),
    "bend": ("deform", "relative bend, change of shape"),
    "recovery": ("deform", "recovery, recover, recovers, recovering, recovered, regain, regains"),
    "num_bodies": ("converge", "number of bodies, num bodies"),
    "num_pieces": ("break", "number of pieces, num pieces"),
    "ttc_s": ("near_miss", "time to collision, ttc"),
    "closest_approach_s": ("near_miss", "time of closest approach"),
    "mttc_s": ("near_miss", "modified time to collision, mttc"),
    "drac_mps2": ("near_miss", "deceleration rate to avoid a crash, drac"),
    "mdrac_mps2": ("near_miss", "modified drac, mdrac"),
    "pet_s": ("cross", "post encroachment time, pet"),
    "headway_s": ("follow", "headway, time headway, time gap"),
    "restitution": ("bounce", "restitution, coefficient of restitution"),
    "approach_speed_mps": ("collide", "approach speed, impact velocity, collision speed"),
    "closing_speed_mps": ("near_miss", "closing speed, closing velocity"),
    "impact_speed_mps": ("fall", "impact speed"),
    "launch_angle_rad": ("throw", "launch angle"),
    "period_s": ("oscillate", "period"),
    "amplitude_m": ("oscillate", "amplitude"),
    "num_swings": ("oscillate", "num swings, number of swings"),
    "delta_v_mps": ("brake", "delta v, change of speed, speed change"),
    "mean_rate_mps2": ("brake", "mean rate"),
    "spin_radps": (
        "rotate",
        "with spin, with a spin, spin rate, angular speed, angular velocity, rate of rotation",
    ),
    "tilt_rad": ("topple", "tilt"),
    "rightward_rad": ("turn", "rightward"),
    "duration_s": ("", "duration"),
}
"""Quantity to the event that it speaks of by itself, if any, and the words that name it."""

_STORED = sorted({stored for stored, _ in UNITS.values()}, key=len, reverse=True)


def unit_of(quantity: str) -> str:
    """The unit with which the name of a quantity ends; "" for a ratio or a number."""
    return next((unit for unit in _STORED if quantity.endswith(f"_{unit}")), "")


def name_of(quantity: str) -> str:
    """The quantity in words, without its unit."""
    return quantity.removesuffix(f"_{unit_of(quantity)}").replace("_", " ")
