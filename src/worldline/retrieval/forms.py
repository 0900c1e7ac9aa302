"""Words for what happens: verbs, which `inflection.py` inflects, nouns, and set phrases."""

from __future__ import annotations

from collections.abc import Mapping

from worldline.retrieval.inflection import forms_of

__all__ = ["FORMS", "LOOSE", "WAYS_INTO"]

_VERBS: Mapping[str, str] = {
    "fall": "fall, drop, plunge, plummet, fall down, land, drop down, free fall, come "
    "falling down, fall off, drop off",
    "throw": "throw, fly, pitch, toss, hurl, fling, launch, lob, chuck, catapult, sling, "
    "shoot, fly through the air, soar, throw up, toss up, throw away",
    "rise": "rise, climb, ascend, go up, take off, move up, move upward, move upwards, go "
    "upward, go upwards, float up, fly up, rise up, lift off, shoot up, climb up, "
    "levitate, drift up, come up, gain height, gain altitude",
    "contact": "contact, touch, make contact, come into contact, come in contact, be in "
    "contact, brush against, brush, graze, tap, rub against, be in touch, make "
    "contact with, have contact, rub",
    "collide": "collide, sideswipe, hit, strike, crash, bump, smash into, smash together, "
    "smash against, run into, run over, ram, bang, bang into, bang against, reverse "
    "into, back into, drive into, ride into, walk into, slam into, slam against, "
    "plow into, plough into, knock into, knock against, rear end, impact, hit "
    "against, fly into, crash into, bump into, collide with, t bone, barge into, "
    "barrel into, pile into, bash, bash into, whack, smack, smack into, thump, come "
    "into collision, crash together, bump together, thud into, run down",
    "bounce": "bounce, rebound, bounce back, ricochet, bounce up, come back off, come back "
    "from, spring back, spring off, come off",
    "roll": "roll, roll along, roll around, roll away, roll down, trundle",
    "slide": "slide, skid, slip, glide, slide along, slither, slide down, slide away, slip away",
    "topple": "topple, topple over, fall over, knock over, tip over, overturn, tumble, keel "
    "over, flip over, knock down, tumble over, capsize, tip, turn over, roll over, "
    "push over, tilt over, go over, upend, upset, kick over, blow over, fall on its "
    "side, fall to its side, fall onto its side",
    "occlude": "occlude, be hidden, disappear, vanish, go out of sight, pass behind, go "
    "behind, move behind, hide, obscure, conceal, block the view of, block, be "
    "covered, cover, screen, hide behind, disappear behind, vanish behind, be out "
    "of sight, slip behind, be invisible, become invisible, mask, fade from view, "
    "drop behind, duck behind, roll behind, disappear from view, disappear from "
    "sight, vanish from sight",
    "reappear": "reappear, come back into view, emerge, come out, appear again, reappear again, "
    "come back, show up again, come into sight again, be seen again, become visible "
    "again, come out from behind, emerge from behind, show again, come into view "
    "again, be visible again, resurface, show itself again, turn up again, come "
    "back into sight, reemerge, pop up again",
    "enter": "enter, come in, enter the frame, enter the view, enter the scene, enter the "
    "picture, enter the image, enter the shot, appear, arrive, walk in, drive in, "
    "roll in, fly in, run in, show up, turn up, enter the video, enter the screen, "
    "enter the camera view, enter the field of view, move in, become visible",
    "exit": "exit, leave, leave the frame, leave the view, leave the scene, exit the frame, "
    "exit the scene, exit the picture, leave the picture, leave the image, leave "
    "the shot, exit the shot, be out of frame, drive off, drive away, drive out, "
    "walk away, walk off, walk out, run away, run off, fly away, fly off, depart, "
    "leave the screen, exit the screen, leave the video, leave the field of view, "
    "leave the camera view",
    "start": "start, start moving, start to move, begin to move, begin moving, set off, pull "
    "away, get going, begin to roll, start off, get moving, start its motion, set "
    "in motion, start driving, start walking, start going, move off from rest, "
    "begin walking, begin driving, start to drive, start to go, start to walk, "
    "start up, pull out",
    "stop": "stop, stop moving, halt, come to rest, come to a stop, come to a halt, come to "
    "a standstill, come to a complete stop, come to a full stop, freeze, pull up, "
    "stop dead, cease moving, cease to move, stop to move, grind to a halt, roll to "
    "a stop, pull over, stop short, make a stop, stop driving, stop walking, stop "
    "rolling, stop sliding",
    "still": "stand still, rest, stay still, remain still, remain stationary, stay "
    "stationary, stay put, hold still, sit still, idle, remain motionless, be at "
    "rest, be still, be stationary, be motionless, stand idle, lie still, be "
    "parked, park, keep still, stay motionless, stay at rest, remain at rest, lie "
    "motionless, stay in place, stay immobile, be immobile, stand motionless, stay "
    "parked, sit motionless, not move",
    "cross": "cross, cross paths, cross the path of, cut across, cross in front of, walk "
    "across, intersect, walk in front of, cross the way of, pass in front of, cut "
    "in front of, drive across, run across, cross path, run in front of, cross "
    "paths with, cross each other",
    "accelerate": "accelerate, speed up, get faster, gain speed, pick up speed, gather speed, go "
    "faster, become faster, gain velocity, move faster, quicken, pick up the pace, "
    "drive faster, step on the gas, increase speed, increase its speed, pick up "
    "pace",
    "brake": "brake, slow down, slow, decelerate, get slower, lose speed, hit the brakes, "
    "apply the brakes, slam on the brakes, go slower, become slower, slow, reduce "
    "speed, reduce its speed, slam the brakes, lose velocity, move slower, step on "
    "the brakes, step on the brake, jam on the brakes, drop speed, put on the "
    "brakes, decrease speed",
    "turn": "turn, change direction, swerve, veer, take a turn, make a turn, make a u turn, "
    "round a corner, curve, steer, swing round, change its direction, take a curve, "
    "turn around, take a corner, go round a corner, go around a corner, do a u "
    "turn, change course, turn off, change its course, drive around a curve, go "
    "around a curve, veer off, take a bend",
    "oscillate": "oscillate, swing, vibrate, move back and forth, go to and fro, sway, wobble, "
    "rock, rock back and forth, go back and forth, swing back and forth, swing to "
    "and fro, move to and fro, dangle, swing from side to side, rock from side to "
    "side, shake, go forwards and backwards, move forwards and backwards, sway back "
    "and forth, move from side to side, dangle back and forth",
    "rotate": "rotate, spin, revolve, twirl, whirl, pivot, rotate around, spin around, turn "
    "around itself, turn about itself, turn on itself, turn around its axis, turn "
    "about its axis, turn on its axis, turn on the spot, gyrate, swivel, rotate "
    "around itself, spin around itself, turn round and round, go round and round, "
    "twist, spin on its axis, turn in place, spin round, rotate about its axis, "
    "spin in place, whirl around, twist around, turn over and over",
    "push": "push, shove, nudge, push along, shunt, push around, push forward, push away, "
    "push aside, push against, bulldoze",
    "carry": "carry, transport, haul, convey, bring, carry around, take along, carry along, "
    "carry away, bring along, take away, carry off, ferry, deliver",
    "pick_up": "pick up, lift, lift up, raise, hoist, take up, heave, pick, scoop up, raise "
    "up, hoist up, lift off the ground, lift off the floor, lift from the ground, "
    "lift from the floor, take off the ground, take off the floor, pick off the "
    "floor, pick off the ground, pick from the floor, pick from the ground",
    "put_down": "put down, set down, place, put, lower, lay down, deposit, lay, set, place "
    "down, put back, put back down, bring down, lower down, let down, set back "
    "down, place on the ground, place on the floor, put on the ground, put on the "
    "floor, set on the floor, set on the ground, lower to the ground, lower to the "
    "floor, lower onto the floor, lower onto the ground",
    "collapse": "collapse, cave in, come down, come crashing down, fall apart, crumble, come "
    "tumbling down, come crashing to the ground, implode, fall in on itself, tumble "
    "down, crash down, crumple to the ground",
    "support": "support, hold up, prop up, bear the weight of, carry the weight of",
    "follow": "follow, walk behind, run behind, tailgate, drive behind, follow closely, "
    "chase, pursue, trail, go after, run behind, stay behind, keep behind, ride "
    "behind, follow behind, run after, drive after, keep following, travel behind, "
    "walk after, chase after",
    "overtake": "overtake, get ahead of, pull ahead of, outrun, leave behind, move ahead of, go "
    "ahead of, outpace",
    "contain": "hold inside, go into, fall into, drop into, land in, end up in, end up inside, "
    "get into, go in, get in, go inside, fall in, fall inside, drop in, drop "
    "inside, land inside, land into, be put into, be put in, be placed into, be "
    "placed in, be dropped in, be dropped into, be thrown into, be thrown in, come "
    "to rest in, come to rest inside, be contained in, roll into, slide into, "
    "bounce into, jump into, get inside, come to be in, come to be inside, move "
    "into, be inside of, be tossed into, be tossed in, be lowered into, be put "
    "inside, be placed inside, be dropped inside, sink into, disappear into, slip "
    "into, hop into, tumble into, be loaded into",
    "pour": "pour, be emptied, empty, pour out, spill, empty out, spill out, pour out of, "
    "spill out of, tip out, dump, dump out, pour away, decant",
    "flow": "flow, stream, trickle, gush, flow out, stream out, cascade, run down in a "
    "stream, flow down, stream down",
    "converge": "converge, come together, gather, cluster, bunch up, huddle, assemble, close "
    "in, crowd together, move together, get together, flock together, draw "
    "together, gather together, move towards each other, move toward each other, "
    "bunch together, congregate, go together, unite, come towards each other, come "
    "toward each other, group together, gather round, gather around, approach each "
    "other, crowd around, drive together, run together, move closer together, close "
    "in on each other, swarm together, join up",
    "diverge": "diverge, scatter, disperse, fly apart, move apart, spread out, fan out, split "
    "up, separate, drift apart, spread apart, go apart, drive apart, run apart, "
    "move away from each other, drift away from each other, spread, go in different "
    "directions, go different ways, move in different directions, run in different "
    "directions, run away from each other, go away from each other, fly away from "
    "each other, part ways, walk apart, move in all directions, run in all "
    "directions, fly in all directions, go in all directions, disband, go separate "
    "ways, go their separate ways, radiate",
    "deform": "deform, squash, bend, crumple, dent, change shape, change its shape, lose its "
    "shape, give way, flatten, compress, warp, buckle, fold, squish, stretch, sag, "
    "crush, squeeze, be squashed flat, distort, be bent out of shape, squash flat, "
    "twist out of shape, indent, dimple, lose shape",
    "break": "break, pop, break apart, break into pieces, break to pieces, shatter, smash, "
    "fall to pieces, splinter, burst, crack, snap, split, explode, fracture, "
    "disintegrate, fall to bits, break up, burst apart, smash to pieces, smash up, "
    "go to pieces, fragment, break in two, split in two, snap in two, break in "
    "half, split in half, come apart, shatter into pieces, break into bits, smash "
    "to bits, blow apart, chip, split apart, crack open, burst open, rupture, go to "
    "bits, fall into pieces, blow up, smash into pieces",
}
"""Event to verbs and phrases that begin with one, which stand for all their forms."""

