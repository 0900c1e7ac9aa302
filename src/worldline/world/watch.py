"""`Watch`: looks on frame by frame, remembers things, and says what is odd about them.

What is said of which term is in `worldline.world.expectation`.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import UInt8
from scipy.optimize import linear_sum_assignment

from worldline.dynamics.optical import enlarge, measure_velocity
from worldline.world.meetings import Meeting, find_meetings
from worldline.world.oddities import (
    Falls,
    compare_looks,
    hanging_share,
    lift,
    shared_width,
    unexplained,
)
from worldline.world.outlines import (
    Blob,
    Box,
    Outline,
    Thing,
    clear_plate,
    draw_portrait,
    find_blobs,
    find_moving,
    gap_px,
    is_beyond_edge,
    moved,
    outline_at,
    spread_even,
    wall_ahead,
)

__all__ = ["Watch"]

_UPSCALE = 2
_SIDE_PX = 64
"""All frames are brought to this size, so that pixels mean the same."""

_MEMORY_FRAMES = 48
_SETTLED_FRAMES = 6
_TOUCH_PX = 3.0
_TOUCH_FRAMES = 2
_REST_FRAMES = 6
_WALL_FRAMES = 10


class Watch:
    """Remembers what was seen.

    Attributes:
        said: for each frame, how much is amiss by which term.
    """

    def __init__(self) -> None:
        self.said: list[dict[str, float]] = []
        self._frames: list[np.ndarray] = []
        self._before: np.ndarray | None = None
        self._flow: np.ndarray | None = None
        self._plate: np.ndarray | None = None
        self._covered: list[np.ndarray] = []
        self._errors: list[float] = []
        self._files: list[Thing] = []
        self._movers: list[tuple[int, Box, Thing]] = []
        self._meetings: list[Meeting] = []
        self._falls = Falls()

    def see(self, frame: UInt8[np.ndarray, "h w 3"]) -> None:
        """The next frame."""
        if frame.shape[:2] != (_SIDE_PX, _SIDE_PX):
            frame = cv2.resize(frame, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
        now, fine = frame.astype(np.float32), enlarge(frame, _UPSCALE)
        self.said.append({})
        self._frames.append(now)
        t = len(self._frames) - 1
        if self._before is not None:
            height, width = frame.shape[:2]
            velocity = (measure_velocity(fine, self._before) / _UPSCALE).astype(np.float32)
            flow = cv2.resize(velocity, (width, height), interpolation=cv2.INTER_AREA)
            if self._flow is not None:
                self._predict(t, self._flow)
            moving = find_moving(now, self._frames[t - 1], flow)
            self._covered += [moving] * (1 + (t == 1))
            if t >= _SETTLED_FRAMES and t % 2 == 0:
                part = slice(max(0, t - _MEMORY_FRAMES), t)
                self._plate = clear_plate(self._frames[part], self._covered[part])
            if (np.abs(now - self._frames[t - 1]).max(-1) <= 6).mean() > 0.5:
                self._update(t, find_blobs(now, moving, flow, self._plate))
            self._flow = flow
        self._before = fine

    def _say(self, term: str, value: float) -> None:
        said = self.said[-1]
        said[term] = max(said.get(term, 0.0), float(value))

    def _predict(self, t: int, flow: np.ndarray) -> None:
        usual = self._errors[-10:]
        self._errors.append(unexplained(self._frames[t - 1], self._frames[t], flow))
        if len(usual) >= 4:
            self._say("unpredicted", self._errors[-1] / (max(usual) + 0.015) - 1)

    def _update(self, t: int, blobs: list[Blob]) -> None:
        owners = self._match(blobs)
        self._falls.note(t, blobs)
        kept = {id(file) for file in owners.values()}
        for file in self._files:
            if file.state == "moving" and id(file) not in kept:
                self._lose(t, file, blobs)
        for number, blob in enumerate(blobs):
            if number not in owners:
                others = [b for k, b in enumerate(blobs) if k != number]
                owners[number] = self._welcome(t, blob, others)
        for number, file in owners.items():
            if file.frames[-1] != t:
                file.blobs.append(blobs[number])
                file.frames.append(t)
            self._check_motion(t, file)
            self._check_look(t, file)
        for file in self._files:
            self._check_absence(file, t)
            if self._plate is not None:
                self._check_hanging(t, file, blobs)
                self._check_overlap(t, file)
        self._check_meetings(t)
        self._movers = [m for m in self._movers if t - m[0] <= _TOUCH_FRAMES + 1]
        self._movers += [
            (t, blobs[k].box, file)
            for k, file in owners.items()
            if np.linalg.norm(blobs[k].velocity) > 0.4
        ]

    def _match(self, blobs: Sequence[Blob]) -> dict[int, Thing]:
        moving = [file for file in self._files if file.state == "moving"]
        cost = np.zeros((len(moving), len(blobs)))
        for i, file in enumerate(moving):
            way = file.velocity
            reach = 2.5 + 0.35 * np.sqrt(file.last.area) + 0.5 * np.linalg.norm(way)
            for j, blob in enumerate(blobs):
                off = np.linalg.norm(blob.place - file.last.place - way) / reach
                cost[i, j] = off + np.abs(blob.color - file.last.color).mean() / 120
        rows, columns = linear_sum_assignment(cost)
        return {int(j): moving[i] for i, j in zip(rows, columns, strict=True) if cost[i, j] < 1.4}

    def _is_touched(self, t: int, box: Box, own: Thing | None) -> bool:
        return any(
            file is not own and t - when <= _TOUCH_FRAMES and gap_px(box, other) <= _TOUCH_PX
            for when, other, file in self._movers
        )

    def _outline(self, t: int, place: np.ndarray, reach_px: float = 6.0) -> Outline | None:
        assert self._plate is not None
        return outline_at(self._frames[t], self._plate, place, reach_px)

    def _lose(self, t: int, file: Thing, blobs: Sequence[Blob]) -> None:
        """A thing does not move any more: it left, stopped, met another, was hidden, or is gone."""
        file.since = t
        blob, way = file.last, file.velocity
        height, width = blob.mask.shape
        ahead = moved(blob.box, way)
        if min(ahead[:2]) < 2 or ahead[2] > width - 2 or ahead[3] > height - 2:
            file.state = "left"
            return
        largest = max(b.area for b in file.blobs[-7:])
        shrunk = len(file.blobs) >= 4 and blob.area < 0.6 * largest and np.linalg.norm(way) > 0.4
        if self._plate is None:
            change = np.abs(self._frames[t][blob.mask] - self._frames[t - 1][blob.mask]).mean()
            stands = change < 5 and not shrunk
        else:
            now = self._outline(t, blob.place, 8)
            old = [
                self._outline(k, b.place, 8)
                for k, b in list(zip(file.frames, file.blobs, strict=True))[-4:]
            ]
            areas = [outline.area for outline in old if outline is not None]
            stands = now is not None and bool(areas) and now.area >= 0.75 * max(areas)
            faded = now is None or (bool(areas) and now.area < 0.5 * max(areas))
            shrunk |= bool(areas) and faded and areas[-1] < 0.75 * max(areas)
        if stands:
            file.state = "rest"
            if len(file.blobs) >= 3 and not self._is_touched(t, blob.box, file):
                falls = way[1] >= 0.5 * abs(way[0])
                speed = float(np.linalg.norm(way))
                self._say("uncaused change", speed * (0.3 if falls else 1.0))
        elif any(gap_px(ahead, other.box) <= 1 for other in blobs):
            file.state = "merged"
        elif len(file.blobs) < 3:
            file.state = "lost"
        elif shrunk or blob.area < 0.7 * largest:
            self._hide(t, file)
        else:
            file.state = "vanished"
            self._say("vanished", np.sqrt(largest))

    def _hide(self, t: int, file: Thing) -> None:
        way = file.velocity
        if way[1] > 0.4 and way[1] > abs(way[0]) and not self._is_touched(t, file.last.box, file):
            self._say("sank", way[1])
        file.state = "lost"
        if self._plate is None:
            return
        file.portrait = draw_portrait(self._frames, self._plate, file.frames, file.blobs)
        if file.portrait is not None:
            step = 2 * np.sign(way) * (np.abs(way) > [0.3, 0.6])
            file.state, file.outside = "hidden", 0
            file.hid_by = spread_even(self._frames[t], file.last.place + step)

    def _welcome(self, t: int, blob: Blob, others: Sequence[Blob]) -> Thing:
        """Something moves that did not: it comes out, starts, or is there from nothing."""
        found: list[tuple[float, Thing]] = []
        for file in self._files:
            if file.state != "hidden" or file.portrait is None or t <= file.since:
                continue
            known = file.portrait
            off = float(np.linalg.norm(blob.place - known.at(t)))
            away = float(np.linalg.norm(known.velocity)) * (t - known.last)
            reach = 4 + 0.05 * away + 0.6 * float(known.size.max())
            if off < 3 * reach:
                unlike = float(np.abs(blob.color - known.color).mean())
                found.append((off / reach + unlike / 80, file))
        if found:
            _, file = min(found, key=lambda pair: pair[0])
            file.state, file.back, file.again = "moving", len(file.blobs), []
            file.blobs.append(blob)
            file.frames.append(t)
            return file
        file = Thing([blob], [t], born=t)
        rested = any(
            other.state == "rest" and np.linalg.norm(other.last.place - blob.place) < 5
            for other in self._files
        )
        self._files.append(file)
        x, y = np.rint(blob.velocity).astype(int).tolist()
        place = np.roll(blob.mask, (-y, -x), (0, 1))
        earlier = self._frames[max(0, t - 4)][place].mean(axis=0)
        file.was_still = t >= 4 and bool(np.abs(earlier - blob.color).mean() < 14)
        if t < 4 or blob.at_border or self._is_touched(t, blob.box, file):
            return file
        if rested or file.was_still:
            falls = blob.velocity[1] > 0.5 * abs(blob.velocity[0])
            self._say(
                "uncaused start", float(np.linalg.norm(blob.velocity)) * (0.3 if falls else 1)
            )
        elif not any(gap_px(blob.box, other.box) <= 2 for other in others):
            self._say("appeared", np.sqrt(blob.area))
        return file

    def _check_motion(self, t: int, file: Thing) -> None:
        """Velocity goes on as it did, with its rate of change, unless something is met."""
        recent = file.blobs[-6:]
        areas = [blob.area for blob in recent]
        steady = len(file.blobs) - file.back >= 6 and min(areas) > 0.6 * max(areas)
        if len(file.blobs) - file.back >= 2:
            self._say("gained", self._falls.gain(t, file.blobs))
        if steady:
            self._say("lifted", lift(np.stack([blob.velocity for blob in recent])))
        if steady and self._plate is not None:
            self._say("unsupported", self._count_beyond(file))
            self._say("through", self._get_through(t, file))
        if not steady or any(blob.at_border for blob in recent) or t - file.excused <= _REST_FRAMES:
            return
        ways = np.stack([blob.velocity for blob in recent])
        rate = np.polyfit(np.arange(5), ways[:5], 1)[0]
        change = ways[5] - ways[:5].mean(axis=0) - 3 * rate
        before = ways[3:5].mean(axis=0)
        if self._is_touched(t, file.last.box, file):
            file.excused = t
        elif before[1] > 0.4 and change[1] < -0.5 * before[1]:  # met the floor
            file.excused = t
            self._say("uncaused change", abs(change[0]))
        else:
            size = float(np.linalg.norm(change))
            turned = abs(before[0]) > 0.4 and change[0] * before[0] < -0.5 * before[0] ** 2
            plate = self._plate
            if turned and plate is not None:
                back = ways[5, 0] * before[0] < 0
                near = recent[:-1] if back else recent[-2:-1]
                turned = any(wall_ahead(plate, b.box, before[0]) is not None for b in near)
            if turned:
                file.excused = t
                size *= 0.25
            self._say("uncaused change", size)

    def _get_through(self, t: int, file: Thing) -> float:
        """How far the middle of a thing is past a wall that stood in its way, in its width."""
        assert self._plate is not None
        box, way = file.last.box, file.velocity
        edge = wall_ahead(self._plate, box, way[0], is_low=True)
        if abs(way[0]) > 0.3 > abs(way[1]) and edge is not None:
            file.wall = (t, edge, float(np.sign(way[0])))
        when, edge, side = file.wall
        past = side * (file.last.place[0] - edge) / (box[2] - box[0])
        return past if t - when <= _WALL_FRAMES and past > 0.2 else 0.0

    def _count_beyond(self, file: Thing) -> float:
        """For how many frames of the last few something glided on level beyond an edge, of five."""
        assert self._plate is not None
        count = 0
        for blob in file.blobs[:-6:-1]:
            level = abs(blob.velocity[1]) < 0.2 < 0.5 * abs(blob.velocity[0])
            if not level or not is_beyond_edge(self._plate, blob.box, blob.velocity[0]):
                break
            count += 1
        return count / 5 if count >= 3 else 0.0

    def _check_look(self, t: int, file: Thing) -> None:
        """What comes out is what went in, where it should be, once it is whole again."""
        seen = len(file.blobs) - file.back
        if not file.back or not 3 <= seen < 14 or self._plate is None:
            return
        now = self._outline(t, file.last.place)
        if now is None or now.at_border:
            return
        file.again.append(now)
        largest = max(outline.area for outline in file.again)
        if len(file.again) < 3 or now.area < 0.9 * largest:
            return
        if now.area > 1.1 * file.again[-3].area:  # still coming out
            return
        old = file.frames[: file.back], file.blobs[: file.back]
        was = draw_portrait(self._frames, self._plate, *old)
        was = was or file.portrait
        if was is None:
            return
        for term, value in compare_looks(file.again[-3:], was, t).items():
            self._say(term, value)

    def _check_absence(self, file: Thing, t: int) -> None:
        """What is hidden comes out where that ends which hides it."""
        if file.state != "hidden" or file.portrait is None or file.hid_by is None:
            return
        place, size = file.portrait.at(t), file.portrait.size
        height, width = file.hid_by.shape
        if not (2 <= place[0] < width - 2 and 2 <= place[1] < height - 2):
            return
        left, top = np.maximum(place - size / 2, 0).astype(int).tolist()
        right, low = (place + size / 2 + 1).astype(int).tolist()
        part = file.hid_by[top:low, left:right]
        if part.mean() < 0.3 and 0.01 < file.hid_by.mean() < 0.4:
            file.outside += 1
            if file.outside >= 3:
                self._say("missing", min(file.outside, 6))

    def _check_hanging(self, t: int, file: Thing, blobs: Sequence[Blob]) -> None:
        """Nothing stays where it was, right above a place that something has left."""
        if not file.was_still or not 3 <= t - file.born < 14 or len(file.blobs) < 3:
            return
        if file.frames[-1] >= t - 8:
            start = self._frames[max(0, file.born - 2)]
            boxes = [blob.box for blob in blobs]
            self._say("hanging", hanging_share(start, self._frames[t], file.blobs, boxes))

    def _check_meetings(self, t: int) -> None:
        """Of two things on one line, neither gets past the other."""
        if self._plate is None:
            return
        known = {(id(m.one), id(m.two)) for m in self._meetings}
        self._meetings += [
            meeting
            for meeting in find_meetings(self._files, self._frames, self._plate, t)
            if (id(meeting.one), id(meeting.two)) not in known
        ]
        for meeting in self._meetings:
            self._say("passed", meeting.look(self._frames[t], self._plate, t))

    def _check_overlap(self, t: int, file: Thing) -> None:
        """Two things that stand on one line do not get narrower together than they are."""
        if file.state != "merged" or t - file.since >= 8 or len(file.blobs) < 4:
            return
        way, before = file.velocity, file.since - 3
        if abs(way[0]) <= 0.3 or before < 0:
            return
        box = moved(file.last.box, way)
        for other in self._files:
            near = other is not file and other.frames[-1] >= file.since - 2
            if not near or len(other.blobs) < 4 or gap_px(other.last.box, box) > _TOUCH_PX:
                continue
            if abs(other.last.box[3] - file.last.box[3]) > 3.5:
                continue
            one, two = (self._outline(before, f.last.place, 9) for f in (file, other))
            both = self._outline(t, (file.last.place + other.last.place) / 2, 12)
            if one is not None and two is not None and both is not None:
                self._say("overlapping", shared_width(one, two, both))
            return
