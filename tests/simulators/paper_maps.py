"""Masks and attention maps of the simulated paper study: ``python -m tests.simulators.paper_maps``.

A biased small network (drawn scenes with the shortcut beside the object, 95% biased) looks at the
256 images that chance picks and at the 256 that the paper's strategy picks (section 3.5), for each
of three seeds. Writes ``data/paper_maps.npz``: masks packed as bits, maps in 256 steps, by seed,
sampling and the order in which they are shown. About a minute on one core.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import torch

from study import cycle
from study.acquisition import make
from study.config import ModelConfig, PretrainingConfig, ScenesConfig, StudyConfig
from study.data import scenes
from study.seeds import seed

PLACE = Path(__file__).parent / "data" / "paper_maps.npz"
SEEDS = (0, 1, 2)
STRATEGIES = {"random": "random", "active": "attention"}


def main() -> None:
    """Train, select, look, write."""
    torch.set_num_threads(1)
    device = torch.device("cpu")
    masks, maps = [], []
    for number in SEEDS:
        config = StudyConfig(
            name="maps",
            dataset=ScenesConfig(
                seed=number, scene="beside", bias=0.95, train=1000, val=50, test=50, balanced=50
            ),
            model=ModelConfig(name="small", precision="bfloat16"),
            pretraining=PretrainingConfig(
                schedule="one-cycle", learning_rate=0.05, batch=64, epochs=20
            ),
        )
        images = scenes.render(config.dataset)
        whole, _ = cycle.pretrain(config, images, number, None, device)
        start = cycle.begin(whole, config, images, number, 0, device)
        pool = images["train"]
        for name in STRATEGIES.values():
            stream = functools.partial(seed, number)
            picked = cycle.select(start, pool, [], 256, make(name), config, stream, 1, device)
            batch = pool.subset(picked.tolist())
            heat = cycle.see(start.model, batch, device).maps
            top = heat.max((1, 2), keepdims=True)
            maps.append(np.round(255 * heat / np.where(top > 0, top, 1)).astype(np.uint8))
            masks.append(np.packbits(batch.require_masks("maps").numpy(), axis=-1))
            print(number, name, heat.shape)
    shape = (len(SEEDS), len(STRATEGIES))
    np.savez_compressed(
        PLACE,
        masks=np.stack(masks).reshape(*shape, *masks[0].shape),
        maps=np.stack(maps).reshape(*shape, *maps[0].shape),
    )


if __name__ == "__main__":
    main()
