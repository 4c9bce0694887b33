"""The comparison of guidance forms: its table, its figure, and that it resumes."""

from pathlib import Path

import pytest

from simulators import forms
from study.config import ModelConfig, PretrainingConfig
from study.errors import UserError

QUICK = forms.Settings(
    epochs=1,
    images=8,
    batch=8,
    train=24,
    test=8,
    model=ModelConfig(name="small", width=4, blocks=2),
    pretraining=PretrainingConfig(learning_rate=0.05, batch=8, epochs=1, schedule="one-cycle"),
)


def test_tabulates_every_trial_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = {"scenes": ("beside",), "biases": (0.95,), "seeds": (0,), "settings": QUICK}
    calls: list[tuple[int, int]] = []
    frame = forms.compare(tmp_path, progress=lambda a, b: calls.append((a, b)), **grid)
    assert frame["form"].tolist() == list(forms.FORMS)
    assert frame["accuracy"].between(0, 1).all()
    assert calls[-1] == (len(forms.FORMS), len(forms.FORMS))
    assert "SIMULATED" in (tmp_path / "guidance.svg").read_text()
    assert forms.summary(frame).count("\n") == len(forms.FORMS) + 1

    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("a finished trial was run again")

    monkeypatch.setattr(forms.training, "fine_tune", never)
    monkeypatch.setattr(forms, "_subject", never)
    again = forms.compare(tmp_path, **grid)
    assert again.equals(frame)


def test_refuses_a_form_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'clicks'"):
        forms.compare(tmp_path, forms=("click",))