_OTHERS: Mapping[str, str] = {
    "fall": "downfall, free fall, drop",
    "throw": "throw, toss, launch, flight, pitch, shot put",
    "rise": "ascent, climb, takeoff, lift off",
    "contact": "in contact, in touch, in contact with",
    "collide": "collision, crash, impact, accident, bump, wreck, smash up, pile up",
    "topple": "fall over, rollover",
    "occlude": "occlusion, hidden, out of sight, blocked by, covered by, not seen, not "
    "visible, invisible, not be seen, hidden from view, disappearance, out of view "
    "behind, not be visible",
    "reappear": "reappearance, visible again, back in view, back in sight, seen again",
    "enter": "entry, entrance, arrival, entries",
    "exit": "departure, out of frame",
    "start": "start of motion",
    "stop": "halt, full stop",
    "still": "standstill, still, at rest, stationary, motionless, does not move, do not "
    "move, is not moving, are not moving, not moving, did not move, parked, "
    "standing still, immobile, unmoving, without moving, not in motion",
    "cross": "crossing, paths cross, paths intersect, path crossing",
    "accelerate": "acceleration, speedup",
    "brake": "deceleration, slowdown, brake",
    "turn": "turn, u turn, curve, swerve, change of direction",
    "oscillate": "oscillation, vibration, pendulum motion, to and fro, back and forth",
    "rotate": "rotation, spin, revolution",
    "push": "push, shove",
    "carry": "transport",
    "pick_up": "lift, pick",
    "put_down": "placement",
    "collapse": "collapse, cave in",
    "overtake": "overtaking, overtakings, overtake, passing manoeuvre, passing maneuver",
    "follow": "pursuit, chase",
    "contain": "containment",
    "pour": "spill, pouring",
    "flow": "flow, stream",
    "converge": "convergence, gathering",
    "diverge": "divergence, dispersal",
    "deform": "deformation, dent, distortion",
    "break": "breakage, fracture, explosion",
    "near_miss": "conflict, traffic conflict, near miss, near miss collision, near miss event, "
    "narrow miss, close call, close shave, near accident, narrow escape, near "
    "collision, near crash, near hit, close encounter",
}
"""Event to nouns, whose plural adds an s, and to phrases that stay as they are."""

