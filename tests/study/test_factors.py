"""Conditions are what the study file says, and nothing leaks between them."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.config import (
    OVERRIDABLE,
    AcquisitionConfig,
    Condition,
    Section,
    StudyConfig,
    StudyFileError,
    parse,
)
from study.config.factors import TAKEN
from study.export.questions import COLUMNS as QUESTION_COLUMNS
from study.export.tables import COLUMNS


def study(text: str) -> StudyConfig:
    return parse(tomllib.loads('name = "a"\n' + text))


def problems(text: str) -> list[str]:
    with pytest.raises(StudyFileError) as error:
        study(text)
    return [line.removeprefix("study.toml: ") for line in error.value.problems]


def condition(config: StudyConfig, name: str) -> Condition:
    return next(each for each in config.conditions if each.name == name)


def here(config: StudyConfig, name: str) -> StudyConfig:
    return config.for_condition(condition(config, name))


OVERLAY = """
[[conditions]]
interface = "click"
sampling = "random"
overlay = "off"
[[conditions]]
interface = "click"
sampling = "active"
overlay = "on"
[conditions.guidance]
w_g = 0.5
[conditions.workspace.hotkeys]
nothing = "x"
[factors]
overlay = ["on", "off"]
"""


# -- what a condition is -------------------------------------------------------------------


def test_a_conditions_name_is_its_levels_in_the_order_of_the_factors() -> None:
    config = study(OVERLAY)
    assert [each.name for each in config.conditions] == ["click-random-off", "click-active-on"]
    assert config.factor_names == ("interface", "sampling", "overlay")
    assert config.conditions[0].factors == {
        "interface": "click",
        "sampling": "random",
        "overlay": "off",
    }


def test_the_order_of_keys_in_the_file_is_not_in_the_name() -> None:
    text = """
    conditions = [
      { size = "s", overlay = "on", interface = "click", sampling = "active" },
      { interface = "click", sampling = "active", overlay = "off", size = "l" },
    ]
    [factors]
    overlay = ["on", "off"]
    size = ["s", "l"]
    """
    assert [each.name for each in study(text).conditions] == [
        "click-active-on-s",
        "click-active-off-l",
    ]


def test_factors_without_conditions_are_crossed() -> None:
    config = study('factors = { overlay = ["on", "off"] }')
    names = [each.name for each in config.conditions]
    assert len(names) == 8
    assert names[:4] == [
        "polygon-random-on", "click-random-on", "polygon-active-on", "click-active-on",
    ]  # fmt: skip
    only = study('[factors]\ninterface = ["click"]\noverlay = ["on", "off"]')
    assert [each.name for each in only.conditions] == [
        "click-random-on", "click-active-on", "click-random-off", "click-active-off",
    ]  # fmt: skip


def test_a_level_of_a_built_in_factor_sets_what_it_names() -> None:
    config = study(OVERLAY)
    assert here(config, "click-random-off").workspace.show_attention == ()
    assert "click" in here(config, "click-active-on").workspace.show_attention


def test_a_conditions_own_tables_are_for_it_alone() -> None:
    config = study(OVERLAY)
    assert here(config, "click-active-on").guidance.w_g == 0.5
    assert here(config, "click-random-off").guidance == config.guidance
    # a table in a table is set key by key
    hotkeys = here(config, "click-active-on").workspace.hotkeys
    assert (hotkeys.nothing, hotkeys.confirm) == ("x", "Enter")
    assert here(config, "click-random-off").workspace.hotkeys == config.workspace.hotkeys


def test_attention_is_practised_with_where_a_task_shows_it() -> None:
    config = study('factors = { overlay = ["on", "off"] }')
    assert set(config.practice_workspace.show_attention) == {"polygon", "click"}
    hidden = study('factors = { interface = ["click"] }\nworkspace.show_attention = ["polygon"]')
    assert hidden.practice_workspace.show_attention == ()


def test_what_holds_in_one_condition_cannot_be_asked_about_another() -> None:
    config = study("")
    one, other = config.conditions[:2]
    alone = config.for_condition(one)
    assert alone.for_condition(one) == alone
    with pytest.raises(ValueError, match="is not a condition"):
        alone.for_condition(other)


# -- random is random ----------------------------------------------------------------------


WRAPPED = """
[acquisition]
active = "entropy"
combine = ["margin"]
balance = true
subsample = 100
"""


def test_what_active_means_does_not_reach_the_random_condition() -> None:
    config = study(WRAPPED)
    for interface in ("click", "polygon"):
        random = here(config, f"{interface}-random").acquisition
        assert random == AcquisitionConfig(active="random")
        assert here(config, f"{interface}-active").acquisition == config.acquisition


def test_a_strategy_that_a_condition_names_has_only_what_the_condition_says_of_it() -> None:
    config = study(
        WRAPPED + '[[conditions]]\ninterface = "click"\nsampling = "margin"\n'
        '[[conditions]]\ninterface = "click"\nsampling = "random"\n'
        "[conditions.acquisition]\nbalance = true\n"
    )
    assert here(config, "click-margin").acquisition == AcquisitionConfig(active="margin")
    assert here(config, "click-random").acquisition == AcquisitionConfig(
        active="random", balance=True
    )


# -- mistakes ------------------------------------------------------------------------------

CLICK = '[[conditions]]\ninterface = "click"\nsampling = "active"\n'
RANDOM = '[[conditions]]\ninterface = "click"\nsampling = "random"\n'
SIZE = '[factors]\nsize = ["s", "l"]\n'
MISTAKES = {
    "an undeclared factor": (
        CLICK + 'overlai = "on"\n[factors]\noverlay = ["on", "off"]',
        "conditions[0].overlai is not a setting; did you mean 'overlay'?",
    ),
    "an undeclared factor that nothing is like": (
        CLICK + 'zoo = "on"',
        "conditions[0].zoo = 'on': zoo is neither a setting nor a factor; declare it, for example "
        "[factors] zoo = ['on', ...]",
    ),
    "a misspelt table": (
        CLICK + "[conditions.guidanc]\nw_g = 1.0",
        "conditions[0].guidanc is not a setting; did you mean 'guidance'?",
    ),
    "a misspelt setting in a table": (
        CLICK + "[conditions.guidance]\nw_gg = 1.0",
        "conditions[0].guidance.w_gg is not a setting; did you mean 'w_g'?",
    ),
    "a level nobody has": (
        CLICK + 'overlay = "on"\n' + RANDOM + 'overlay = "on"\n[factors]\noverlay = ["on", "off"]',
        "factors.overlay lists 'off', which no condition has: use it or take it out",
    ),
    "an unlisted level": (
        CLICK + 'size = "s"\n' + RANDOM + 'size = "l"\n' + RANDOM + 'size = "ll"\n' + SIZE,
        "conditions[2].size = 'll' is not a level that factors.size lists; did you mean 'l'?",
    ),
    "a number for a level": (
        CLICK + 'size = "s"\n' + RANDOM + 'size = "l"\n' + RANDOM + "size = 3\n" + SIZE,
        "conditions[2].size = 3 is not a level that factors.size lists; it must be one of s, l",
    ),
    "no level": (
        CLICK + 'size = "s"\n' + RANDOM + 'size = "l"\n' + CLICK + SIZE,
        "conditions[2] has no level of size; it must be one of s, l",
    ),
    "one level": (
        'factors = { size = ["s"] }',
        "factors: size needs two levels or more; what is the same everywhere is no factor",
    ),
    "no list": ('factors = { size = "s" }', "factors.size = 's' must be a list [...]"),
    "a level of no built-in factor": (
        'factors = { overlay = ["on", "of"] }',
        "factors: overlay has no level 'of'; did you mean 'off'?",
    ),
    "a level that is no interface": (
        'factors = { interface = ["clik"] }',
        "factors: interface has no level 'clik'; did you mean 'click'?",
    ),
    "a level that does not join": (
        'factors = { size = ["s-l", "s"] }',
        "factors: size: 's-l' may have only lower-case letters, digits, _ and .",
    ),
    "a level that differs in case": (
        'factors = { size = ["S", "s"] }',
        "factors: size: 'S' may have only lower-case letters, digits, _ and .",
    ),
    "a name that a column has": (
        'factors = { cycle = ["a", "b"] }',
        "factors: 'cycle' means something else already; call the factor, say, cycle_factor",
    ),
    "twice the same": (
        CLICK + RANDOM + CLICK,
        "conditions[0] and conditions[2] are both click-active; list each condition once, or tell "
        "them apart by a factor",
    ),
    "a label for nothing": (
        CLICK + 'size = "s"\n' + CLICK + 'size = "l"\n' + SIZE,
        "conditions[0] and conditions[1] differ in nothing but the name of size; give one of them "
        "a table of what it changes, such as [conditions.guidance]",
    ),
    "a table that changes nothing": (
        CLICK + 'size = "s"\n' + CLICK + 'size = "l"\n[conditions.guidance]\nw_g = 0.75\n' + SIZE,
        "conditions[0] and conditions[1] differ in nothing but the name of size; give one of them "
        "a table of what it changes, such as [conditions.guidance]",
    ),
    "factor and table": (
        CLICK
        + 'overlay = "on"\n[conditions.workspace]\nshow_attention = []\n'
        + CLICK
        + 'overlay = "off"\n[factors]\noverlay = ["on", "off"]',
        "conditions[0].workspace.show_attention is what the factor overlay sets; take one of the "
        "two out",
    ),
    "named strategy and active": (
        RANDOM + '[conditions.acquisition]\nactive = "entropy"',
        "conditions[0].acquisition.active is what 'active' means, and this condition samples by "
        "'random'; take one of the two out",
    ),
    "tables that do not go together": (
        CLICK + '[conditions.workspace.hotkeys]\nnothing = "x"\n[workspace.hotkeys]\nhelp = "x"',
        "conditions[0].workspace: the key 'x' has 2 meanings; give each its own key",
    ),
    "a question about no level": (
        'questionnaires = ["mine"]\nfactors = { overlay = ["on", "off"] }\n'
        '[[instruments]]\nname = "mine"\ntitle = "Mine"\n'
        '[[instruments.questions]]\nkey = "q"\ntext = "?"\noverlay = "onn"',
        "instruments[0].questions[0].overlay = 'onn' is not a level of overlay; did you mean 'on'?",
    ),
    "a question about an undeclared factor": (
        'questionnaires = ["mine"]\n[[instruments]]\nname = "mine"\ntitle = "Mine"\n'
        '[[instruments.questions]]\nkey = "q"\ntext = "?"\noverlay = "on"',
        "instruments[0].questions[0].overlay is not a setting; it must be one of key, text, kind, "
        "labels, low, high, step, choices, when, interface, sampling",
    ),
    "a question about a part, at the end": (
        'questionnaires = ["mine"]\n[[instruments]]\nname = "mine"\ntitle = "Mine"\n'
        '[[instruments.questions]]\nkey = "q"\ntext = "?"\nwhen = "end"\ninterface = "click"',
        "instruments[0].questions[0]: question q is asked at the end, about all tasks, and cannot "
        "be confined to interface; take that out, or ask when = 'task'",
    ),
}


@pytest.mark.parametrize(("text", "line"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_line(text: str, line: str) -> None:
    assert problems(text) == [line]


def test_what_a_mode_sets_by_itself_is_not_the_files_to_keep() -> None:
    """With the study's head mode came its optimiser, which a whole network cannot have."""
    config = study(
        "[fine_tuning]\ntrain = 'head'\nepochs = 9\n"
        + CLICK
        + "[conditions.fine_tuning]\ntrain = 'all'\n"
        + RANDOM
        + "[conditions.fine_tuning]\nanchor = 0.2\n"
    )
    whole, head = (config.for_condition(each).fine_tuning for each in config.conditions)
    assert (whole.train, whole.optimiser, whole.anchor, whole.epochs) == ("all", "sgd", 0.0, 9)
    assert (head.train, head.optimiser, head.anchor) == ("head", "lbfgs", 0.2)


