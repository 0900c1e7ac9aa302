"""Types that every room shares. Nothing here knows a model, a file format or a simulator."""

from worldline.core.camera import Camera
from worldline.core.clip import Clip
from worldline.core.config import Config, config_from_json, register
from worldline.core.errors import ArtifactError, InputError, MediaError
from worldline.core.forecast import Forecast
from worldline.core.provenance import Origin, Provenance
from worldline.core.scene import STATIC, Contact, Event, Scene
from worldline.core.verdict import Outcome, Verdict

__all__ = [
    "STATIC",
    "ArtifactError",
    "Camera",
    "Clip",
    "Config",
    "Contact",
    "Event",
    "Forecast",
    "InputError",
    "MediaError",
    "Origin",
    "Outcome",
    "Provenance",
    "Scene",
    "Verdict",
    "config_from_json",
    "register",
]