_LOOSE: Mapping[str, str] = {
    "contact": "lean against, lean on, press against",
    "collide": "punch, kick",
    "occlude": "be behind",
    "exit": "go off, go out, go away, move away, move off",
    "still": "wait, hover",
    "carry": "hold",
    "pick_up": "grab, grasp, grip",
    "converge": "meet, meet up",
    "follow": "be right behind",
}
"""Event to verbs that may mean it: they are always shown as guesses."""

_UNSAID = frozenset(
    ["slow", "set", "park", "trail", "empty", "rear end", "corner", "behind", "block"]
)
"""Forms that are other words at least as often: "a slow car", "an empty bin", "a set of cones"."""

_MOVES = ("go", "move", "drive", "walk", "run", "fly", "roll", "slide", "ride", "pass", "drift")
_MOVES += ("come", "float", "step", "swim", "crawl", "disappear", "glide", "rush", "speed")
_FRAMES = (
    "view",
    "frame",
    "the frame",
    "the picture",
    "the image",
    "the scene",
    "shot",
    "the shot",
)
_FRAMES += ("the screen", "the video", "the view", "the field of view")
_CROSSED = {
    "enter": ("on screen", "onto the screen", "into sight", *(f"into {it}" for it in _FRAMES)),
    "exit": ("off screen", "off the screen", *(f"out of {it}" for it in _FRAMES)),
}
"""Event to what says, after a verb of moving, that the border of the picture is crossed."""

