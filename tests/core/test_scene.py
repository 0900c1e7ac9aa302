"""`Scene`: what goes into JSON comes out again, and what does not fit is named."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from worldline.core import STATIC, Camera, Contact, Event, Origin, Provenance, Scene

ARRAYS = {
    "color_rgb": (2, 3),
    "position_m": (2, 4, 3),
    "position_m_std": (2, 4, 3),
    "rotation_wxyz": (2, 4, 4),
    "velocity_mps": (2, 4, 3),
    "angular_velocity_radps": (2, 4, 3),
    "depth_m": (2, 4),
    "depth_m_std": (2, 4),
    "nearness": (2, 4),
    "nearness_std": (2, 4),
    "bend": (2, 4),
    "num_parts": (2, 4),
    "extent_m": (2, 3),
    "mass_kg": (2,),
    "gravity_mps2": (3,),
}


@pytest.fixture
def scene() -> Scene:
    """Two objects over four frames with every field filled, values exact in six decimals."""
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> np.ndarray:
        return np.round(rng.normal(size=shape), 6)

    values = {name: draw(*shape) for name, shape in ARRAYS.items()}
    values["num_parts"] = rng.integers(1, 4, ARRAYS["num_parts"])

    visible = np.array([[True, True, False, True], [True, True, True, True]])
    return Scene(
        time_s=np.array([0.0, 0.1, 0.25, 0.3]),
        width_px=64,
        height_px=48,
        ids=np.array([7, 3]),
        labels=("ball", "box"),
        present=np.ones((2, 4), dtype=bool),
        visible=visible,
        center_px=np.where(visible[..., None], draw(2, 4, 2), np.nan),
        size_px=np.where(visible[..., None], draw(2, 4, 2), np.nan),
        center_px_std=np.zeros((2, 4, 2)),
        **values,
        metres_per_px=0.02,
        metres_per_px_std=0.001,
        camera=Camera(60.0, 64, 48, np.eye(4)[None]),
        contacts=(
            Contact(7, STATIC, 0.1, 0.25, point_px=(3.0, 4.5), impulse_ns=0.5),
            Contact(7, 3, 0.2, 0.3, confidence=0.75),
        ),
        events=(
            Event("fall", 0.0, 0.1, {"object": 7}, {"height_m": 1.5, "height_m_std": 0.1}, 0.9),
        ),
        caption="A ball falls.",
        provenance=Provenance(Origin.SIMULATED, "drop", "worldline", 5, (("split", "train"),)),
    )


def through_json(scene: Scene) -> Scene:
    return Scene.from_json(json.loads(json.dumps(scene.to_json(), allow_nan=False)))


def assert_same(a: Scene, b: Scene) -> None:
    for name in ("time_s", "ids", "present", "visible", "center_px", "size_px", "center_px_std"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
        assert getattr(a, name).dtype == getattr(b, name).dtype, name
    for name in ARRAYS:
        np.testing.assert_equal(getattr(a, name), getattr(b, name), err_msg=name)
    for name in ("width_px", "height_px", "labels", "metres_per_px", "metres_per_px_std"):
        assert getattr(a, name) == getattr(b, name), name
    for name in ("contacts", "events", "caption", "provenance"):
        assert getattr(a, name) == getattr(b, name), name


def test_every_field_survives_json(scene: Scene):
    back = through_json(scene)
    assert_same(back, scene)
    assert back.camera is not None
    assert (back.camera.focal_px, back.camera.width_px, back.camera.height_px) == (60.0, 64, 48)
    np.testing.assert_array_equal(back.camera.world_from_camera, np.eye(4)[None])


def test_absent_fields_stay_absent(scene: Scene):
    bare = replace(
        scene, **dict.fromkeys(ARRAYS), camera=None, metres_per_px=None, metres_per_px_std=None
    )
    back = through_json(bare)
    assert_same(back, bare)
    assert back.camera is None


def test_values_keep_six_decimals(scene: Scene):
    center = scene.center_px.copy()
    center[0, 0] = 1.23456749, -1e-9
    back = through_json(replace(scene, center_px=center))
    np.testing.assert_array_equal(back.center_px[0, 0], [1.234567, 0.0])


def test_infinity_is_written_as_null_and_read_as_nan(scene: Scene):
    depth = np.full((2, 4), 2.0)
    depth[1, 2] = np.inf
    back = through_json(replace(scene, depth_m=depth))
    assert back.depth_m is not None
    assert np.isnan(back.depth_m[1, 2])
    assert np.isfinite(back.depth_m).sum() == 7


def test_unmeasured_numbers_are_null_not_nan_tokens(scene: Scene):
    odd = replace(
        scene,
        metres_per_px=float("nan"),
        events=(Event("fall", 0.0, 0.1, quantities={"height_m": float("nan"), "g_mps2": 9.0}),),
        contacts=(Contact(7, 3, 0.0, 0.1, impulse_ns=float("inf")),),
    )
    back = through_json(odd)
    assert back.metres_per_px is None
    assert back.contacts[0].impulse_ns is None
    assert np.isnan(back.events[0].quantities["height_m"])
    assert back.events[0].quantities["g_mps2"] == 9.0


@pytest.mark.parametrize("num_frames", [0, 1, 5])
def test_empty_scene_survives_json(num_frames: int):
    time_s = np.arange(num_frames) / 8
    empty = Scene.empty(time_s, 64, 48, Provenance(source="a.mp4"))
    back = through_json(empty)
    assert_same(back, empty)
    assert back.center_px.shape == (0, num_frames, 2)
    assert back.num_objects == 0


def test_objects_without_frames_survive_json():
    scene = Scene(
        time_s=np.zeros(0),
        width_px=8,
        height_px=8,
        ids=np.array([1, 2]),
        labels=("ball", "ball"),
        present=np.zeros((2, 0), dtype=bool),
        visible=np.zeros((2, 0), dtype=bool),
        center_px=np.zeros((2, 0, 2)),
        size_px=np.zeros((2, 0, 2)),
        center_px_std=np.zeros((2, 0, 2)),
    )
    assert_same(through_json(scene), scene)
    assert scene.duration_s == 0.0


def test_json_keeps_its_names(scene: Scene):
    """The names are read by programs outside; a change is a change of version."""
    record = scene.to_json()
    assert record["version"] == 1
    assert set(record) == {
        *("version", "time_s", "width_px", "height_px", "labels", "metres_per_px"),
        *("metres_per_px_std", "camera", "contacts", "events", "caption", "provenance"),
        *("ids", "present", "visible", "center_px", "size_px", "center_px_std"),
        *ARRAYS,
    }
    assert record["center_px"][0][2] == [None, None]
    assert record["contacts"][0]["b"] == STATIC


@pytest.mark.parametrize(
    "name", ["time_s", "ids", "present", "visible", "center_px", "size_px", "labels", "width_px"]
)
def test_missing_field_is_named(scene: Scene, name: str):
    record = scene.to_json()
    del record[name]
    with pytest.raises(ValueError, match=f"lacks {name}"):
        Scene.from_json(record)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("center_px", [[[1, 2]], [[3, 4]]]),
        ("center_px", [[1, 2], [3]]),
        ("center_px", "nonsense"),
        ("visible", [[True] * 4]),
        ("visible", [["yes"] * 4] * 2),
        ("size_px", [[[1, 2]] * 4]),
        ("mass_kg", [1.0]),
        ("mass_kg", [{}, {}]),
        ("rotation_wxyz", [[[1, 0, 0]] * 4] * 2),
        ("gravity_mps2", [0.0, -9.8]),
        ("ids", [1.5, 2.5]),
        ("ids", [[7], [3]]),
        ("ids", [7, 7]),
        ("labels", ["ball"]),
    ],
)
@pytest.mark.usefixtures("as_users_run")
def test_misshapen_field_is_named(scene: Scene, name: str, value: object):
    with pytest.raises(ValueError, match=name):
        Scene.from_json({**scene.to_json(), name: value})


@pytest.mark.usefixtures("as_users_run")
def test_misshapen_array_is_refused_without_json(scene: Scene):
    wrong = np.zeros((2, 3, 2))
    with pytest.raises(ValueError, match="size_px"):
        replace(scene, size_px=wrong)


def test_index_and_duration(scene: Scene):
    assert scene.index(7) == 0
    assert scene.index(3) == 1
    assert scene.duration_s == pytest.approx(0.3)
    assert (scene.num_objects, scene.num_frames) == (2, 4)
    with pytest.raises(KeyError, match="no object 5"):
        scene.index(5)


def test_after_keeps_what_is_still_there(scene: Scene):
    gone = scene.present.copy()
    gone[1, 2:] = False  # the box leaves before frame 2
    path = np.tile(np.eye(4), (4, 1, 1))
    path[:, 0, 3] = np.arange(4)
    scene = replace(
        scene,
        present=gone,
        camera=Camera(60.0, 64, 48, path),
        events=(
            Event("fall", 0.0, 0.1, {"object": 7}),
            Event("roll", 0.1, 0.3, {"object": 7}),
            Event("collide", 0.1, 0.3, {"a": 7, "b": 3}),
        ),
    )
    rest = scene.after(2)
    assert (rest.ids.tolist(), rest.labels) == ([7], ("ball",))
    np.testing.assert_array_equal(rest.time_s, [0.25, 0.3])
    for name in ("center_px", "position_m", "rotation_wxyz", "visible", "depth_m"):
        np.testing.assert_array_equal(getattr(rest, name), getattr(scene, name)[:1, 2:], name)
    assert rest.camera is not None
    np.testing.assert_array_equal(rest.camera.world_from_camera[:, 0, 3], [2.0, 3.0])
    np.testing.assert_array_equal(rest.mass_kg, scene.mass_kg[:1])
    np.testing.assert_array_equal(rest.gravity_mps2, scene.gravity_mps2)
    assert [e.type for e in rest.events] == ["roll"]
    assert [(c.a, c.b) for c in rest.contacts] == [(7, STATIC)]
    assert_same(through_json(rest), rest)


def test_events_are_sorted_by_start_then_type(scene: Scene):
    events = (Event("roll", 0.2, 0.3), Event("fall", 0.2, 0.25), Event("appear", 0.0, 0.1))
    assert [e.type for e in scene.with_events(events).events] == ["appear", "fall", "roll"]
    assert [e.type for e in scene.events] == ["fall"]


def test_the_annotations_are_checked_in_tests(scene: Scene):
    """Otherwise a wrong annotation anywhere in the package would go unseen."""
    with pytest.raises(TypeCheckError, match="center_px"):
        replace(scene, center_px=scene.center_px[:, :2])
    with pytest.raises(TypeCheckError, match="time_s"):
        replace(scene, time_s=np.arange(4))
