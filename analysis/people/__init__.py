"""The questions a study of people asks of its tables, each answered with tables.

`analyse` asks all of them. A report is its result: named tables, each tidy, with full precision.
"""

from analysis.people.report import Report, analyse

__all__ = ["Report", "analyse"]
