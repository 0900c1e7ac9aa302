"""The retrieval benchmark: does search by what physically happens find the right clips?"""

from worldline.retrieval.benchmark.run import OURS, Settings, run_benchmark

__all__ = ["OURS", "Settings", "run_benchmark"]
