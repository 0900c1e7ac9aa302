"""Physics as pure functions over `Scene`: kinematics, events, conflict measures and laws."""

from worldline.physics.conflict import (
    ClosestApproach,
    closest_approach,
    deceleration_to_avoid_crash,
    encroachment_time,
    modified_deceleration_to_avoid_crash,
    modified_time_to_collision,
    post_encroachment_time,
    time_to_collision,
)
from worldline.physics.contacts import detect_contacts, with_contacts
from worldline.physics.events import ONTOLOGY, EventType, NearMissRule, define, detect_events
from worldline.physics.flight import Flight, find_flights
from worldline.physics.kinematics import (
    STANDARD_GRAVITY_MPS2,
    Motion,
    Segment,
    Track,
    motion_of,
    smooth_velocity,
)
from worldline.physics.laws import LAWS, check_laws
from worldline.physics.polynomial import PolynomialFit, estimate_noise, fit_polynomial
from worldline.physics.profiles import PROFILES, ConflictProfile, Limit
from worldline.physics.segmentation import split_parabolas

__all__ = [
    "LAWS",
    "ONTOLOGY",
    "PROFILES",
    "STANDARD_GRAVITY_MPS2",
    "ClosestApproach",
    "ConflictProfile",
    "EventType",
    "Flight",
    "Limit",
    "Motion",
    "NearMissRule",
    "PolynomialFit",
    "Segment",
    "Track",
    "check_laws",
    "closest_approach",
    "deceleration_to_avoid_crash",
    "define",
    "detect_contacts",
    "detect_events",
    "encroachment_time",
    "estimate_noise",
    "find_flights",
    "fit_polynomial",
    "modified_deceleration_to_avoid_crash",
    "modified_time_to_collision",
    "motion_of",
    "post_encroachment_time",
    "smooth_velocity",
    "split_parabolas",
    "time_to_collision",
    "with_contacts",
]
