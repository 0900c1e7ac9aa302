"""Words for what happens, and the roles of those who take part."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "BEING",
    "CAUSED",
    "DOING",
    "FORMS",
    "GROUPS",
    "HANDLED",
    "SECOND_ROLE",
    "TO_ANOTHER",
    "is_participle",
    "is_turned_round",
]

FORMS: Mapping[str, str] = {
    "fall": "fall, falls, falling, fell, fallen, free fall, free falls, drop, drops, dropping, "
    "dropped, plunge, plunges, plunging, plummet, plummets, plummeting, fall down, falls down, "
    "falling down, fell down, land, lands, landing, landed",
    "throw": "throw, throws, throwing, threw, thrown, toss, tosses, tossed, tossing, hurl, hurls, "
    "hurled, fling, flings, flung, launch, launches, launched",
    "rise": "rise, rises, rising, rose, risen, climb, climbs, climbing, climbed, ascend, ascends, "
    "ascending, go up, goes up, going up",
    "contact": "contact, contacts, touch, touches, touching, touched, make contact, makes contact, "
    "come into contact, comes into contact",
    "collide": "collide, collides, colliding, collided, collision, collisions, hit, hits, hitting, "
    "strike, strikes, striking, struck, crash, crashes, crashing, crashed, bump, bumps, bumping, "
    "bumped, smash into, smashes into, smashing into, smashed into, smash together, "
    "smashes against, smashed against, run into, runs into, ran into, "
    "running into, run over, runs over, ran over, running over, ram, rams, rammed, "
    "bang into, bangs into",
    "bounce": "bounce, bounces, bouncing, bounced, rebound, rebounds, rebounding, rebounded",
    "roll": "roll, rolls, rolling, rolled",
    "slide": "slide, slides, sliding, slid, skid, skids, skidding, skidded, slip, slips, slipping",
    "topple": "topple, topples, toppling, toppled, topple over, topples over, fall over, "
    "falls over, falling over, fell over, "
    "knock over, knocks over, knocked over, knocking over, tip over, "
    "tips over, tipping over, tipped over, "
    "overturn, overturns, overturned, tumble, tumbles, tumbling",
    "occlude": "occlude, occludes, occluded, occlusion, occlusions, is hidden, are hidden, hidden, "
    "gets hidden, disappear, disappears, disappearing, disappeared, vanish, vanishes, vanishing, "
    "out of sight, goes out of sight, pass behind, passes behind, goes behind, go behind, "
    "moves behind, move behind, hide, hides, hiding, hid, obscure, obscures, obscuring, obscured, "
    "conceal, conceals, concealed, blocks the view of, block the view of, moving behind, "
    "passing behind, going behind",
    "reappear": "reappear, reappears, reappearing, reappeared, reappearance, comes back into view, "
    "come back into view, emerges, emerge, emerging, comes out, come out, coming out, came out, "
    "appears again, reappears again",
    "enter": "entry, entries, enter, enters, entering, entered, "
    "come into view, comes into view, come in, "
    "comes in, enter the frame, enters the frame, enters the view, enters the scene, "
    "enters the picture, appear, appears, appearing, appeared, comes into the picture, "
    "comes into frame, comes into the frame",
    "exit": "exit, exits, exiting, exited, leave, leaves, leaving, goes out of view, "
    "leave the frame, leaves the frame, leaves the view, leaves the scene, exits the frame, "
    "leaves the picture, leaves the image, left the frame, left the view, left the scene, "
    "left the picture",
    "start": "start, starts, starting, started, start moving, starts moving, started moving, "
    "starts to move, begins to move, begins moving, sets off",
    "stop": "stop, stops, stopping, stopped, stop moving, stops moving, halt, halts, halted, "
    "come to rest, comes to rest, came to rest, comes to a stop, come to a stop, comes to a halt",
    "still": "standstill, standstills, "
    "still, stands still, stand still, rests, at rest, stationary, motionless, "
    "does not move, do not move, is not moving, stays still, parked, standing still, stay still",
    "cross": "cross, crosses, crossing, crossed, paths cross, crossings, cross paths, "
    "crosses the path of, cross the path of",
    "accelerate": "accelerate, accelerates, accelerating, accelerated, acceleration, speed up, "
    "speeds up, speeding up, sped up, gets faster, get faster, gains speed",
    "brake": "brake, brakes, braking, braked, slow down, slows down, slowing down, slowed down, "
    "decelerate, decelerates, decelerating, decelerated, deceleration, gets slower, loses speed",
    "turn": "turn, turns, turning, turned, changes direction, "
    "change direction, changing direction, swerve, swerves, swerving, swerved, veer, veers, "
    "veering, veered, takes a turn",
    "oscillate": "oscillate, oscillates, oscillating, oscillated, oscillation, oscillations, "
    "swing, swings, swinging, swung, vibrate, vibrates, vibrating, moves back and forth, "
    "move back and forth, goes to and fro, sways, swaying",
    "rotate": "rotate, rotates, rotating, rotated, rotation, rotations, spin, spins, spinning, "
    "spun, revolve, revolves, revolving",
    "push": "push, pushes, pushing, pushed, shove, shoves, shoving, shoved, pushed by, shoved by",
    "carry": "carry, carries, carrying, carried, transport, transports, transporting, carried by, "
    "transported, transported by",
    "pick_up": "pick up, picks up, picking up, picked up, lift, lifts, lifting, lifted, lift up, "
    "lifts up, picked up by, lifted by, picks it up, pick it up, lifts it up",
    "put_down": "put down, puts down, putting down, set down, sets down, setting down, "
    "placing, placed, put down by, set down by, placed by, puts it down, put it down, sets it down",
    "collapse": "collapse, collapses, collapsing, collapsed, cave in, caves in, comes down, "
    "come crashing down, comes crashing down, falls apart, fall apart",
    "support": "support, supports, supporting, supported, holds up, hold up, supported by, "
    "stands on, stand on, standing on, rests on, rest on, resting on, sits on, sit on, sitting on, "
    "is stacked on, stacked on, are stacked on, balances on, balancing on, balanced on, lies "
    "on, lie on, lying on",
    "follow": "follow, follows, tailgate, tailgates, tailgating, is followed by, "
    "are followed by, drives behind, walks behind, following closely, follows closely",
    "overtake": "overtake, overtakes, overtaking, overtook, overtaken, overtaken by, overtakings",
    "contain": "containment, is contained in, are contained in, contained in, goes into, "
    "go into, going into, went into, falls into, fall into, falling into, fell into, "
    "drops into, drop into, "
    "dropping into, dropped into, lands in, land in, landing in, landed in, ends up in, end up in, "
    "ended up in, ending up in, ends up inside, end up inside, gets into, get into, is put into, "
    "stays in, stay in, staying in, stays inside, stay inside, remains in, remain in, "
    "remains inside, "
    "is inside, are inside, "
    "are put into, put into, is placed into, placed into, thrown into, is thrown into",
    "pour": "pour, pours, pouring, poured, poured by, pour out, pours out, pouring out, "
    "poured out, poured out by, spill, spills, spilling, spilled, spilled by, empties, empty out",
    "flow": "flow, flows, flowing, flowed, stream, streams, streaming, streamed, trickle, "
    "trickles, trickling, trickled",
    "converge": "converge, converges, converging, converged, convergence, come together, "
    "comes together, coming together, came together, gather, gathers, gathering, gathered",
    "diverge": "diverge, diverges, diverging, diverged, divergence, scatter, scatters, scattering, "
    "scattered, disperse, disperses, dispersing, dispersed, fly apart, flies apart, flying apart, "
    "flew apart, move apart, moves apart, moving apart, moved apart, spread out, spreads out, "
    "spreading out",
    "deform": "deform, deforms, deforming, deformed, deformation, deformations, squash, squashes, "
    "squashing, squashed, bend, bends, bending, bent, crumple, crumples, crumpling, crumpled, "
    "dent, dents, denting, dented, change shape, changes shape, changing shape, changes its shape, "
    "loses its shape, give way, gives way, giving way, gave way",
    "break": "break, breaks, breaking, broke, broken, breakage, break apart, breaks apart, "
    "breaking apart, broke apart, breaks into pieces, break into pieces, broke into pieces, "
    "breaks to pieces, shatter, shatters, shattering, shattered, smash, smashes, smashing, "
    "smashed, fall to pieces, falls to pieces, "
    "fell to pieces, splinter, splinters, splintering, splintered, burst, bursts, bursting",
}
"""Event to the words and phrases that name it."""

SECOND_ROLE: Mapping[str, str] = {
    "fall": "support",
    "bounce": "support",
    "roll": "support",
    "slide": "support",
    "occlude": "occluder",
    "reappear": "occluder",
    "break": "against",
}
"""Role of the object named after "on", "off" or "behind", for events of one object."""

DOING: Mapping[str, tuple[str, str]] = {
    "push": ("agent", "object"),
    "carry": ("agent", "object"),
    "pick_up": ("agent", "object"),
    "put_down": ("agent", "object"),
    "support": ("support", "object"),
    "follow": ("object", "leader"),
    "overtake": ("object", "overtaken"),
    "contain": ("vessel", "object"),
    "pour": ("agent", "object"),
}
"""Events that one object does to another: the roles of the verb's subject and of its object."""

