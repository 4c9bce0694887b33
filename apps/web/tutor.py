"""The tutor: a process that lets heads learn between two images, while somebody waits.

Where a condition's ``workspace.feedback`` is ``image``, the web process asks it after every
confirmation and answers the browser when the log has the head's update: tenths of a second, which
a queue that is polled, or a worker that may be measuring somebody else's model, cannot promise. It
listens on this machine alone, to whoever has the key in the study directory. What it does follows
from the log, so nothing is lost when it dies; while it is away, the worker does its steps.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.web import child
from apps.web.layout import Layout
from apps.web.stimuli import Batch, pack_regions
from study.annotation import Annotation
from study.config import StudyConfig
from study.files import write_atomically
from study.interfaces import interface
from study.protocol.session import ProtocolError, Session
from study.protocol.steps import TuneHead

PATIENCE = 5.0
"""Seconds that the web process waits for an answer before the worker is asked instead."""
log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from study.loop import TaskLoop


def is_needed(config: StudyConfig) -> bool:
    """Whether any condition shows what a head learns between two images."""
    workspaces = [config.for_condition(condition).workspace for condition in config.conditions]
    return any(each.feedback == "image" or each.preview for each in workspaces)


# -- the process -----------------------------------------------------------------------------


class Tutor:
    """Lets heads learn, and draws what they then look at.

    Args:
        path: the study directory.
        device: as the command line names it.
    """

    def __init__(self, path: Path, device: str) -> None:
        from study.loop import TaskLoop

        self.layout = Layout.open(path)
        self.loop = TaskLoop(self.layout.directory.file(), self.layout.directory, device)
        self.sessions: dict[str, Session] = {}

    def warm(self) -> None:
        """Do what the first answers would wait for, before anybody waits."""
        from study.learning.superpixels import layer

        self.loop.warm()
        slope = np.arange(4.0).reshape(2, 2)
        for proposes in (False, True):
            layer(proposes, slope, 8, 8)

    def answer(self, asked: dict[str, Any]) -> Any:
        """Do what the web process asks; raises what it cannot do."""
        session = self._session(str(asked["participant"]))
        match asked["what"]:
            case "learn":
                return self.learn(session)
            case "regions":
                position, _, index = asked["place"]
                return self.regions(session, position, index)
            case "preview":
                position, cycle, index = asked["place"]
                name = session.progress.task(position).cycles[cycle - 1].images[index]
                drawn = Annotation.model_validate(asked["annotation"])
                return self.loop.preview(session.progress, position, name, drawn)
        raise ValueError(f"a tutor does not know {asked['what']!r}")

    def learn(self, session: Session) -> int:
        """Let the head learn from all that is confirmed; returns how many confirmations it knows.

        What it then looks at is on disk when the answer comes.
        """
        while isinstance(step := session.step(), TuneHead):
            payload = self.loop.perform(session, step)
            try:
                session.record(payload, at=time.time())
            except ProtocolError as error:
                if session.step() == step:
                    raise
                # another's update came first, or the participant was excluded meanwhile
                log.warning("an update of %s came too late: %s", session.participant, error)
        position = getattr(step, "position", None)
        if position is None:
            return 0
        return write_newest(self.loop, self.layout, session, int(position)).learnt or 0

    def regions(self, session: Session, position: int, index: int) -> bytes:
        """The superpixels of an image of the batch under the newest head."""
        from study.learning.superpixels import layer

        newest = write_newest(self.loop, self.layout, session, position)
        used = interface(session.progress.task(position).interface(newest.images[index]))
        labels = layer(used.proposes, newest.maps[index], *self.loop.pool.size)
        return pack_regions(labels, newest.frame(index))

    def _session(self, participant: str) -> Session:
        if participant not in self.sessions:
            self.sessions[participant] = Session(self.layout.study, participant)
        return self.sessions[participant]


def write_newest(loop: TaskLoop, layout: Layout, session: Session, position: int) -> Batch:
    """What the newest model looks at in the current batch, on disk for the web process.

    Raises:
        ProtocolError: when the batch itself is not there yet.
    """
    progress, stimuli = session.progress, layout.stimuli
    task = progress.task(position)
    place = (session.participant, position, len(task.cycles))
    known, learnt = stimuli.newest(*place), task.shown(layout.config)
    if known is not None and known.learnt == learnt:
        return known
    first = stimuli.batch(*place)
    if first is None:
        raise ProtocolError("the images are being prepared")
    maps = loop.attention(progress, position, len(task.cycles), first.images)
    batch = replace(first, maps=maps, learnt=learnt)
    stimuli.write_newest(*place, batch)
    return batch


def serve(tutor: Tutor, address: Path) -> None:
    """Answer until the process ends; one question at a time, who learns before who only looks."""
    key = secrets.token_bytes(32)
    turns = Turns()
    # TCP holds small messages back for tens of milliseconds, which somebody would wait for
    family = "AF_UNIX" if hasattr(socket, "AF_UNIX") else "AF_INET"
    with Listener(family=family, authkey=key) as listener:
        facts = {"address": listener.address, "key": key.hex()}
        write_atomically(address, json.dumps(facts).encode())
        os.chmod(address, 0o600)
        while True:
            try:
                line = listener.accept()
            except (AuthenticationError, OSError, EOFError) as error:
                log.warning("somebody without the key: %s", error)
                continue
            threading.Thread(target=_attend, args=(tutor, line, turns), daemon=True).start()


class Turns:
    """One at a time: whoever waits for the next image goes before whoever has one."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._taken = False
        self._first = 0

    @contextmanager
    def turn(self, first: bool) -> Iterator[None]:
        """Wait for one's turn, and give it back."""
        with self._free:
            self._first += first
            self._free.wait_for(lambda: not self._taken and (first or not self._first))
            self._first -= first
            self._taken = True
        try:
            yield
        finally:
            with self._free:
                self._taken = False
                self._free.notify_all()