_STAYS = "is, are, was, were, be, being, stays, stay, staying, stayed, remains, remain, remaining, "
_STAYS += "remained, sits, sit, sitting, sat, lies, lie, lying, lay, rests, rest, resting, rested, "
_STAYS += "stands, stand, standing, stood"
_STANDS = "is balanced, are balanced, balances, balance, balancing, balanced, is stacked, are "
_STANDS += "stacked, stacked, perched, perches, perch, is perched, is resting, is standing, is "
_STANDS += "lying, is sitting, are resting, are standing, are lying, are sitting, "
_STANDS += "is left"
_PLACES = {"support": ("on", "upon"), "contain": ("in", "inside", "within", "inside of")}


def _every(kind: str) -> tuple[str, ...]:
    phrases: dict[str, None] = {}
    moved = (f"{verb} {where}" for verb in _MOVES for where in _CROSSED.get(kind, ()))
    for lemma in (*filter(None, _VERBS.get(kind, "").split(", ")), *moved):
        phrases.update(dict.fromkeys(forms_of(lemma)))
        if lemma.startswith("be "):
            phrases[lemma.removeprefix("be ")] = None
    for noun in filter(None, _OTHERS.get(kind, "").split(", ")):
        phrases.update(dict.fromkeys((noun, _plural(noun))))
    if kind in _PLACES:
        for verb in f"{_STAYS}, {_STANDS if kind == 'support' else 'is kept, are kept'}".split(
            ", "
        ):
            phrases.update((f"{verb} {place}", None) for place in _PLACES[kind])
    return tuple(phrase for phrase in phrases if phrase not in _UNSAID)


def _plural(noun: str) -> str:
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    return noun + "s"


FORMS: Mapping[str, tuple[str, ...]] = {
    kind: _every(kind) for kind in dict.fromkeys((*_VERBS, *_OTHERS))
}
"""Event to the words and phrases that name it."""

LOOSE: Mapping[str, tuple[str, ...]] = {
    kind: tuple(form for lemma in lemmas.split(", ") for form in forms_of(lemma))
    for kind, lemmas in _LOOSE.items()
}
"""Event to words that may mean it, always shown as guesses."""

WAYS_INTO = frozenset(
    f"{form} into"
    for verb in ("roll", "slide", "bounce", "jump", "move", "slip", "hop", "tumble", "fall", "go")
    for form in forms_of(verb)
)
"""Motions that end inside something hollow, and against anything else."""