GROUPS = frozenset(["converge", "diverge", "flow", "collapse"])
"""Events of several objects at once: a number before their subject says how many."""

HANDLED = frozenset(["push", "carry", "pick_up", "put_down"])
"""Events of `DOING` after which "it" is the thing done to: "a robot lifts a box, then it falls"."""

TO_ANOTHER = frozenset(["occlude", "break", "deform"])
"""Events of one object that a verb may say of who does it to the object: "a box hides a ball"."""

CAUSED = frozenset(
    ["fall", "throw", "bounce", "roll", "slide", "topple", "oscillate", "rotate", "stop", "start"]
)
"""Events of one object whose verb may name it after somebody else: "a person drops a ball"."""

BEING = frozenset(["is", "are", "was", "were", "be", "been", "being", "gets", "get", "got"])
_PARTICIPLES = ("ed", "en", "ing", "own", "hit", "put", "set", "ung", "uck")


def is_participle(words: str) -> bool:
    """Whether a verb can stand before its noun: "falling", "thrown"."""
    return words.split()[0].endswith(_PARTICIPLES)


def is_turned_round(words: str, before: str, link: str) -> bool:
    """Whether the roles of a verb of `DOING` are the other way round.

    Args:
        words: the verb: "pushed by", "stands on" and "falls into" are, "pushes" is not.
        before: the word before it: "is pushed" is.
        link: the preposition after it: "pushed by" is.
    """
    verb = words.split()[0]
    passive = verb.endswith(("ed", "en")) or verb in ("put", "set")
    return (passive and (before in BEING or link == "by")) or words.endswith(
        (" by", " on", " on top of", " in", " into", " inside")
    )
