"""Simple drawn masks and attention maps, so that the tests of hands need no dataset."""

import numpy as np
from hypothesis import strategies as st
from skimage.draw import ellipse, polygon

SIZE = 80


def boat(x=0.5, y=0.5, scale=0.3, angle=0.0, size=SIZE):
    """A hull with a sail, [size, size]; ``scale`` is its length in image sides."""
    mask = np.zeros((size, size), dtype=bool)
    long = scale * size / 2
    rows, columns = ellipse(y * size, x * size, long / 2.5, long, shape=mask.shape, rotation=angle)
    mask[rows, columns] = True
    sail = np.array([[0, -0.6], [-1.2, 0], [0, 0.6]]) * long + np.array([y, x]) * size
    rows, columns = polygon(sail[:, 0], sail[:, 1], shape=mask.shape)
    mask[rows, columns] = True
    return mask


def blob(x, y, spread=1.5, grid=10):
    """An attention map [grid, grid] with one bump."""
    rows, columns = np.mgrid[:grid, :grid] + 0.5
    distance = (rows - y * grid) ** 2 + (columns - x * grid) ** 2
    return np.exp(-distance / (2 * spread**2)).astype(np.float32)


def boats(smallest=0.15):
    """Strategy: one to three boats anywhere, also cut off by the edge."""
    where = st.floats(0.0, 1.0)
    one = st.builds(boat, where, where, st.floats(smallest, 0.6), st.floats(-1.5, 1.5))
    return st.lists(one, min_size=1, max_size=3).map(lambda masks: np.logical_or.reduce(masks))


def maps():
    """Strategy: an attention map of one to three bumps, or of zeros."""
    where = st.floats(0.0, 1.0)
    one = st.builds(blob, where, where, st.floats(0.7, 2.5))
    some = st.lists(one, min_size=0, max_size=3)
    return some.map(lambda found: sum(found, np.zeros((10, 10), dtype=np.float32)))
