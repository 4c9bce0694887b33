"""The routes beside Streamlit's: what the canvas says and fetches.

They answer in milliseconds whatever Streamlit is doing. Every request carries the participant's
signed token (``p``) and, where it matters, the page that holds the lease.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from apps import canvas
from apps.web.address import behind_proxy, prefix
from apps.web.admission import COOKIE, IDLE_MINUTES
from apps.web.desk import Desk, Seat
from apps.web.intake import MOST_BYTES, BadRequest, body_of, number_of
from apps.web.messages import Sketch
from apps.web.state import State, workspace_of
from apps.web.stimuli import Maps, overlay, shares
from study.framing import WHOLE, Frame
from study.interfaces import interface
from study.protocol.events import Evaluated, Withdrawn
from study.protocol.session import ProtocolError
from study.protocol.steps import Annotate, Categorise, Check, FineTune, Practice, TuneHead
from study.protocol.store import StoreError

Answer = dict[str, Any]
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
SHORT = 20_000
"""Bytes of a request that says little."""
MOST_MESSAGES = 100
log = logging.getLogger(__name__)


def _problem(text: str, status: int) -> Response:
    return JSONResponse({"problem": text}, status_code=status)


def routes(desk: Desk) -> list[Route]:
    """All routes of a study."""

    def admitted(answer: Callable[[Seat, Request, Answer], Response], method: str) -> Any:
        async def endpoint(request: Request) -> Response:
            seat = await run_in_threadpool(desk.admit, request.query_params.get("p"))
            if seat is None:
                return _problem("this link is not valid", 403)
            said: Answer = {}
            try:
                if method == "POST":
                    said = await body_of(request, MOST_BYTES if answer is events else SHORT)
                return await run_in_threadpool(answer, seat, request, said)
            except BadRequest as error:
                return _problem(str(error), error.status)
            except ProtocolError as error:
                return _problem(str(error), 409)
            except StoreError as error:
                # the browser keeps what it has and tries again
                log.error("%s", error)
                return _problem(str(error), 503)

        return endpoint

    async def keep(request: Request) -> Response:
        """A page that was given the password wants to stay admitted."""
        try:
            said = await body_of(request, SHORT)
        except BadRequest as error:
            return _problem(str(error), error.status)
        cookie = desk.admission.redeem(said.get("ticket"))
        if cookie is None:
            return _problem("this ticket is used or too old", 403)
        response = JSONResponse({})
        response.set_cookie(
            COOKIE, cookie, max_age=IDLE_MINUTES * 60, httponly=True, samesite="strict",
            secure=_is_secure(request), path=before or "/",
        )  # fmt: skip
        return response

    async def leave(request: Request) -> Response:
        """The experimenter locks the page."""
        response = JSONResponse({})
        response.delete_cookie(COOKIE, path=before or "/", httponly=True, samesite="strict")
        return response

    async def health(request: Request) -> Response:
        """Whether people can take part: for whoever watches the server, and without a secret."""
        said = await run_in_threadpool(desk.health)
        return JSONResponse(said, status_code=200 if said["log"] == "ok" else 503)

    before = prefix()
    table: list[tuple[str, str, Callable[[Seat, Request, Answer], Response]]] = [
        ("POST", "/api/claim", claim),
        ("POST", "/api/release", release),
        ("POST", "/api/events", events),
        ("POST", "/api/fine-tune", fine_tune),
        ("POST", "/api/withdraw", withdraw),
        ("POST", "/api/preview", preview),
        ("GET", "/api/state", state),
        ("GET", "/api/batch", batch),
        ("GET", "/api/annotation", annotation),
        ("GET", "/api/gallery", gallery),
        ("GET", "/stimuli/image/{position:int}/{cycle:int}/{index:int}", image),
        ("GET", "/stimuli/overlay/{position:int}/{cycle:int}/{index:int}", attention),
        ("GET", "/stimuli/regions/{position:int}/{cycle:int}/{index:int}", regions),
        ("GET", "/stimuli/practice/{interface}/{attempt:int}/{layer}", practice),
        ("GET", "/stimuli/glimpse/{number:int}", glimpse),
        ("GET", "/stimuli/gallery/{index:int}", gallery_image),
        ("GET", "/stimuli/view/{position:int}/{cycle:int}/{index:int}", view),
    ]
    return [
        Route(f"{before}/health", health, methods=["GET"]),
        Route(f"{before}/canvas/{{version}}/{{name:path}}", module, methods=["GET"]),
        Route(f"{before}/api/experimenter/keep", keep, methods=["POST"]),
        Route(f"{before}/api/experimenter/leave", leave, methods=["POST"]),
        *(
            Route(before + path, admitted(answer, method), methods=[method])
            for method, path, answer in table
        ),
    ]


def _is_secure(request: Request) -> bool:
    said = request.headers.get("X-Forwarded-Proto", "") if behind_proxy() else ""
    return (said or request.url.scheme) == "https"


async def module(request: Request) -> Response:
    """A script of the canvas; nothing in it is a secret, so it needs no token."""
    text = canvas.modules().get(request.path_params["name"])
    if text is None or request.path_params["version"] != canvas.version():
        return _missing()
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(text, media_type="text/javascript", headers=kept)


# -- what the canvas says ------------------------------------------------------------------


def _held(seat: Seat, said: Answer) -> bool:
    tab, page = str(said.get("tab", "")), str(said.get("page", ""))
    # whoever only looks, without a page, takes the lease from nobody
    return bool(page) and seat.desk.board.lease(seat.participant, tab, page)


def claim(seat: Seat, request: Request, said: Answer) -> Response:
    """A page has loaded, or the person presses "continue here"."""
    tab, page = str(said.get("tab", "")), str(said.get("page", ""))
    board = seat.desk.board
    if said.get("take"):
        held = board.lease(seat.participant, tab, page, take=True)
    else:
        held = board.claim(seat.participant, tab, page)
    return JSONResponse({"held": held, "state": seat.state()})


def release(seat: Seat, request: Request, said: Answer) -> Response:
    """A page is closed."""
    seat.desk.board.release(seat.participant, str(said.get("page", "")))
    return JSONResponse({})


def events(seat: Seat, request: Request, said: Answer) -> Response:
    """The outbox of a browser. It is logged whoever has the lease: it was done."""
    messages = said.get("messages", [])
    if not isinstance(messages, list) or len(messages) > MOST_MESSAGES:
        raise BadRequest(f"messages is a list of at most {MOST_MESSAGES}")
    results = seat.accept(messages)
    held, now = _held(seat, said), seat.state()
    brought = _brought(seat, now, said.get("next"))
    return JSONResponse({"results": results, "held": held, "state": now, "overlay": brought})


def _brought(seat: Seat, now: State, index: Any) -> Answer | None:
    """The newest attention on the image that is shown next: it need not be asked for.

    None where the attention does not change within the batch, or is not there yet.
    """
    batch, stimuli = now.get("batch"), seat.desk.layout.stimuli
    if batch is None or batch["learnt"] is None or type(index) is not int:
        return None
    position, cycle = now["task"]["position"], batch["cycle"]
    newest = stimuli.newest(seat.participant, position, cycle)
    if newest is None or newest.learnt != batch["learnt"] or not 0 <= index < len(newest.maps):
        return None
    colours = seat.desk.config.workspace.colours
    picture = overlay(newest.maps[index], colours, frame=newest.frame(index))
    return {
        "position": position,
        "cycle": cycle,
        "index": index,
        "learnt": newest.learnt,
        "picture": f"data:image/png;base64,{base64.b64encode(picture).decode()}",
    }


def fine_tune(seat: Seat, request: Request, said: Answer) -> Response:
    """FINE-TUNE was pressed."""
    if _held(seat, said):
        seat.fine_tune()
    return state(seat, request, said)


def preview(seat: Seat, request: Request, said: Answer) -> Response:
    """How the attention on an image would move if what is drawn on it were confirmed now.

    Takes ``position``, ``cycle``, ``index`` and ``annotation``; answers with an overlay (PNG).
    """
    try:
        sketch = Sketch.model_validate(said)
    except ValidationError:
        raise BadRequest("a preview needs position, cycle, index and annotation") from None
    step, bell = seat.step(), seat.desk.bell
    here = workspace_of(seat.desk.config, seat.session.progress, step)
    if not isinstance(step, Annotate | TuneHead | FineTune) or not here.preview:
        raise ProtocolError("there is no preview now")
    images = seat.session.progress.task(step.position).cycles[-1].images
    if (sketch.position, sketch.cycle) != (step.position, step.cycle) or sketch.index >= len(
        images
    ):
        raise ProtocolError("there is no preview here")
    grid = None
    if bell is not None:
        grid = bell.ask(
            "preview",
            seat.participant,
            place=(sketch.position, sketch.cycle, sketch.index),
            annotation=sketch.annotation.model_dump(mode="json"),
        )
    if grid is None:
        return _missing()
    batch = seat.desk.layout.stimuli.batch(seat.participant, sketch.position, sketch.cycle)
    frame = WHOLE if batch is None else batch.frame(sketch.index)
    return _overlay(seat, grid, {"Cache-Control": "no-store"}, frame)


def withdraw(seat: Seat, request: Request, said: Answer) -> Response:
    """The participant leaves the study; with ``erase``, nothing of what they did stays."""
    if not _held(seat, said):
        raise BadRequest("the study is open in another tab: leave it there", 409)
    reason = str(said.get("reason", ""))[:500].encode(errors="replace").decode()
    seat.record(Withdrawn(reason=reason))
    if said.get("erase") is True:
        seat.erase()
    return JSONResponse({"state": seat.state()})


# -- what the canvas fetches ---------------------------------------------------------------


def state(seat: Seat, request: Request, said: Answer) -> Response:
    """What comes next; renews the lease."""
    who = said or {key: request.query_params.get(key, "")[:64] for key in ("tab", "page")}
    return JSONResponse({"held": _held(seat, who), "state": seat.state()})


def batch(seat: Seat, request: Request, said: Answer) -> Response:
    """The images of the current cycle."""
    step = seat.step()
    if not isinstance(step, Annotate | Check | TuneHead | FineTune):
        raise ProtocolError("there is no batch now")
    found = seat.desk.layout.stimuli.batch(seat.participant, step.position, step.cycle)
    if found is None:
        raise ProtocolError("the images are being prepared")
    return JSONResponse(
        {
            "position": step.position,
            "cycle": step.cycle,
            "images": found.images,
            "labels": [seat.say(label) for label in found.labels],
        }
    )


def annotation(seat: Seat, request: Request, said: Answer) -> Response:
    """What is confirmed on an image of the current task."""
    tasks = seat.session.progress.tasks
    position = number_of(request, "position", 1, len(tasks))
    cycles = tasks[position - 1].cycles
    cycle = number_of(request, "cycle", 1, len(cycles))
    current = cycles[cycle - 1]
    index = number_of(request, "index", 0, len(current.images) - 1)
    drawn = current.annotations.get(current.images[index])
    return JSONResponse(None if drawn is None else drawn.model_dump(mode="json"))


def gallery(seat: Seat, request: Request, said: Answer) -> Response:
    """The current model against the pretrained one: which images are right, and accuracy."""
    stimuli, progress = seat.desk.layout.stimuli, seat.session.progress
    position = number_of(request, "position", 1, len(progress.tasks))
    validation = stimuli.validation()
    if validation is None:
        raise ProtocolError("the study is still being prepared")
    cycle = latest_view(seat, position)
    before = stimuli.view(stimuli.view_path(None))
    after = stimuli.view(stimuli.view_path(seat.participant, position, cycle)) if cycle else before
    if before is None or after is None:
        raise ProtocolError("the attention maps are being prepared")
    return JSONResponse(
        {
            "position": position,
            "cycle": cycle,
            "tuned": sum(c.tuned for c in progress.task(position).cycles),
            "labels": [seat.say(validation.labels[index]) for index in validation.gallery],
            "moved": [float(v) for v in abs(shares(after.maps) - shares(before.maps)).sum((1, 2))],
            "before": [bool(right) for right in before.right],
            "after": [bool(right) for right in after.right],
            "accuracy": accuracies(seat, position),
        }
    )


def latest_view(seat: Seat, position: int) -> int:
    """The last cycle of a task whose maps are written; 0 when there is none."""
    cycles = seat.session.progress.task(position).cycles
    path = seat.desk.layout.stimuli.view_path
    return max(
        (c.number for c in cycles if path(seat.participant, position, c.number).exists()), default=0
    )


def accuracies(seat: Seat, position: int) -> dict[str, tuple[float | None, float | None]]:
    """Accuracy of the pretrained and of the current model of a task, by kind of test image.

    Usual images are biased as the training data are; unusual ones, where the dataset knows them,
    show the thing with the other one's surroundings. Only the latter say whether a bias is cured.
    """
    found = [
        event.payload.metrics
        for event in seat.desk.layout.study.store.events(seat.participant)
        if isinstance(event.payload, Evaluated) and event.payload.position == position
    ]
    say = seat.say
    kinds = {say("usual images"): ("test", "accuracy")}
    if found and "balanced" in found[0]:
        kinds[say("images with unusual surroundings")] = ("balanced", "conflicting_accuracy")
    return {
        kind: (found[0].get(split, {}).get(metric), found[-1].get(split, {}).get(metric))
        for kind, (split, metric) in kinds.items()
        if found
    }


# -- stimuli -------------------------------------------------------------------------------


def _place(request: Request) -> tuple[int, int, int]:
    values = request.path_params
    return int(values["position"]), int(values["cycle"]), int(values["index"])


def _missing() -> Response:
    return JSONResponse({"problem": "not there yet"}, status_code=404)


def image(seat: Seat, request: Request, said: Answer) -> Response:
    """An image of a batch."""
    position, cycle, index = _place(request)
    stimuli = seat.desk.layout.stimuli
    found = stimuli.batch(seat.participant, position, cycle)
    if found is None or index >= len(found.images):
        return _missing()
    small = request.query_params.get("small") == "1"
    return _picture(stimuli.image_path("train", found.images[index], small))


def attention(seat: Seat, request: Request, said: Answer) -> Response:
    """The attention overlay of an image of a batch: the selecting model's.

    With ``v``, the ``learnt`` of the state's batch, it is that of the model that has learnt from so
    many confirmations, or while that is not there of the newest.
    """
    position, cycle, index = _place(request)
    stimuli, place = seat.desk.layout.stimuli, (seat.participant, position, cycle)
    asked, headers = request.query_params.get("v"), FOREVER
    found = stimuli.batch(*place)
    if asked is not None:
        found = stimuli.newest(*place) or found
        if found is not None and str(found.learnt) != asked:
            headers = {"Cache-Control": "no-store"}
    if found is None or index >= len(found.maps):
        return _missing()
    return _overlay(seat, found.maps[index], headers, found.frame(index))


def regions(seat: Seat, request: Request, said: Answer) -> Response:
    """The superpixels of an image of a batch; with ``v``, those of the newest attention."""
    position, cycle, index = _place(request)
    bell = seat.desk.bell
    if request.query_params.get("v") and bell is not None:
        found = bell.ask("regions", seat.participant, place=(position, cycle, index))
        if found is not None:
            return _inflatable(found, {"Cache-Control": "no-store"})
    path = seat.desk.layout.stimuli.regions_path(seat.participant, position, cycle, index)
    return _deflated(path)


def practice(seat: Seat, request: Request, said: Answer) -> Response:
    """A layer (image, overlay or regions) of the current practice item."""
    step = seat.step()
    values = request.path_params
    if not isinstance(step, Practice) or (step.interface, step.attempt) != (
        values["interface"],
        values["attempt"],
    ):
        return _missing()
    stimuli, index = seat.desk.layout.stimuli, seat.practice_item(step)
    validation = stimuli.validation()
    if validation is None:
        return _missing()
    match values["layer"]:
        case "image":
            return _picture(stimuli.image_path("val", validation.names[index]))
        case "overlay":
            return _overlay(seat, stimuli.practice_map(index), FOREVER, validation.frame(index))
        case "regions":
            proposes = interface(step.interface).proposes
            return _deflated(stimuli.practice_regions_path(index, proposes))
    return _missing()


def glimpse(seat: Seat, request: Request, said: Answer) -> Response:
    """What the current trial of the rapid categorisation shows."""
    step = seat.step()
    number = int(request.path_params["number"])
    found = seat.trial(step) if isinstance(step, Categorise) and step.number == number else None
    if found is None:
        return _missing()
    picture = seat.desk.layout.stimuli.revealed(found[0])
    return Response(picture, media_type="image/png", headers={"Cache-Control": "no-store"})


def gallery_image(seat: Seat, request: Request, said: Answer) -> Response:
    """An image of the before/after maps."""
    stimuli = seat.desk.layout.stimuli
    validation = stimuli.validation()
    index = int(request.path_params["index"])
    if validation is None or index >= len(validation.gallery):
        return _missing()
    name = validation.names[validation.gallery[index]]
    return _picture(stimuli.image_path("val", name, small=True))


def view(seat: Seat, request: Request, said: Answer) -> Response:
    """A model's attention on an image of the before/after maps; cycle 0: the pretrained model's."""
    position, cycle, index = _place(request)
    stimuli = seat.desk.layout.stimuli
    path = stimuli.view_path(seat.participant, position, cycle) if cycle else None
    found = stimuli.view(path or stimuli.view_path(None))
    if found is None or index >= len(found.maps):
        return _missing()
    validation = stimuli.validation()
    frame = WHOLE if validation is None else validation.frame(validation.gallery[index])
    return _overlay(seat, found.maps[index], FOREVER, frame)


def _overlay(seat: Seat, grid: Maps, headers: dict[str, str], frame: Frame) -> Response:
    picture = overlay(grid, seat.desk.config.workspace.colours, frame=frame)
    return Response(picture, media_type="image/png", headers=headers)


def _picture(path: Path | None) -> Response:
    if path is None:
        return _missing()
    kind = "image/png" if path.suffix == ".png" else "image/jpeg"
    return FileResponse(path, media_type=kind, headers=FOREVER)


def _deflated(path: Any) -> Response:
    if not path.exists():
        return _missing()
    return _inflatable(path.read_bytes(), FOREVER)


def _inflatable(content: bytes, headers: dict[str, str]) -> Response:
    headers = headers | {"Content-Encoding": "deflate"}
    return Response(content, media_type="application/octet-stream", headers=headers)
