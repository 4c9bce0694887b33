"""Annotation dialogues: which annotation of an image is worth asking for (Benenson's talk).

"The best strategy covers different annotation types, the machine asks what it needs": for each
image it weighs what an annotation of each kind may teach against what it may cost, and asks for the
most expected gain for each second. Benenson names no formula; this one is ours.

*Before asking*, what the classifier makes of an image is known: :mod:`study.asking.beforehand`.
*Cost*: what a kind takes this participant (:func:`study.asking.worth.cost`), longer or shorter as
this image's signs say.
*Gain*: what a kind has taught (:mod:`study.asking.gains`), more or less as this image's signs say.
What signs say is learnt from the images that were annotated so far
(:func:`study.asking.expecting.expected`); until those say something, all images are alike.
"""

from study.asking.beforehand import signs
from study.asking.choosing import choose
from study.asking.gains import Judge
from study.asking.worth import Asking, Given, ask, cost, given

VERSION = 3
"""To be raised when the same annotations make it ask for something else."""
__all__ = ["VERSION", "Asking", "Given", "Judge", "ask", "choose", "cost", "given", "signs"]
