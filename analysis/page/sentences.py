"""Results as sentences in the style of the APA, numbers rounded here and nowhere earlier."""

from __future__ import annotations

from typing import Any

from analysis.page.formatting import (
    UNITS,
    change,
    contrast,
    fixed,
    interval,
    label,
    number,
    p_equals,
    share,
    whole,
)

Line = dict[str, Any]


def effect(name: str, line: Line) -> str:
    """`F(1, 15) = 86.27, p = 1.3×10⁻⁷, ηp² = .852, 90% CI [.705, .911], ηG² = .439`."""
    if line["F"] is None:
        return f"{name}: no test, because the differences do not vary between participants"
    text = (
        f"{name}: F({whole(line['df1'])}, {whole(line['df2'])}) = {fixed(line['F'])}, "
        f"{p_equals(line['p'])}, ηp² = {number(line['np2'])}, 90% CI "
        f"{interval(line['np2_ci90'])}"
    )
    return text + (f", ηG² = {number(line['ng2'])}" if line["ng2"] is not None else "")


def one_way(line: Line) -> str:
    """The one-way test with Mauchly's test and both corrections, whatever they say."""
    text = effect("Conditions", line)
    if line["F"] is None or line["epsilon_gg"] is None:
        return text + "."
    mauchly = (
        "Mauchly's test is not defined for so few participants"
        if line["mauchly_w"] is None
        else f"Mauchly's W = {number(line['mauchly_w'])}, {p_equals(line['mauchly_p'])}"
    )
    return (
        f"{text}; {mauchly}; Greenhouse–Geisser ε = {number(line['epsilon_gg'])}, "
        f"{p_equals(line['p_gg'])}; Huynh–Feldt ε = {number(line['epsilon_hf'])}, "
        f"{p_equals(line['p_hf'])}."
    )


def estimate(metric: str, name: str, line: Line) -> str:
    """One 2x2 effect as a difference (or ratio) with its interval."""
    what = {"interaction": "Interaction"}.get(name, name.capitalize())
    how = f"{what} ({contrast(line['contrast'], ratio='ratio' in line)})"
    if "ratio" in line:
        return (
            f"{how}: ratio of geometric means {number(line['ratio'], 2)}, 95% CI "
            f"{interval(line['ratio_ci95'], 2)} ({change(line['ratio'])})"
        )
    unit = UNITS.get(metric, "")
    if unit.startswith("share"):
        return (
            f"{how}: {number(100 * line['estimate'], 2)} percentage points, 95% CI "
            f"{interval([100 * b for b in line['ci95']], 2)}"
            if line["ci95"]
            else how
        )
    return f"{how}: {number(line['estimate'], 2)} {unit}, 95% CI {interval(line['ci95'], 2)}"


def pair(metric: str, line: Line) -> str:
    """One paired comparison in full."""
    if line["t"] is None:
        return (
            f"{line['a']} − {line['b']}: mean difference {number(line['difference'])}; no "
            "test, because the differences do not vary."
        )
    return (
        f"{line['a']} − {line['b']}: M = {number(line['difference'])} "
        f"{UNITS.get(metric, '')}, 95% CI {interval(line['ci95'])}, t({line['df']}) = "
        f"{fixed(line['t'])}, {p_equals(line['p'])}, Holm {p_equals(line['p_holm'])}, "
        f"dz = {number(line['dz'], 2)} {interval(line['dz_ci95'], 2)}, "
        f"dav = {number(line['dav'], 2)}; exact Wilcoxon {p_equals(line['wilcoxon_p'])}."
    )


def metric_sentences(name: str, found: Line) -> list[str]:
    """The sentences of one metric's section."""
    if "note" in found:
        return [f"{label(name)}: {found['note']}."]
    out = []
    for key in ("anova_2x2", "anova_two_way"):
        for factor, line in found.get(key, {}).items():
            text = effect(factor.capitalize(), line)
            if key == "anova_2x2":
                text += f". {estimate(name, factor, found['estimates'][factor])}"
            elif line["p_gg"] is not None:
                text += f"; Greenhouse–Geisser {p_equals(line['p_gg'])}"
            out.append(text + ".")
    out.append(one_way(found["anova_one_way"]))
    if "friedman" in found and found["friedman"]["chi2"] is not None:
        f = found["friedman"]
        out.append(
            f"Friedman: χ²({f['df']}) = {fixed(f['chi2'])}, {p_equals(f['p'])}, "
            f"Kendall's W = {number(f['w'])}."
        )
    return out


