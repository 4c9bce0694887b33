"""Simulated people fitted to people: what a log says of each of their parameters.

:mod:`~simulators.calibration.logged` reads a study directory and
:mod:`~simulators.calibration.reading` an item; :mod:`~simulators.calibration.fit` fits the
population that the items are of, with :mod:`~simulators.calibration.timing` (how long),
:mod:`~simulators.calibration.placement` (where) and :mod:`~simulators.calibration.choices` (what is
worth correcting); :mod:`~simulators.calibration.heldout` and
:mod:`~simulators.calibration.predictive` say how well.
"""
