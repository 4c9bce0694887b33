"""The report's tables as LaTeX, with booktabs: one file that compiles, or is put into a paper.

Compile it twice or thrice: `longtable` learns the widths of its columns from the run before.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.page.formatting import spans, unstyled
from analysis.page.tables import Table, tables

#: More columns than this are set smaller, and across the page.
WIDE = 8
#: Text longer than this (characters) is broken into lines; the first limit that fits the page.
LIMITS = (45, 32, 28, 24, 20, 16)
#: What a page holds in footnotesize and in small, a gap between columns, a character in cm.
CHARACTERS, GAP, CENTIMETRES = {True: 190, False: 168}, 2, 0.138
SYMBOLS = {
    "\\": r"\textbackslash{}",
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "−": r"$-$",
    "×": r"$\times$",
    "÷": r"$\div$",
    "·": r"$\cdot$",
    "–": "--",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\dots{}",
    "η²": r"$\eta^2$",
    "χ²": r"$\chi^2$",
    "ε²": r"$\varepsilon^2$",
    "ε": r"$\varepsilon$",
    "α": r"$\alpha$",
    "≠": r"$\neq$",
    "±": r"$\pm$",
    **{c: f"$^{{{plain}}}$" for c, plain in zip("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789", strict=True)},
}
HEAD = r"""\documentclass[10pt]{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{array}
\usepackage{booktabs}
\usepackage{longtable}
\usepackage[a4paper,landscape,margin=2cm]{geometry}
\setlength{\tabcolsep}{4pt}
\setlength{\LTleft}{0pt}
\begin{document}
"""


def write(report: dict[str, pd.DataFrame], out: Path, label: str | None = None) -> Path:
    """Write tables.tex: the tables of a report that a paper prints; returns its path.

    `label` (SIMULATED, PILOT) stands below every table.
    """
    bodies = [body(table, i) for i, table in enumerate(tables(report, label), start=1)]
    path = out / "tables.tex"
    path.write_text(HEAD + "\n\n".join(bodies) + "\n\\end{document}\n", encoding="utf-8")
    return path


def body(table: Table, number: int) -> str:
    """One table: `longtable`, so that a long one goes on over the page."""
    wide = len(table.headings) > WIDE
    heads = " & ".join(_marked(heading) for heading in table.headings)
    rows = "\n".join(" & ".join(map(escaped, row)) + r" \\" for row in table.cells)
    notes = "".join(
        f"\n\\par\\noindent\\textit{{Note.}} {_marked(' '.join(table.notes))}\n"
        if table.notes
        else ""
    )
    size = r"\footnotesize" if wide else r"\small"
    return (
        f"\\begingroup\n{size}\n\\begin{{longtable}}{{@{{}}{_columns(table, wide)}@{{}}}}\n"
        f"\\multicolumn{{{len(table.headings)}}}{{@{{}}l}}{{\\textbf{{Table {number}}}}} \\\\\n"
        f"\\multicolumn{{{len(table.headings)}}}{{@{{}}l}}{{\\textit{{{escaped(table.title)}}}}}"
        f" \\\\[2pt]\n\\toprule\n{heads} \\\\\n\\midrule\n\\endhead\n{rows}\n\\bottomrule\n"
        f"\\end{{longtable}}{notes}\\endgroup"
    )


def _columns(table: Table, wide: bool) -> str:
    """`l`, `r`, or `p{..}` for text that is broken into lines because the page holds no more."""
    rows = [[unstyled(heading) for heading in table.headings], *table.cells]
    lengths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    texts = [(n, not numeric) for n, numeric in zip(lengths, table.numeric, strict=True)]
    for limit in LIMITS:
        if sum((min(n, limit) if text else n) + GAP for n, text in texts) <= CHARACTERS[wide]:
            break
    across = f">{{\\raggedright\\arraybackslash}}p{{{limit * CENTIMETRES:.1f}cm}}"
    return "".join(("l" if n <= limit else across) if text else "r" for n, text in texts)


def _marked(text: str) -> str:
    command = {"italic": "\\textit{%s}", "below": "\\textsubscript{%s}", "": "%s"}
    return "".join(command[style] % escaped(part) for part, style in spans(text))


def escaped(text: str) -> str:
    """Text that LaTeX prints as it is; the longest symbols first."""
    keys = sorted(SYMBOLS, key=len, reverse=True)
    out, i = [], 0
    while i < len(text):
        found = next((key for key in keys if text.startswith(key, i)), None)
        out.append(SYMBOLS[found] if found else text[i])
        i += len(found) if found else 1
    return "".join(out)