def score_sentences(tests: Line) -> list[str]:
    """The score of a questionnaire: effects of the factors, or of the conditions."""
    out = []
    table: Line = tests.get("anova_2x2") or tests.get("anova_two_way") or {}
    for factor, line in table.items():
        text = effect(factor, line)
        if "estimates" in tests:
            found = tests["estimates"][factor]
            text += (
                f"; {contrast(found['contrast'])} {number(found['estimate'], 1)} points, "
                f"95% CI {interval(found['ci95'], 1)}"
            )
        out.append(text + ".")
    return out or [one_way(tests["anova_one_way"])]


def clmm(line: Line, name: str, direction: str | None) -> str:
    """One effect of a cumulative-link mixed model."""
    if line.get("odds_ratio") is None:
        lr = (
            f"likelihood ratio χ²({line['lr_df']}) = {fixed(line['lr_chi2'])}, "
            f"{p_equals(line['lr_p'])} (as F: {p_equals(line['lr_p_f'])})"
            if line.get("lr_chi2") is not None
            else "no test"
        )
        return f"{name}: {line.get('note') or 'several levels'}; {lr}"
    head = f"{name}" + (f" ({contrast(direction)})" if direction else "")
    return (
        f"{head}: odds ratio {number(line['odds_ratio'], 2)}, 95% CI "
        f"{interval(line['ci95'], 2)}, z = {fixed(line['z'])}, {p_equals(line['p'])}; "
        f"likelihood ratio χ²({line['lr_df']}) = {fixed(line['lr_chi2'])}, "
        f"{p_equals(line['lr_p'])} (as F: {p_equals(line['lr_p_f'])})"
    )


def preference(line: Line) -> str:
    """A choice question in one sentence."""
    if "options" not in line:
        return line["note"] + ": " + ", ".join(f"{k} {v}" for k, v in line["counts"].items()) + "."
    parts = [
        f"{o['option']} {o['count']} of {line['n']} ({share(o['share'], 0)}, 95% CI "
        f"[{share(o['share_ci95'][0], 0)}, {share(o['share_ci95'][1], 0)}])"
        for o in line["options"]
    ]
    test = (
        f"; exact binomial test against one half {p_equals(line['p'])}"
        if line["p"] is not None
        else ""
    )
    return "; ".join(parts) + test + "."


def summary(results: Line) -> list[str]:
    """What the study found, in the order that a reader asks."""
    out: list[str] = []
    primary = results["plan"]["primary_metric"]
    order = [primary] + [
        m
        for m in ("accuracy_after", "conflicting_accuracy_after", "attention_inside_after")
        if m != primary
    ]
    for name in order:
        found = results["metrics"].get(name)
        if found is None or "note" in found:
            continue
        if found.get("primary_analysis") == "mixed":
            for factor, line in found["mixed"]["effects"].items():
                if factor in ("intercept", "interaction"):
                    continue
                direction = contrast(found["mixed"]["contrasts"].get(factor, factor), ratio=True)
                out.append(
                    f"{label(name)}, {factor} ({direction}, trial-level mixed model): ratio "
                    f"{number(line['ratio'], 2)}, 95% CI {interval(line['ratio_ci95'], 2)}, "
                    f"t({line['df']}) = {fixed(line['t'])}, {p_equals(line['p'])}."
                )
        elif "estimates" in found:
            for factor in results["design"]["factors"]:
                line = found["estimates"][factor]
                out.append(f"{label(name)}. {estimate(name, factor, line)}, {p_equals(line['p'])}.")
            line = found["estimates"]["interaction"]
            out.append(f"{label(name)}. Interaction: {p_equals(line['p'])}.")
        else:
            out.append(f"{label(name)}. {one_way(found['anova_one_way'])}")
    for name, line in results["preferences"].items():
        out.append(f"Preference ({name}): {preference(line)}")
    return out
