"""Report: one page that a person wants to read, and the same facts as JSON."""

from worldline.report.facts import (
    ClipFacts,
    Curve,
    Film,
    Footage,
    ForecastFacts,
    HitFacts,
    Panel,
    ReportFacts,
    SearchFacts,
    Stage,
    Still,
    WorldFacts,
)
from worldline.report.media import encode_film, encode_strip
from worldline.report.write import describe_report, write_report

__all__ = [
    "ClipFacts",
    "Curve",
    "Film",
    "Footage",
    "ForecastFacts",
    "HitFacts",
    "Panel",
    "ReportFacts",
    "SearchFacts",
    "Stage",
    "Still",
    "WorldFacts",
    "describe_report",
    "encode_film",
    "encode_strip",
    "write_report",
]