def _attend(tutor: Tutor, line: Connection, turns: Turns) -> None:
    with line, suppress(EOFError, OSError):
        asked = line.recv()
        learns = asked["what"] == "learn"
        with turns.turn(first=learns):
            # whoever only looks and has lost patience will ask again: that is not to pile up
            if line.poll() and not learns:
                return
            try:
                answer: tuple[Any, str | None] = tutor.answer(asked), None
            except Exception as error:
                log.exception("%s failed", asked)
                answer = None, str(error) or type(error).__name__
        line.send(answer)


# -- the web process's side --------------------------------------------------------------------


class Bell:
    """Calls the tutor.

    Args:
        address: the file in which a tutor says where it listens.
    """

    def __init__(self, address: Path) -> None:
        self.address = address

    def ask(self, what: str, participant: str, **rest: Any) -> Any:
        """The tutor's answer; None when it is away, too slow or cannot."""
        try:
            facts = json.loads(self.address.read_text())
            key = bytes.fromhex(facts["key"])
            place = facts["address"]
            with Client(place if isinstance(place, str) else tuple(place), authkey=key) as line:
                line.send({"what": what, "participant": participant, **rest})
                if not line.poll(PATIENCE):
                    log.warning("the tutor did not answer %s in %g s", what, PATIENCE)
                    return None
                answer, problem = line.recv()
        except (OSError, EOFError, ValueError, KeyError, AuthenticationError):
            return None
        if problem is not None:
            log.warning("the tutor could not %s: %s", what, problem)
        return answer


def main() -> None:
    """``python -m apps.web.tutor STUDY_DIR --device cpu``."""
    path, device = child.arguments()
    child.leave_with_parent()
    layout = Layout.open(path)
    while "prepared" not in layout.board.facts():  # the worker prepares what both begin with
        time.sleep(0.5)
    tutor = Tutor(path, device)
    tutor.warm()
    serve(tutor, layout.tutor_path)


if __name__ == "__main__":
    main()
