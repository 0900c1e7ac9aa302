"""What happened in a clip, and to what: timeline, table of events, table of objects."""

from __future__ import annotations

from html import escape

from worldline.core.wording import counted, describe_quantities, name_object, plain, tell_who
from worldline.report.elements import show_folded, show_moment, show_table
from worldline.report.facts import ClipFacts
from worldline.report.svg import draw_timeline, track_color
from worldline.report.words import is_likely, is_notable, sentence

__all__ = ["show_events", "show_tracks"]


def show_events(clip: ClipFacts, *, film: str) -> str:
    """Timeline of what a reader asks for; the rest, and all measured values, folded away."""
    html = "<h3>What happened, and when</h3>"
    events = [event for event in clip.scene.events if is_likely(event)]
    if not events:
        html += "<p class=nothing>No event was found.</p>"
    notable = [event for event in events if is_notable(event.type)]
    others = [event for event in events if not is_notable(event.type)]
    if notable:
        html += draw_timeline(clip.scene, notable, film=film)
    if others:
        timeline = draw_timeline(clip.scene, others, film=film)
        title = f"Comings and goings: {len(others)} more events"
        html += show_folded(title, timeline) if notable else timeline
    return html + _events_table(clip, film)


def _events_table(clip: ClipFacts, film: str) -> str:
    if not clip.scene.events:
        return ""
    rows = []
    for event in clip.scene.events:
        who = tell_who({role: name_object(number) for role, number in event.roles.items()})
        rows.append(
            (
                escape(sentence(plain(event.type))),
                f"{show_moment(event.start_s, film=film)} to {show_moment(event.end_s, film=film)}",
                escape(who),
                escape(", ".join(describe_quantities(event.quantities))),
            )
        )
    table = show_table("Events", ("Event", "When", "Who", "Measured"), rows, kind="events")
    title = f"All {counted(len(rows), 'event')} with what was measured"
    doubtful = sum(not is_likely(event) for event in clip.scene.events)
    if doubtful:
        title += f", {doubtful} of them less likely than not"
    return show_folded(title, table)


def show_tracks(clip: ClipFacts) -> str:
    """Table of the objects that were followed, folded away; nothing for none."""
    scene = clip.scene
    rows = []
    for row in range(scene.num_objects):
        seen = scene.visible[row]
        if not seen.any():
            continue
        times, place = scene.time_s[seen], scene.center_px[row][seen]
        shift = place[-1] - place[0]
        std = scene.center_px_std[row][seen]
        rows.append(
            (
                f'<i class="swatch" style="--c:{track_color(int(scene.ids[row]))}"></i>'
                f"{escape(scene.labels[row])} {int(scene.ids[row])}",
                f"{times[0]:.2f} to {times[-1]:.2f}\u202fs",
                f"{int(seen.sum())}",
                f"{shift[0]:+.0f}, {shift[1]:+.0f}\u202fpx",
                f"± {std.mean():.1f}\u202fpx",
            )
        )
    if not rows:
        return ""
    header = ("Object", "Seen", "Frames", "Moved right, down", "Position known to")
    return show_folded("All objects", show_table("Objects that were followed", header, rows))
