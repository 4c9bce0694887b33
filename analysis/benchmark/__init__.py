"""The report of a benchmark of acquisition strategies with simulated annotators."""

from analysis.benchmark.comparisons import analyse
from analysis.benchmark.report import write
from analysis.benchmark.results import tree
from analysis.benchmark.sentences import summary
from analysis.benchmark.tables import Benchmark, read

__all__ = ["Benchmark", "analyse", "read", "summary", "tree", "write"]
