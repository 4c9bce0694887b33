"""Processes of a test that begin with everything imported: one server imports, the rest fork it."""

import multiprocessing

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["apps.commands.cli", "study.loop", "simulators.participant"])
