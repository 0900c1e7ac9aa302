"""`worldline perceive`: objects, their trajectories, contacts and events, from pixels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import tyro

from worldline.cli.files import stems
from worldline.cli.output import Answer, JsonFlag, Seed, Videos, describe, for_each_file
from worldline.cli.places import make_folder
from worldline.core.errors import InputError
from worldline.core.scene import Scene
from worldline.core.wording import describe_quantities, name_object, tell_who

if TYPE_CHECKING:
    from rich.console import Console

    from worldline.readout import DepthEstimator, Detector
    from worldline.world import World
    from worldline.world.onlooker import Onlooker

__all__ = ["Perceive", "perceive_file", "tracks"]

_PLUGIN_SIDE_PX = 960  # plug-ins see frames of up to this size


@dataclass(frozen=True)
class Perceive:
    """Find what moves in videos: trajectories with uncertainty, contacts and events.

    Positions are in pixels of the input, (x, y) the middle of an object's box, times in seconds.
    """

    videos: Videos
    overlay: Path | None = None
    """Folder for copies of the videos with the world lines drawn on them."""
    detector: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Names things and finds what rests: a plug-in, such as transformers:FOLDER of a model."""
    depth: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Says how far away things are: a plug-in, such as transformers:FOLDER of a model."""
    world: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Adds what this world sees and motion does not show, such as what rests, where its trust in
    the footage is high: small, or the folder of a world."""
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Read each file once, in constant memory; a world keeps a small picture of each frame."""
        from worldline.readout import open_depth, open_detector

        names = stems(self.videos)
        detector = None if self.detector is None else open_detector(self.detector)
        depth = None if self.depth is None else open_depth(self.depth)
        world = None if self.world is None else _open_world(self.world)
        # Unlike `Path.resolve` this bears a link that leads to itself.
        sources = {os.path.realpath(video) for video in self.videos}

        def work(path: str, report: Callable[[float], None]) -> Answer:
            target = None if self.overlay is None else self.overlay / f"{names[path]}.mp4"
            if target is not None and os.path.realpath(target) in sources:
                raise InputError(
                    f"{path}: its overlay would overwrite {target}; choose another --overlay"
                )
            result, scene = perceive_file(path, report, detector, depth, world)
            if target is not None:
                _draw(path, scene, target, result)
            return result

        return for_each_file(self.videos, work, doing="perceiving")

    def show(self, answer: Answer, console: Console) -> None:
        """Print a table of tracks and one of events per file, or that there are none."""
        from rich.table import Table

        for result in answer["results"]:
            if "tracks" not in result:
                continue
            width, height = result["size"]
            console.rule(f"{result['source']}  {width} x {height}  {result['fps']:.4g} frames/s")
            table = Table("object", "label", "from", "to", "path of the box", box=None)
            for track in result["tracks"]:
                path = "({x[0]:.0f}, {y[0]:.0f}) to ({x[1]:.0f}, {y[1]:.0f})".format(
                    x=(track["x"][0], track["x"][-1]), y=(track["y"][0], track["y"][-1])
                )
                span = [f"{track['time_s'][i]:.2f} s" for i in (0, -1)]
                table.add_row(str(track["id"]), track["label"], *span, path)
            console.print(table if result["tracks"] else result.get("note", "nothing moves"))
            if result["events"]:
                console.print(events_table(result["events"]))
            if "world" in result:
                console.print(describe_onlooker(result["world"]))
            if "overlay" in result:
                console.print(f"world lines are drawn in {result['overlay']}")


def _draw(path: str, scene: Scene, target: Path, result: Answer) -> None:
    """Write the overlay; where that fails the result says so and keeps what was found."""
    from worldline.cli.overlay import write_overlay

    try:
        make_folder("--overlay", target.parent)
        write_overlay(path, scene, target)
    except BrokenPipeError:
        raise
    except (InputError, OSError) as error:
        reasons = [result["error"]] if "error" in result else []
        result["error"] = "; ".join([*reasons, f"its overlay was not written: {describe(error)}"])
    else:
        result["overlay"] = str(target)


def perceive_file(
    path: str,
    report: Callable[[float], None],
    detector: Detector | None = None,
    depth: DepthEstimator | None = None,
    world: World | None = None,
) -> tuple[Answer, Scene]:
    """Result of one file, and its scene; a world adds what it alone sees, where it may be trusted.

    Raises:
        MediaError: the file cannot be used.
        InputError: a plug-in fails.
    """
    from worldline.data import iter_frames, probe
    from worldline.readout import PixelReadout, workers_for

    info = probe(path)
    damage: list[str] = []

    config = PixelReadout.Config()
    side_px = config.max_side_px if detector is None and depth is None else _PLUGIN_SIDE_PX

    def frames() -> Iterator[tuple[float, np.ndarray]]:
        # Shrunk while decoding, to the size that the readout would bring them to anyway.
        decoded = iter_frames(path, max_side_px=side_px, on_damage=damage.append)
        for index, item in enumerate(decoded):
            yield item
            report(min(1.0, index / max(1, info.num_frames_hint)))

    onlooker = None if world is None else _onlooker(world)
    scene = config.build().read(
        frames() if onlooker is None else onlooker.watch(frames()),
        provenance=info.provenance,
        full_size_px=(info.width_px, info.height_px),
        detector=detector,
        depth=depth,
        # Networks keep all cores busy by themselves.
        num_workers=0 if detector or depth or world else workers_for(info.num_frames_hint),
    )
    heard: Answer = {}
    if world is not None and onlooker is not None:
        num_known = scene.num_objects
        scene, told = onlooker.add_to(scene)
        heard["world"] = {
            "name": world.name,
            "trust": told.trust,
            "reason": told.reason,
            "added": scene.ids[num_known:].tolist(),
        }
    result: Answer = {
        "fps": info.fps,
        "size": [info.width_px, info.height_px],
        "num_frames": scene.num_frames,
        "duration_s": scene.duration_s,
        "origin": info.provenance.origin,
        "tracks": tracks(scene),
        "events": [event.to_json() for event in scene.events],
        "contacts": [contact.to_json() for contact in scene.contacts],
        **heard,
    }
    if not result["tracks"] and config.is_too_short(scene.num_frames, scene.duration_s):
        result["note"] = (
            f"too short to tell what moves ({scene.num_frames} frames, {scene.duration_s:.2f} s)"
        )
    if damage:
        result["error"] = damage[0]
    return result, scene


def _open_world(name: str) -> World:
    from worldline.world import World

    return World.from_pretrained(name)


def _onlooker(world: World) -> Onlooker:
    from worldline.world.onlooker import Onlooker

    return Onlooker(world)


def tracks(scene: Scene) -> list[dict[str, Any]]:
    """One record per object; its lists run over the frames in which it was visible."""
    found = []
    for row, object_id in enumerate(scene.ids.tolist()):
        seen = scene.visible[row]
        if not seen.any():
            continue
        center, size, std = (
            array[row, seen].T.tolist()
            for array in (scene.center_px, scene.size_px, scene.center_px_std)
        )
        found.append(
            {
                "id": object_id,
                "label": scene.labels[row],
                "color": None if scene.color_rgb is None else scene.color_rgb[row].tolist(),
                "time_s": scene.time_s[seen].tolist(),
                **dict(zip("xy", center, strict=True)),
                **dict(zip("wh", size, strict=True)),
                **dict(zip(("x_std", "y_std"), std, strict=True)),
                **_depths(scene, row, seen),
            }
        )
    return found


def _depths(scene: Scene, row: int, seen: np.ndarray) -> dict[str, list[float | None]]:
    """What is known of an object's depth where it was visible; null where nothing is."""
    known = {}
    for name in ("depth_m", "depth_m_std", "nearness", "nearness_std"):
        values = getattr(scene, name)
        if values is not None:
            known[name] = [None if np.isnan(v) else float(v) for v in values[row, seen]]
    return known


def describe_onlooker(heard: Answer) -> str:
    """What a world added, in a line for a person."""
    added = ", ".join(str(name) for name in heard["added"]) or "nothing"
    return f"the world {heard['name']} adds {added} (trust {heard['trust']:.2f})"


def events_table(events: list[dict[str, Any]]) -> Any:
    """A table of events for a person."""
    from rich.table import Table

    table = Table("event", "from", "to", "who", "measured", box=None)
    for event in events:
        who = tell_who({r: name_object(number) for r, number in event["roles"].items()})
        known = {n: v for n, v in event["quantities"].items() if v is not None}
        measured = ", ".join(describe_quantities(known))
        span = [f"{event[end]:.2f} s" for end in ("start_s", "end_s")]
        table.add_row(event["type"], *span, who, measured)
    return table
