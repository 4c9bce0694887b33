"""The sandbox in the browser: one page and the routes that the workspace knows from a study."""

from __future__ import annotations

import html
import io
import json
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from apps import canvas
from apps.web.headers import SecurityHeaders
from apps.web.intake import BadRequest, body_of
from apps.web.messages import MESSAGE, AnnotatedMessage
from apps.web.routes import module
from apps.web.sandbox import DATASETS, Panel, Sandbox, panel_of, strategies
from apps.web.state import words_of
from apps.web.stimuli import Maps, overlay
from study.config import WorkspaceConfig
from study.errors import UserError
from study.framing import Frame
from study.interfaces import interfaces

FRESH = {"Cache-Control": "no-store"}
NAMES = {
    "own": "as in the study file",
    "beside": "drawn: the shortcut stands beside the object",
    "background": "drawn: the shortcut is the background",
}


def app_of(sandbox: Sandbox, token: str) -> Starlette:
    """The sandbox as an ASGI application.

    Args:
        sandbox: what it shows.
        token: has to come with every request, so that no other page of the browser can press START.
    """
    table: list[tuple[str, str, Callable[..., Any]]] = [
        ("POST", "/sandbox/start", start),
        ("POST", "/sandbox/stop", stop),
        ("POST", "/api/claim", told),
        ("POST", "/api/release", released),
        ("POST", "/api/events", events),
        ("POST", "/api/fine-tune", fine_tune),
        ("GET", "/api/state", told),
        ("GET", "/api/batch", batch),
        ("GET", "/api/annotation", annotation),
        ("GET", "/api/gallery", gallery),
        ("GET", "/stimuli/image/{position:int}/{cycle:int}/{index:int}", image),
        ("GET", "/stimuli/overlay/{position:int}/{cycle:int}/{index:int}", attention),
        ("GET", "/stimuli/regions/{position:int}/{cycle:int}/{index:int}", regions),
        ("GET", "/stimuli/gallery/{index:int}", gallery_image),
        ("GET", "/stimuli/view/{position:int}/{cycle:int}/{index:int}", view),
    ]

    def endpoint(answer: Callable[..., Any], method: str) -> Any:
        async def respond(request: Request) -> Response:
            if request.query_params.get("p") != token:
                return JSONResponse({"problem": "this link is not valid"}, 403)
            try:
                said = await body_of(request) if method == "POST" else {}
                found = await run_in_threadpool(answer, sandbox, request, said)
            except BadRequest as error:
                return JSONResponse({"problem": str(error)}, error.status)
            except UserError as error:
                return JSONResponse({"problem": str(error)}, 400)
            if isinstance(found, Response):
                return found
            return JSONResponse(found) if found is not None else _missing()

        return respond

    async def page(request: Request) -> Response:
        if request.query_params.get("p") != token:
            return HTMLResponse("Open the link that the command printed.", 403)
        return HTMLResponse(page_of(sandbox, token))

    async def favicon(request: Request) -> Response:
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/favicon.ico", favicon),
            Route("/canvas/{version}/{name:path}", module, methods=["GET"]),
            *(
                Route(path, endpoint(answer, method), methods=[method])
                for method, path, answer in table
            ),
        ],
        middleware=[Middleware(SecurityHeaders)],
    )


def page_of(sandbox: Sandbox, token: str) -> str:
    """The whole page, as HTML."""
    workspace = WorkspaceConfig(show_attention=tuple(interfaces()))
    facts = {
        "token": token,
        "base": "",
        "page": "workspace",
        "language": {"code": "en", "words": {}},
        "config": {
            "show_attention": workspace.show_attention,
            "opacity": workspace.opacity,
            "environment": False,
            "smallest_window": (0, 0),
            "test_mode": True,
            "feedback": "round",
            "preview": False,
            "hotkeys": workspace.hotkeys.model_dump(),
            "interfaces": {name: words_of(each) for name, each in interfaces().items()},
        },
    }
    panel = Panel()
    options = {
        "dataset": _options({name: NAMES[name] for name in DATASETS}, panel.dataset),
        "strategy": _options({name: name for name in sorted(strategies())}, panel.strategy),
    }
    text = canvas.source("sandbox.html")
    for name, value in {
        "TITLE": html.escape(sandbox.file.config.title or sandbox.file.config.name),
        "DATASETS": options["dataset"],
        "STRATEGIES": options["strategy"],
        "INTERFACES": _options({name: name for name in interfaces()}, panel.interface),
        "STYLE": canvas.source("sandbox.css"),
        "WORKSPACE": f"<style>{canvas.source('workspace.css')}</style>"
        + canvas.source("workspace.html"),
        "FACTS": json.dumps(facts).replace("<", "\\u003c"),
        "SCRIPT": f"canvas/{canvas.version()}/sandbox.js",
    }.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    return text


def _options(names: dict[str, str], chosen: str) -> str:
    return "".join(
        f'<option value="{html.escape(name)}"{" selected" if name == chosen else ""}>'
        f"{html.escape(text)}</option>"
        for name, text in names.items()
    )


