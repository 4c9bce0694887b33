"""The report of a benchmark of acquisition strategies with simulated annotators."""

from analysis.benchmark.report import write
from analysis.benchmark.results import analyse
from analysis.benchmark.tables import Benchmark, read

__all__ = ["Benchmark", "analyse", "read", "write"]