def test_feedback_is_a_factor_like_any_other() -> None:
    config = study("fine_tuning.train = 'head'\nfactors = { feedback = ['round', 'image'] }")
    assert len(config.conditions) == 8
    for each in config.conditions:
        assert config.for_condition(each).workspace.feedback == each.factors["feedback"]


@pytest.mark.parametrize("setting", ["feedback = 'image'", "preview = true"])
def test_feedback_for_each_image_needs_a_head_that_learns_alone(setting: str) -> None:
    found = problems(f"[workspace]\n{setting}")
    assert len(found) == 4
    assert found[0].startswith("conditions[0] (polygon-random): workspace.")
    assert "needs fine_tuning.train = 'head'" in found[0]


def test_a_factor_cannot_be_called_as_a_column_is() -> None:
    columns = {column for table in COLUMNS.values() for column in table} | set(QUESTION_COLUMNS)
    columns -= {"interface", "sampling"}
    for name in sorted(columns):
        assert name in TAKEN or problems(f'factors = {{ {name} = ["a", "b"] }}')[0].startswith(
            f"factors: {name!r} means something else already"
        )


# -- nothing leaks -------------------------------------------------------------------------

WHOLE: dict[str, dict[str, Any]] = {
    "acquisition": {"active": "margin", "balance": True, "subsample": 9, "balance_weight": 2.0},
    "guidance": {"w_g": 0.5, "radius": 0.3, "score": "absolute"},
    "fine_tuning": {"epochs": 3, "learning_rate": 0.1},
    "workspace": {"opacity": 0.2, "test_mode": False, "idle_seconds": 5.0},
}
some = st.fixed_dictionaries(
    {},
    optional={
        table: st.sets(st.sampled_from(sorted(values)), min_size=1).map(
            lambda names, values=values: {name: values[name] for name in names}  # type: ignore[misc]
        )
        for table, values in WHOLE.items()
    },
)
levels = st.fixed_dictionaries(
    {
        "interface": st.sampled_from(["click", "polygon"]),
        "sampling": st.sampled_from(["active", "random", "entropy", "least-confidence"]),
        "overlay": st.sampled_from(["on", "off"]),
        "size": st.sampled_from(["s", "m.1", "l_2"]),
    }
)
designs = st.lists(st.tuples(levels, some), min_size=1, max_size=6, unique_by=lambda c: str(c[0]))


