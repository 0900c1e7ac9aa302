import torch

from worldline.core.latents import Controls


def test_controls_of_steps_keep_every_action_and_the_last_frames_view():
    actions = torch.arange(1.0, 15.0).reshape(1, 7, 2)
    state = torch.arange(7.0).reshape(1, 7, 1)
    text = torch.ones(1, 3)
    found = Controls(actions=actions, state=state, text=text).per_step(3)
    assert found.actions is not None
    assert found.actions.tolist() == [
        [[0, 0, 0, 0, 1, 2], [3, 4, 5, 6, 7, 8], [9, 10, 11, 12, 13, 14]]
    ]
    assert found.state is not None
    assert found.state[0, :, 0].tolist() == [0, 3, 6]
    assert found.text is text


def test_controls_that_end_within_a_step_are_held():
    found = Controls(actions=torch.arange(5.0).reshape(1, 5, 1)).per_step(3).actions
    assert found is not None
    assert found[0].tolist() == [[0, 0, 0], [1, 2, 3], [4, 4, 4]]


def test_controls_of_single_frames_are_the_steps_own():
    controls = Controls(actions=torch.zeros(1, 2, 1))
    assert controls.per_step(1) is controls


def test_actions_of_a_step_are_known_if_any_is_and_readings_if_the_last_is():
    known = torch.tensor([False, True, False, False, False, False, False])[None, :, None]
    controls = Controls(
        actions=torch.zeros(1, 7, 2), state=torch.zeros(1, 7, 1), known={"actions": known}
    )
    found = controls.per_step(3).known
    assert found is not None
    assert found["actions"].tolist() == [[[False], [True], [False]]]
    found = Controls(state=torch.zeros(1, 7, 1), known={"state": known}).per_step(3).known
    assert found is not None
    assert found["state"].tolist() == [[[False], [False], [False]]]


def test_frames_without_an_end_are_all_from_there_on():
    controls = Controls(actions=torch.arange(5.0).reshape(1, 5, 1), text=torch.ones(1, 3))
    later = controls.frames(3)
    assert later.actions is not None
    assert later.actions.flatten().tolist() == [3, 4]
    assert later.text is not None
    assert controls.frames(5).actions is None
