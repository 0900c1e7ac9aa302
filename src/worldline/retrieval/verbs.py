"""Words for what happens, and the roles of those who take part."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "BEING",
    "CAUSED",
    "COUNTED",
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
    "falling down, fell down, land, lands, landing, landed, drops down, drop down, dropping down, "
    "dropped down, plunged, plummeted",
    "throw": "throw, fly, flies, flying, flew, pitch, throws, throwing, threw, thrown, toss, "
    "tosses, tossed, tossing, hurl, hurls, hurled, fling, flings, flung, launch, launches, "
    "launched, pitches, pitched, lob, lobs, lobbed, lobbing, chuck, chucks, chucked, hurling, "
    "flinging, launching, catapult, catapults, catapulted",
    "rise": "rise, rises, rising, rose, risen, climb, climbs, climbing, climbed, ascend, ascends, "
    "ascending, go up, goes up, going up, take off, takes off, taking off, took off, moves up, "
    "move up, moving up, moves upward, goes upward, floats up, float up, flies up, fly up, went "
    "up",
    "contact": "contact, contacts, touch, touches, touching, touched, make contact, makes contact, "
    "come into contact, comes into contact, comes in contact, come in contact, is in contact, are "
    "in contact, in contact, brushes against, grazes, graze, grazed, grazing, taps, tapped",
    "collide": "collide, sideswipe, sideswipes, sideswiped, collides, colliding, collided, "
    "collision, collisions, hit, hits, hitting, strike, strikes, striking, struck, crash, "
    "crashes, crashing, crashed, bump, bumps, bumping, bumped, smash into, smashes into, "
    "smashing into, smashed into, smash together, smashes against, smashed against, run into, "
    "runs into, ran into, running into, run over, runs over, ran over, running over, ram, rams, "
    "rammed, bang into, bangs into, reverses into, reverse into, reversing into, reversed into, "
    "backs into, back into, backing into, backed into, drives into, drive into, driving into, "
    "drove into, rides into, walks into, slam into, slams into, slamming into, slammed into, "
    "slams against, plows into, ploughs into, knocks into, knock into, knocks against, rear "
    "ends, rear ended, impacts, impacting, ramming, banging into, banged into, bang, bangs, hits "
    "against, flies into, crashes head on",
    "bounce": "bounce, bounces, bouncing, bounced, rebound, rebounds, rebounding, rebounded, "
    "bounces back, bounce back, bouncing back, bounced back, ricochet, ricochets, ricocheting, "
    "ricocheted",
    "roll": "roll, rolls, rolling, rolled",
    "slide": "slide, slides, sliding, slid, skid, skids, skidding, skidded, slip, slips, slipping, "
    "glide, glides, gliding, glided, slipped, sledding",
    "topple": "topple, topples, toppling, toppled, topple over, topples over, fall over, falls "
    "over, falling over, fell over, knock over, knocks over, knocked over, knocking over, tip "
    "over, tips over, tipping over, tipped over, overturn, overturns, overturned, tumble, "
    "tumbles, tumbling, keel over, keels over, keeled over, flip over, flips over, flipped over, "
    "flipping over, knock down, knocks down, knocked down, knocking down, tumbles over, tumble "
    "over, tumbled over, tumbled, capsize, capsizes, capsized, overturning",
    "occlude": "occlude, occludes, occluded, occlusion, occlusions, is hidden, are hidden, hidden, "
    "gets hidden, disappear, disappears, disappearing, disappeared, vanish, vanishes, vanishing, "
    "out of sight, goes out of sight, pass behind, passes behind, goes behind, go behind, moves "
    "behind, move behind, hide, hides, hiding, hid, obscure, obscures, obscuring, obscured, "
    "conceal, conceals, concealed, blocks the view of, block the view of, moving behind, passing "
    "behind, going behind, blocks, blocked by, is blocked by, is covered by, covered by, screens, "
    "go out of sight, went behind, vanished, moved behind, passed behind",
    "reappear": "reappear, reappears, reappearing, reappeared, reappearance, comes back into view, "
    "come back into view, emerges, emerge, emerging, comes out, come out, coming out, came out, "
    "appears again, reappears again, comes back, come back, coming back, came back, shows up "
    "again, emerged, comes into sight again, is seen again, visible again",
    "enter": "entry, entries, enter, enters, entering, entered, come into view, comes into view, "
    "come in, comes in, enter the frame, enters the frame, enters the view, enters the scene, "
    "enters the picture, appear, appears, appearing, appeared, comes into the picture, comes "
    "into frame, comes into the frame, arrives, arrive, arriving, arrived, walks in, drives in, "
    "drives into view, walks into view, moves into view, moves into the frame, walks into the "
    "frame, drives into the frame, comes into the scene, walks into the scene, rolls into view, "
    "came in, came into view, coming into view",
    "exit": "exit, exits, exiting, exited, leave, leaves, leaving, goes out of view, leave the "
    "frame, leaves the frame, leaves the view, leaves the scene, exits the frame, leaves the "
    "picture, leaves the image, left the frame, left the view, left the scene, left the picture, "
    "goes out of frame, goes out of the frame, out of frame, goes off screen, drives off, drive "
    "off, drives away, drive away, walks away, walk away, walks off, walk off, departs, depart, "
    "moves out of view, goes out of the picture, moves out of frame",
    "start": "start, starts, starting, started, start moving, starts moving, started moving, "
    "starts to move, begins to move, begins moving, sets off, pulls away, pull away, set off, "
    "setting off, gets going, begins to roll, begin to move, begin moving, started to move",
    "stop": "stop, stops, stopping, stopped, stop moving, stops moving, halt, halts, halted, "
    "come to rest, comes to rest, came to rest, comes to a stop, come to a stop, comes to a "
    "halt, comes to a standstill, come to a standstill, comes to a complete stop, come to a "
    "halt, came to a halt, came to a stop, freezes, pulls up, halting, coming to a stop, coming "
    "to rest, coming to a halt",
    "still": "standstill, standstills, still, stands still, stand still, rests, at rest, "
    "stationary, motionless, does not move, do not move, is not moving, stays still, parked, "
    "standing still, stay still, not moving, remains still, remain still, remaining still, "
    "remains stationary, remain stationary, stays stationary, stays put, stay put, immobile, "
    "unmoving, holds still, hold still, sits still, idles, idling, remains motionless, staying "
    "still, rest, resting",
    "cross": "cross, crosses, crossing, crossed, paths cross, crossings, cross paths, crosses the "
    "path of, cross the path of, cuts across, cut across, cutting across, crosses in front of, "
    "cross in front of, crossing in front of, walks across, walk across, crosses paths, crosses "
    "paths with, paths intersect, intersect, intersects, walks in front of",
    "accelerate": "accelerate, accelerates, accelerating, accelerated, acceleration, speed up, "
    "speeds up, speeding up, sped up, gets faster, get faster, gains speed, picks up speed, pick "
    "up speed, picking up speed, gathers speed, gaining speed, gain speed, goes faster, going "
    "faster, getting faster",
    "brake": "brake, brakes, braking, braked, slow down, slows down, slowing down, slowed down, "
    "decelerate, decelerates, decelerating, decelerated, deceleration, gets slower, loses speed, "
    "hits the brakes, hit the brakes, hitting the brakes, applies the brakes, slams on the "
    "brakes, slam on the brakes, lose speed, losing speed, goes slower, getting slower, get "
    "slower",
    "turn": "turn, turns, turning, turned, changes direction, change direction, changing "
    "direction, swerve, swerves, swerving, swerved, veer, veers, veering, veered, takes a turn, "
    "makes a turn, make a turn, making a turn, makes a u turn, rounds a corner, curves, steers, "
    "steering, swings round",
    "oscillate": "oscillate, oscillates, oscillating, oscillated, oscillation, oscillations, "
    "swing, swings, swinging, swung, vibrate, vibrates, vibrating, moves back and forth, move "
    "back and forth, goes to and fro, sways, swaying, wobble, wobbles, wobbling, wobbled, rocks "
    "back and forth, rock back and forth, rocking back and forth, goes back and forth, go back "
    "and forth, swings back and forth, swinging back and forth, sway, swayed, swings to and fro, "
    "moving back and forth",
    "rotate": "rotate, rotates, rotating, rotated, rotation, rotations, spin, spins, spinning, "
    "spun, revolve, revolves, revolving, twirl, twirls, twirling, whirl, whirls, whirling, "
    "pivot, pivots, pivoting, pivoted, rotates around, spins around, spin around, spinning "
    "around",
    "push": "push, pushes, pushing, pushed, shove, shoves, shoving, shoved, pushed by, shoved by, "
    "nudge, nudges, nudging, nudged, nudged by, pushes along, pushing along, pushed along, "
    "shunts, shunted",
    "carry": "carry, carries, carrying, carried, transport, transports, transporting, carried by, "
    "transported, transported by, haul, hauls, hauling, hauled, hauled by, conveys, conveyed, "
    "conveyed by, bring, brings, bringing, brought, brought by",
    "pick_up": "pick up, picks up, picking up, picked up, lift, lifts, lifting, lifted, lift up, "
    "lifts up, picked up by, lifted by, picks it up, pick it up, lifts it up, raises, raising, "
    "raised, raised by, hoist, hoists, hoisting, hoisted, hoisted by, lifted up, lifting up, "
    "lifted up by",
    "put_down": "put down, puts down, putting down, set down, sets down, setting down, placing, "
    "placed, put down by, set down by, placed by, puts it down, put it down, sets it down, "
    "places, puts, putting, lowers, lowering, lowered, lowered by, lays down, lay down, laying "
    "down, laid down, deposits, deposited, deposited by",
    "collapse": "collapse, collapses, collapsing, collapsed, cave in, caves in, comes down, come "
    "crashing down, comes crashing down, falls apart, fall apart, crumbles, crumble, crumbled, "
    "came crashing down, came down, comes tumbling down, comes crashing to the ground",
    "support": "support, supports, supporting, supported, holds up, hold up, supported by, "
    "stands on, stand on, standing on, rests on, rest on, resting on, sits on, sit on, sitting "
    "on, is stacked on, stacked on, are stacked on, balances on, balancing on, balanced on, lies "
    "on, lie on, lying on, perched on, perches on, is on, are on",
    "follow": "follow, follows, tailgate, tailgates, tailgating, is followed by, are followed by, "
    "drives behind, walks behind, following closely, follows closely, chase, chases, chasing, "
    "chased, chased by, pursue, pursues, pursuing, trails, trailing, goes after, drive behind, "
    "driving behind, walk behind, walking behind, runs behind, running behind, stays behind",
    "overtake": "overtake, overtakes, overtaking, overtook, overtaken, overtaken by, overtakings, "
    "gets ahead of, pulls ahead of, get ahead of",
    "contain": "containment, is contained in, are contained in, contained in, goes into, go into, "
    "going into, went into, falls into, fall into, falling into, fell into, drops into, drop "
    "into, dropping into, dropped into, lands in, land in, landing in, landed in, ends up in, end "
    "up in, ended up in, ending up in, ends up inside, end up inside, gets into, get into, is put "
    "into, stays in, stay in, staying in, stays inside, stay inside, remains in, remain in, "
    "remains inside, is inside, are inside, are put into, put into, is placed into, placed into, "
    "thrown into, is thrown into, lands inside, land inside, lands into, is put in, are put in, "
    "is placed in, are placed in, is dropped in, dropped in, is dropped into, are dropped into, "
    "comes to rest in, rests in, rests inside, lies in, falls inside, drops inside",
    "pour": "pour, is emptied, are emptied, was emptied, gets emptied, pours, pouring, poured, "
    "poured by, pour out, pours out, pouring out, poured out, poured out by, spill, spills, "
    "spilling, spilled, spilled by, empties, empty out, pour out of, pours out of, pouring out "
    "of, poured out of, spills out of, spilled out of, spills out, emptied, emptying",
    "flow": "flow, flows, flowing, flowed, stream, streams, streaming, streamed, trickle, "
    "trickles, trickling, trickled",
    "converge": "converge, converges, converging, converged, convergence, come together, comes "
    "together, coming together, came together, gather, gathers, gathering, gathered, cluster, "
    "clusters, clustering, bunch up, bunches up, huddle, huddles, assemble, assembles, close in, "
    "closes in, crowd together, move together, moves together",
    "diverge": "diverge, diverges, diverging, diverged, divergence, scatter, scatters, scattering, "
    "scattered, disperse, disperses, dispersing, dispersed, fly apart, flies apart, flying apart, "
    "flew apart, move apart, moves apart, moving apart, moved apart, spread out, spreads out, "
    "spreading out, fan out, fans out, split up, splits up, separate, separates, separating, "
    "separated, drift apart, drifts apart, spread apart, spreads apart, go apart, drive apart, "
    "run apart, move away from each other, moves away from each other",
    "deform": "deform, deforms, deforming, deformed, deformation, deformations, squash, squashes, "
    "squashing, squashed, bend, bends, bending, bent, crumple, crumples, crumpling, crumpled, "
    "dent, dents, denting, dented, change shape, changes shape, changing shape, changes its "
    "shape, loses its shape, give way, gives way, giving way, gave way, flatten, flattens, "
    "flattened, compress, compresses, compressed, compressing, warp, warps, warped, buckle, "
    "buckles, buckled, buckling, fold, folds, folded, folding, squish, squishes, squished, "
    "stretch, stretches, stretched, stretching, sag, sags, sagging, crush, crushes, crushed, "
    "crushing, gets dented",
    "break": "break, pop, pops, popped, popping, breaks, breaking, broke, broken, breakage, "
    "break apart, breaks apart, breaking apart, broke apart, breaks into pieces, break into "
    "pieces, broke into pieces, breaks to pieces, shatter, shatters, shattering, shattered, "
    "smash, smashes, smashing, smashed, fall to pieces, falls to pieces, fell to pieces, "
    "splinter, splinters, splintering, splintered, burst, bursts, bursting, crack, cracks, "
    "cracked, cracking, snap, snaps, snapped, snapping, split, splits, splitting, explode, "
    "explodes, exploded, exploding, fracture, fractures, fractured, disintegrate, disintegrates, "
    "falls to bits, break up, breaks up, bursts apart",
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

COUNTED = HANDLED | {"overtake", "follow"}
"""Events of `DOING` of which each is about one thing done to: "lifts two boxes" is two of them."""

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