# -- what the page says --------------------------------------------------------------------


def start(sandbox: Sandbox, request: Request, said: dict[str, Any]) -> Any:
    """START."""
    sandbox.start(panel_of(said.get("panel", {})))
    return told(sandbox, request, said)


def stop(sandbox: Sandbox, request: Request, said: dict[str, Any]) -> Any:
    """STOP."""
    sandbox.stop()
    return told(sandbox, request, said)


def told(sandbox: Sandbox, request: Request, said: dict[str, Any]) -> Any:
    """What comes next."""
    return {"held": True, "state": sandbox.state()}


def released(sandbox: Sandbox, request: Request, said: dict[str, Any]) -> Any:
    """A page is closed."""
    return {}


def events(sandbox: Sandbox, request: Request, said: dict[str, Any]) -> Any:
    """Images that were confirmed; they are held in memory."""
    results: dict[str, str | None] = {}
    for raw in said.get("messages", []):
        try:
            message = MESSAGE.validate_python(raw)
        except ValidationError:
            results[str(raw.get("id", ""))[:64] if isinstance(raw, dict) else ""] = "not understood"
            continue
        results[message.id] = None
        if isinstance(message, AnnotatedMessage):
            current = sandbox.round(message.position, message.cycle)
            if current is not None and message.image in current.names:
                index = current.names.index(message.image)
                sandbox.accept(message.position, index, message.annotation, message.id)
    return {"results": results, **told(sandbox, request, said)}


def fine_tune(sandbox: Sandbox, request: Request, said: dict[str, Any]) -> Any:
    """FINE-TUNE."""
    sandbox.fine_tune()
    return told(sandbox, request, said)


# -- what the page fetches -----------------------------------------------------------------


def _missing() -> Response:
    return JSONResponse({"problem": "not there yet"}, 404)


def _numbers(request: Request) -> tuple[int, int, int]:
    values = request.path_params
    return int(values["position"]), int(values["cycle"]), int(values["index"])


def batch(sandbox: Sandbox, request: Request, said: dict[str, Any]) -> Any:
    """The candidates of the current round."""
    run = sandbox.run
    if run is None:
        return None
    current = run.rounds[-1]
    return {
        "position": run.number, "cycle": current.number, "images": current.names,
        "labels": current.labels,
    }  # fmt: skip


def annotation(sandbox: Sandbox, request: Request, said: dict[str, Any]) -> Any:
    """What is confirmed on a candidate."""
    query = request.query_params
    try:
        place = [int(query.get(name, "")) for name in ("position", "cycle", "index")]
    except ValueError:
        raise BadRequest("position, cycle and index are whole numbers") from None
    current = sandbox.round(place[0], place[1])
    drawn = None if current is None else current.drawn.get(place[2])
    return JSONResponse(None if drawn is None else drawn.model_dump(mode="json"))


def gallery(sandbox: Sandbox, request: Request, said: dict[str, Any]) -> Any:
    """Test mode: every validation image, before and now."""
    return sandbox.gallery()


def image(sandbox: Sandbox, request: Request, said: dict[str, Any]) -> Any:
    """A candidate."""
    position, number, index = _numbers(request)
    current = sandbox.round(position, number)
    if current is None or index >= len(current.indices):
        return None
    return _png(sandbox, "train", current.indices[index])


def attention(sandbox: Sandbox, request: Request, said: dict[str, Any]) -> Any:
    """Where the model that chose a candidate looks on it."""
    position, number, index = _numbers(request)
    current, run = sandbox.round(position, number), sandbox.run
    if current is None or run is None or index >= len(current.indices):
        return None
    return _overlay(current.maps[index], run.loop.pool.frame(current.indices[index]))


def regions(sandbox: Sandbox, request: Request, said: dict[str, Any]) -> Any:
    """The superpixels of a candidate."""
    position, number, index = _numbers(request)
    current = sandbox.round(position, number)
    if current is None or index >= len(current.indices):
        return None
    headers = FRESH | {"Content-Encoding": "deflate"}
    return Response(
        sandbox.regions(current, index), media_type="application/octet-stream", headers=headers
    )


def gallery_image(sandbox: Sandbox, request: Request, said: dict[str, Any]) -> Any:
    """A validation image."""
    return _png(sandbox, "val", int(request.path_params["index"]))


def view(sandbox: Sandbox, request: Request, said: dict[str, Any]) -> Any:
    """Attention on a validation image after so many rounds."""
    _, number, index = _numbers(request)
    sight, run = sandbox.sight(number), sandbox.run
    if sight is None or run is None or index >= len(sight.maps):
        return None
    return _overlay(sight.maps[index], run.data["val"].items.frame(index))


def _png(sandbox: Sandbox, split: str, index: int) -> Response | None:
    picture = sandbox.picture(split, index)
    if picture is None:
        return None
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return Response(buffer.getvalue(), media_type="image/png", headers=FRESH)


def _overlay(grid: Maps, frame: Frame) -> Response:
    return Response(overlay(grid, frame=frame), media_type="image/png", headers=FRESH)
