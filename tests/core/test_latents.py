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
