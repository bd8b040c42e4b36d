"""A small API. uvicorn serves it; slow answers cost no thread."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

app = FastAPI(title="Example")
VERSION = Path(__file__).with_name("VERSION").read_text().strip()


@app.middleware("http")
async def note(request: Request, call_next) -> Response:
    response = await call_next(request)
    print(f"{request.method} {request.url.path} {response.status_code} {VERSION}", flush=True)
    return response


@app.get("/", response_class=PlainTextResponse)
async def index() -> str:
    return f"Hello from FastAPI {VERSION}\n"


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/slow")
async def slow(seconds: float = Query(5, ge=0, le=60)) -> StreamingResponse:
    """Answers in pieces for as long as asked: a download, a report."""

    async def body() -> AsyncIterator[str]:
        for number in range(int(seconds * 10)):
            await asyncio.sleep(0.1)
            yield f"{VERSION} {number}\n"
        yield "done\n"

    return StreamingResponse(body(), media_type="text/plain")
