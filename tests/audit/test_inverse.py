import numpy as np
import pytest
from tests.playing import PAD, STICK, block_clips

from worldline.audit.inverse import fit_inverse
from worldline.core import InputError


def test_it_reads_choices_off_true_frames_and_nothing_off_still_ones():
    clips = block_clips(12, 12, PAD)
    model = fit_inverse(clips[:10], is_discrete=True, seed=0, steps=60, batch=32)
    scores = [model.hits(clip.frames, clip.actions[:-1]).mean() for clip in clips[10:]]
    still = [
        model.hits(np.repeat(clip.frames[:1], 12, axis=0), clip.actions[:-1]).mean()
        for clip in clips[10:]
    ]
    # at the edges the block stands still whatever is chosen
    assert np.mean(scores) > 0.7
    assert np.mean(still) < 0.6


def test_it_reads_numbers():
    clips = block_clips(12, 12, STICK)
    heard: list[float] = []
    model = fit_inverse(
        clips[:10], is_discrete=False, seed=0, steps=80, batch=32, on_progress=heard.append
    )
    assert heard == [step / 80 for step in range(1, 81)]
    told = model.read(clips[11].frames)[:, 0]
    assert np.corrcoef(told, clips[11].actions[:-1, 0])[0, 1] > 0.6


def test_clips_without_actions_are_refused():
    with pytest.raises(InputError, match="no clips"):
        fit_inverse([], is_discrete=True, seed=0)
