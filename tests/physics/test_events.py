"""The ontology as a whole, and scenes in which nothing happens."""

from __future__ import annotations

import numpy as np
import pytest
from tests.physics.paths import G, bounce_path, drop_px

from worldline.core import Provenance, Scene
from worldline.physics import ONTOLOGY, define, detect_events

REQUIRED = (
    {"fall", "throw", "rise", "bounce", "contact", "collide", "near_miss", "cross"}
    | {"roll", "slide", "topple", "occlude", "reappear", "enter", "exit"}
    | {"start", "stop", "still", "accelerate", "brake", "turn", "oscillate", "rotate"}
    | {"push", "carry", "pick_up", "put_down", "support", "follow", "overtake", "collapse"}
)


def test_ontology_is_complete_and_documented() -> None:
    assert set(ONTOLOGY) >= REQUIRED
    for kind in ONTOLOGY.values():
        assert len(kind.definition) > 40
        assert kind.version >= 1
        assert kind.roles


def test_a_name_is_defined_once_and_with_a_docstring() -> None:
    with pytest.raises(ValueError, match="defined twice"):
        define("fall", roles={}, quantities={})(lambda scene: ())
    with pytest.raises(ValueError, match="docstring"):
        define("unheard_of", roles={}, quantities={})(lambda scene: ())
    assert "unheard_of" not in ONTOLOGY


def test_events_name_only_their_roles_and_quantities(pixel_scene) -> None:
    t = np.arange(60) / 30
    path = np.stack([300 + 40 * t, drop_px(t, scale=0.004, top=60, height_px=350)], axis=1)
    for event in detect_events(pixel_scene([path], t)):
        kind = ONTOLOGY[event.type]
        assert set(event.roles) <= set(kind.roles)
        names = {name.removesuffix("_std") for name in event.quantities}
        assert names <= set(kind.quantities)
        assert all(isinstance(x, float) for x in event.quantities.values())


def test_nothing_happens_in_degenerate_scenes(pixel_scene, metric_scene) -> None:
    one = np.array([0.0])
    assert detect_events(pixel_scene(np.full((1, 1, 2), 100.0), one)) == ()
    assert detect_events(pixel_scene(np.full((2, 9, 2), np.nan), np.arange(9.0))) == ()
    assert detect_events(Scene.empty(np.arange(3.0), 64, 64, Provenance())) == ()
    assert detect_events(Scene.empty(np.zeros(0), 64, 64, Provenance())) == ()
    assert detect_events(metric_scene(np.full((2, 9, 3), np.nan), np.arange(9.0))) == ()
    assert detect_events(metric_scene(np.zeros((1, 1, 3)), one)) == ()


def test_masked_values_are_not_read(pixel_scene) -> None:
    t = np.arange(60) / 30
    path = np.stack([300 + 0 * t, drop_px(t, scale=0.004, top=60, height_px=350)], axis=1)
    wild = path.copy()
    visible = np.ones((1, 60), dtype=bool)
    visible[0, 4:7] = False
    wild[4:7] = 1e6
    blank = path.copy()
    blank[4:7] = np.nan
    size = np.full((1, 60, 2), 20.0)
    size[0, 4:7] = np.nan
    a = detect_events(pixel_scene([wild], t, visible=visible))
    b = detect_events(pixel_scene([blank], t, size=size))
    assert a == b


def test_events_are_in_order_of_start(pixel_scene) -> None:
    t = np.arange(60) / 30
    y = 400 - 200 * bounce_path(t, 1.5, 0.75, G)
    starts = [e.start_s for e in detect_events(pixel_scene([np.stack([300 + 0 * t, y], 1)], t))]
    assert starts == sorted(starts)