def build(design: list[tuple[dict[str, str], dict[str, Any]]], tables: Any) -> StudyConfig | None:
    """The study of a design; None where it is refused."""
    conditions = []
    for chosen, own in design:
        tables_of_its_own = {
            name: {k: v for k, v in table.items() if (name, k) != ("acquisition", "active")}
            if chosen["sampling"] != "active"
            else table
            for name, table in own.items()
        }
        conditions.append({**chosen, **tables_of_its_own})
    factors = {name: sorted({chosen[name] for chosen, _ in design}) for name in ("overlay", "size")}
    factors = {name: used for name, used in factors.items() if len(used) > 1}
    for each in conditions:
        for name in ("overlay", "size"):
            if name not in factors:
                del each[name]
    try:
        return parse({"name": "a", "factors": factors, "conditions": conditions, **tables})
    except StudyFileError:
        return None


@given(designs, some)
def test_a_condition_is_the_same_whatever_other_conditions_there_are(
    design: list[tuple[dict[str, str], dict[str, Any]]], tables: dict[str, Any]
) -> None:
    config = build(design, tables)
    if config is None:
        return
    for each in config.conditions:
        alone = config.model_copy(update={"conditions": (each,)}).for_condition(each)
        assert alone == config.for_condition(each)


@given(designs, some)
def test_a_setting_is_the_conditions_own_or_the_studys_and_random_has_none_of_the_studys(
    design: list[tuple[dict[str, str], dict[str, Any]]], tables: dict[str, Any]
) -> None:
    config = build(design, tables)
    if config is None:
        return
    for each in config.conditions:
        found = config.for_condition(each)
        assert found.acquisition.active == (
            each.sampling
            if each.sampling != "active"
            else (each.acquisition or AcquisitionConfig()).active
            if each.acquisition is not None and "active" in each.acquisition.model_fields_set
            else config.acquisition.active
        )
        for table in OVERRIDABLE:
            own: Section | None = getattr(each, table)
            for name in type(getattr(config, table)).model_fields:
                if (table, name) in (("acquisition", "active"), ("workspace", "show_attention")):
                    continue
                base = getattr(config, table)
                if table == "acquisition" and each.sampling != "active":
                    base = AcquisitionConfig()
                value = own if own is not None and name in own.model_fields_set else base
                assert getattr(getattr(found, table), name) == getattr(value, name)


@given(designs)
def test_names_say_the_levels(design: list[tuple[dict[str, str], dict[str, Any]]]) -> None:
    config = build(design, {})
    if config is None:
        return
    names = [each.name for each in config.conditions]
    assert len(set(names)) == len(names)
    assert not any(" " in name for name in names)
