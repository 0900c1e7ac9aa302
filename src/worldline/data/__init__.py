"""Video in and out: decode, probe, encode, bring onto a time grid; and what actions mean."""

from worldline.data.actions import ActionSpec
from worldline.data.decode import VideoInfo, iter_frames, probe, read_clip
from worldline.data.encode import write_video
from worldline.data.transform import center_square, nearest_frames, resample

__all__ = [
    "ActionSpec",
    "VideoInfo",
    "center_square",
    "iter_frames",
    "nearest_frames",
    "probe",
    "read_clip",
    "resample",
    "write_video",
]
