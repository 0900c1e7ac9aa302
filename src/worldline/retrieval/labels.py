"""Words for things, and the labels that they stand for."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["LABELS", "PLACES"]

_SIMULATED = {
    "ball": "ball, balls, sphere, spheres, marble, marbles, football, footballs, basketball, "
    "basketballs, soccer ball, soccer balls, tennis ball, tennis balls, golf ball, golf balls, "
    "volleyball, volleyballs, sports ball, sports balls",
    "box": "box, boxes, cube, cubes, block, blocks, brick, bricks, crate, crates",
    "disc": "disc, discs, disk, disks, puck, pucks, circle, circles",
    "cylinder": "cylinder, cylinders, can, cans",
    "capsule": "capsule, capsules",
    "domino": "domino, dominoes, dominos",
    "pendulum": "pendulum, pendulums",
    "plank": "plank, planks",
    "pusher": "pusher, pushers",
    "wheel": "wheel, wheels",
    "sheet": "sheet, sheets, cloth, cloths",
    "soft ball": "soft ball, soft balls",
    "soft block": "soft block, soft blocks",
    "slab": "slab, slabs",
    "bin": "bin, bins, open box, open boxes",
    "bin|cup|bowl|basket|bucket|jar|tray": "container, containers, vessel, vessels",
    "grains": "grains, grain, beads, pellets, sand",
}
_PEOPLE = (
    "person, persons, people, man, men, woman, women, child, children, pedestrian, "
    "pedestrians, human, humans, walker, walkers, someone, somebody, anyone, anybody, runner, "
    "runners, kid, kids, worker, workers, player, players, athlete, athletes, goalkeeper, "
    "goalkeepers, jogger, joggers, skater, skaters, skier, skiers, swimmer, swimmers, dancer, "
    "dancers, boy, boys, girl, girls, baby, babies, toddler, toddlers, adult, adults, operator, "
    "operators, passenger, passengers, spectator, spectators, crowd, crowds, bystander, "
    "bystanders"
)
_TRAFFIC = {
    "car": "car, cars, automobile, automobiles, taxi, taxis, suv, suvs, sedan, sedans",
    "truck": "truck, trucks, lorry, lorries",
    "bus": "bus, buses",
    "van": "van, vans",
    "train": "train, trains",
    "bicycle": "bicycle, bicycles, bike, bikes, cyclist, cyclists, bicyclist, bicyclists",
    "motorcycle": "motorcycle, motorcycles, motorbike, motorbikes, motorcyclist, motorcyclists",
    "scooter": "scooter, scooters, e scooter, e scooters",
    "car|truck|bus|motorcycle": "vehicle, vehicles",
    "airplane": "airplane, airplanes, aeroplane, aeroplanes, plane, planes",
    "forklift": "forklift, forklifts, forklift truck, forklift trucks",
    "boat": "boat, boats, ship, ships",
    "traffic light": "traffic light, traffic lights",
    "skateboard": "skateboard, skateboards",
}
_ROBOTS = {
    "robot": "robot, robots, robot arm, robot arms, robotic arm, robotic arms, manipulator, "
    "manipulators",
    "gripper": "gripper, grippers",
    "hand": "hand, hands",
    "drone": "drone, drones",
}
_MORE = (
    "dog cat bird horse sheep cow elephant bear zebra giraffe backpack umbrella handbag "
    "suitcase frisbee kite bottle cup fork spoon bowl banana apple carrot pizza cake chair "
    "couch laptop keyboard book vase lid tray basket bucket jar plate pot cone pole tool bag "
    "post pallet barrel package parcel carton cart trolley trailer tractor ambulance wheelchair "
    "ladder door drawer rope spring hammer wrench screwdriver bolt coin egg stone rock log pin "
    "jug kettle racket hoop dart javelin toy lamp clock candle toothbrush fence gate rod stick "
    "chain helmet hat shoe barrier bollard sign tree rail cable hose pipe tube monitor balloon "
    "feather towel pillow blanket mattress stool bed sink oven toaster microwave refrigerator "
    "ladle pan sack crane excavator snowboard surfboard sandwich donut remote helicopter rocket "
    "flag bell spatula whisk stapler pen pencil marker sponge tire"
)
"""Labels whose plural adds an s; most are classes of COCO (Lin et al. 2014), as of detectors."""

LABELS: Mapping[str, str] = {
    **_SIMULATED,
    "person": _PEOPLE,
    **_TRAFFIC,
    **_ROBOTS,
    **{word: f"{word}, {word}s" for word in _MORE.split()},
    "cup": "cup, cups, mug, mugs",
    "knife": "knife, knives",
    "glass": "glass, glasses, wine glass, wine glasses",
    "toy car": "toy car, toy cars",
    "traffic cone": "traffic cone, traffic cones",
    "bench": "bench, benches",
    "fire hydrant": "fire hydrant, fire hydrants, hydrant, hydrants",
    "stop sign": "stop sign, stop signs",
    "parking meter": "parking meter, parking meters",
    "baseball bat": "baseball bat, baseball bats",
    "tennis racket": "tennis racket, tennis rackets",
    "potted plant": "potted plant, potted plants",
    "teddy bear": "teddy bear, teddy bears",
    "tv": "tv, tvs, television, televisions",
    "scissors": "scissors",
    "cell phone": "cell phone, cell phones, phone, phones, mobile phone, smartphone",
}
"""Label, or labels of a group with "|" between them, to the words that mean it."""

PLACES = (
    "floor, ground, wall, walls, table, ramp, shelf, slope, road, ceiling, surface, street, desk, "
    "static world, pavement, incline, counter, tabletop, roof, stairs"
)
"""Words for what never moves."""
