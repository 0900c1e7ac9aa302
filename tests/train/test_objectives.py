"""Objectives: each has a least value where it should, teaches what it should, and mixes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from worldline.core.errors import InputError
from worldline.core.latents import Controls, Latents
from worldline.data.shards import Shards
from worldline.dynamics import ControlEncoder, FlowDynamics, JepaDynamics, LatentActions
from worldline.readout.latent import LatentReadout, ObjectTargets
from worldline.readout.reward import RewardReadout
from worldline.tokenizer import RepresentationTokenizer
from worldline.train.draw import ClipBatch
from worldline.train.objectives import (
    OBJECTIVES,
    Distillation,
    Follower,
    HiddenActions,
    InverseModel,
    MaskedVideo,
    NextFrame,
    SelfForcing,
    SketchedGaussian,
    StateAlignment,
    StateTelling,
)
from worldline.train.objectives.alignment import describe_state
from worldline.train.objectives.gaussian import epps_pulley
from worldline.train.objectives.masked import draw_blocks
from worldline.train.tasks import ObjectiveTask
from worldline.world import World

WORLD = World.Config(
    tokenizer=RepresentationTokenizer.Config(
        size_px=32, channels=4, width=16, depth=2, heads=2, decoder_width=8, decoder_depth=1
    ),
    dynamics=JepaDynamics.Config(channels=4, rows=4, stem_width=8, width=16, depth=3, heads=2),
    readout=LatentReadout.Config(channels=4, rows=4, width=8, depth=1),
    trajectory=None,
    reward=RewardReadout.Config(channels=4, rows=4, width=8, depth=1),
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def world() -> World:
    return shaken(WORLD)


@pytest.fixture(scope="module")
def flow() -> World:
    """For objectives that need denoising steps or latent actions."""
    shape = {"channels": 4, "rows": 4, "stem_width": 8, "width": 16, "depth": 3, "heads": 2}
    takes = ControlEncoder.Config(action_size=2)
    dynamics = FlowDynamics.Config(**shape, num_steps=2, controls=takes)
    hidden = LatentActions.Config(action_size=2, width=8)
    return shaken(replace(WORLD, dynamics=dynamics, reward=None, inverse=hidden))


@pytest.fixture(scope="module")
def driven() -> World:
    """For the objective that reads actions off."""
    controls = ControlEncoder.Config(action_size=2)
    dynamics = replace(WORLD.dynamics, controls=controls)
    return shaken(replace(WORLD, dynamics=dynamics, reward=None))


def shaken(config: World.Config) -> World:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = config.build()
        with torch.no_grad():
            for part in made.parts.values():
                for parameter in part.parameters():
                    parameter.add_(0.1 * torch.randn_like(parameter))
    return made


def clips(batch: int = 8, num_frames: int = 4) -> ClipBatch:
    draw = seeded(1)
    shape = batch, num_frames, 3
    frames = torch.randint(0, 256, (batch, num_frames, 32, 32, 3), generator=draw)
    return ClipBatch(
        frames=frames.to(torch.uint8),
        moving=frames[..., 0] > 128,
        objects=ObjectTargets(
            center_px=32 * torch.rand(*shape, 2, generator=draw),
            size_px=4 + 4 * torch.rand(*shape, 2, generator=draw),
            depth_m=1 + torch.rand(shape, generator=draw),
            color_rgb=torch.rand(batch, 3, 3, generator=draw),
            visible=torch.rand(shape, generator=draw) < 0.8,
        ),
        controls=Controls(actions=torch.randn(batch, num_frames, 2, generator=draw)),
        told={
            "x_m": (
                torch.randn(batch, num_frames, generator=draw),
                torch.ones(batch, num_frames, dtype=torch.bool),
            )
        },
    )


def empty_shards() -> Shards:
    slots = np.zeros((1, 4, 1), np.float32)
    pairs = np.zeros((1, 4, 1, 2), np.float32)
    return Shards(
        frames=np.zeros((1, 4, 32, 32, 3), np.uint8),
        moving=np.zeros((1, 4, 32, 32), bool),
        center_px=pairs,
        size_px=pairs,
        depth_m=slots,
        color_rgb=np.zeros((1, 1, 3), np.float32),
        visible=slots > 0,
        actions=np.zeros((1, 4, 0), np.float32),
        has_actions=np.zeros(1, bool),
        records=(),
    )


def build(kind, world: World):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        named = {"names": ("x_m",)} if kind is StateTelling else {}
        objective = kind.Config(**named).build(world)
        with torch.no_grad():  # layers that start at zero would let no gradient through
            for parameter in objective.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter) * parameter.requires_grad)
    return objective


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_losses_are_finite_seeded_and_teach_the_objectives_own_weights(kind, world, flow, driven):
    needs = {Distillation: flow, HiddenActions: flow, SelfForcing: flow, InverseModel: driven}
    world = needs.get(kind, world)
    objective, batch = build(kind, world), clips()
    parts = {name: part.requires_grad_(True) for name, part in world.parts.items()}
    latents = world.tokenizer.encode(batch.frames)
    first = objective.loss(parts, batch, latents, seeded(3))
    again = objective.loss(parts, batch, world.tokenizer.encode(batch.frames), seeded(3))
    assert all(torch.isfinite(value) for value in first.values())
    assert torch.equal(first["total"], again["total"])
    first["total"].backward()
    taught = {
        name
        for name, part in parts.items()
        if any(p.grad is not None and p.grad.any() for p in part.parameters())
    }
    assert taught, "an objective teaches at least one part"
    for name, parameter in objective.named_parameters():
        if parameter.requires_grad and parameter.numel() > 1:
            assert parameter.grad is not None, name
            assert parameter.grad.any(), name
    for part in parts.values():
        part.zero_grad()


def test_hidden_patches_tell_nothing(world):
    """What the encoder says of visible patches does not depend on hidden ones."""
    encoder, batch = world.tokenizer, clips(2, 2)
    visible = torch.ones(2, 2, 16, dtype=torch.bool)
    visible[:, :, 5:9] = False
    changed = batch.frames.clone()
    changed[:, :, 8:16, 8:32] = 255 - changed[:, :, 8:16, 8:32]  # patches 5, 6, 7
    changed[:, :, 16:24, 0:8] = 0  # patch 8
    before, after = encoder.features(batch.frames, visible), encoder.features(changed, visible)
    torch.testing.assert_close(before[visible], after[visible])
    assert not torch.allclose(encoder.features(batch.frames)[visible], before[visible], atol=1e-3)


def test_blocks_hide_the_share_they_should():
    config = MaskedVideo.Config()
    hidden = draw_blocks(400, (8, 8), config, seeded()).float().mean(dim=1)
    small, large = hidden[::2].mean(), hidden[1::2].mean()
    # eight blocks of 15 % and two of 70 %, with their overlaps (the paper: about 75 % and 90 %)
    assert 0.55 < small < 0.85
    assert 0.75 < large < 0.97
    assert (hidden < 1).all()
    assert (hidden > 0).all()


def test_the_target_follows_the_encoder(world):
    objective = build(MaskedVideo, world)
    assert isinstance(objective, Follower)
    start = objective.target.enter.weight.clone()
    with torch.no_grad():
        world.tokenizer.enter.weight.add_(1.0)
    objective.follow(world.parts)
    torch.testing.assert_close(
        objective.target.enter.weight, start + (1 - 0.996), atol=1e-5, rtol=0
    )
    with torch.no_grad():
        world.tokenizer.enter.weight.sub_(1.0)


def test_the_statistic_is_least_for_a_standard_normal():
    x = torch.randn(20000, 3, generator=seeded())
    normal = epps_pulley(x)
    assert (normal < 1e-3).all()
    assert (epps_pulley(torch.zeros(1000, 3)) > 0.2).all()
    assert (epps_pulley(2 * x) > 0.02).all()
    assert (epps_pulley(x + 1) > 0.1).all()
    two_points = torch.sign(x)
    assert (epps_pulley(two_points) > 0.01).all()
    # collapsed features: the integral of (1 - exp(-t^2 / 2))^2 exp(-t^2 / 2) over t
    exact = (2 * torch.pi) ** 0.5 * (1 - 2 / 2**0.5 + 1 / 3**0.5)
    fine = epps_pulley(torch.zeros(10), num_points=2001, reach=8.0)
    torch.testing.assert_close(fine, torch.tensor(exact), atol=1e-4, rtol=0)


def test_the_sketch_spreads_collapsed_features():
    objective = SketchedGaussian.Config(num_directions=16).build(WORLD.build())
    x = (0.01 * torch.randn(64, 2, 4, 4, generator=seeded())).requires_grad_(True)
    optimizer = torch.optim.Adam([x], lr=0.05)
    first = None
    for step in range(150):
        loss = objective.loss({}, clips(1), Latents(x, (2, 2)), seeded(step))["total"]
        first = first or float(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.2 * first
    assert 0.7 < float(x.detach().std(dim=(0, 1)).mean()) < 1.3


def test_alignment_finds_states_that_latents_hold(world):
    """Latents that are a code of the state are matched after a little training."""
    objective = StateAlignment(StateAlignment.Config(width=32), channels=4, num_cells=16)
    batch = clips(16, 4)
    state, _ = describe_state(batch.objects, 32)
    code = state[:, :, 0, :4][:, :, None].expand(-1, -1, 16, -1)
    optimizer = torch.optim.Adam(objective.parameters(), lr=5e-3)
    for step in range(150):
        losses = objective.loss({}, batch, Latents(code, (4, 4)), seeded(step))
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
    assert float(losses["found"]) > 0.5


def test_states_say_place_speed_and_nearness():
    objects = clips(1, 2).objects
    objects = replace(
        objects,
        center_px=torch.tensor([[[[8.0, 16.0]], [[9.6, 16.0]]]]),
        size_px=torch.full((1, 2, 1, 2), 4.0),
        depth_m=torch.tensor([[[2.0], [float("nan")]]]),
        color_rgb=torch.zeros(1, 1, 3),
        visible=torch.tensor([[[True], [True]]]),
    )
    state, there = describe_state(objects, 32)
    assert there.all()
    expected = torch.tensor([0.3, 0.5, 0.125, 0.125, 0.5, 0.0, 0.0])
    torch.testing.assert_close(state[0, 1, 0], expected)
    assert state[0, 0, 0, 6] == 0.5


def test_a_mix_is_the_weighted_sum_and_parts_must_exist(world):
    config = ObjectiveTask.Config(
        ("tokenizer", "dynamics"),
        (OBJECTIVES[1].Config(weight=2.0), SketchedGaussian.Config(weight=0.5)),
    )
    task = config.build(world, empty_shards(), seed=0, batch=2, length=4)
    losses = task.loss(task.model, clips(), seeded(2))
    expected = 2 * losses["next-frame/total"] + 0.5 * losses["sketched-gaussian/total"]
    torch.testing.assert_close(losses["total"], expected)
    losses["total"].backward()
    assert world.tokenizer.enter.weight.grad is not None
    world.tokenizer.zero_grad()
    assert {"readout", "reward"} == set(task.frozen)
    with pytest.raises(ValueError, match="parts to train"):
        ObjectiveTask.Config(("trajectory",)).build(
            world, empty_shards(), seed=0, batch=2, length=4
        )


def test_actions_are_inferred_or_recorded(flow):
    batch = clips()
    latents = flow.tokenizer.encode(batch.frames)
    codes, known = flow.inverse.leading(batch.frames)
    recorded = replace(batch, controls=Controls(actions=codes, known={"actions": known}))
    inferred = (
        NextFrame.Config(inferred=True).build(flow).loss(flow.parts, batch, latents, seeded())
    )
    given = NextFrame.Config().build(flow).loss(flow.parts, recorded, latents, seeded())
    unknown = NextFrame.Config().build(flow).loss(flow.parts, batch, latents, seeded())
    assert torch.equal(inferred["total"], given["total"])
    assert not torch.equal(inferred["total"], unknown["total"])


def test_objectives_of_latent_actions_need_an_inverse_model(world):
    for config in (HiddenActions.Config(), NextFrame.Config(inferred=True)):
        with pytest.raises(InputError, match="no inverse model"):
            config.build(world)


def test_self_forcing_goes_on_from_what_the_dynamics_make(flow, monkeypatch):
    """The past is true frames, then those of a rollout under the clip's actions."""
    objective, batch = build(SelfForcing, flow), clips()
    latents = flow.tokenizer.encode(batch.frames)
    given = []

    def look(self, latents, seen, controls, generator):
        given.append((seen, controls))
        return {"total": seen.sum()}

    monkeypatch.setattr(FlowDynamics, "forced_loss", look)
    objective.loss(flow.parts, batch, latents, seeded(2))
    (seen, controls), num = given[0], latents.tokens.shape[1]
    begun = int((seen == latents.tokens).all(dim=(0, 2, 3)).sum())
    assert objective.context <= begun < num
    assert controls is batch.controls
    replayed = seeded(2)
    torch.randint(1, (), generator=replayed)
    start = Latents(latents.tokens[:, :begun], latents.grid)
    own = flow.dynamics.rollout(start, controls, replayed, horizon=num - begun)
    torch.testing.assert_close(seen[:, begun:], own.tokens)


def test_self_forcing_needs_flow_and_frames_to_make(world, flow):
    with pytest.raises(InputError, match="no flow dynamics to force"):
        SelfForcing.Config().build(world)
    batch = clips()
    latents = flow.tokenizer.encode(batch.frames)
    short = Latents(latents.tokens[:, :3], latents.grid)
    with pytest.raises(InputError, match="clips have 3 frames and 3 of them are true"):
        build(SelfForcing, flow).loss(flow.parts, batch, short, seeded())
    with pytest.raises(ValueError, match="context is 0"):
        SelfForcing.Config(context=0)
