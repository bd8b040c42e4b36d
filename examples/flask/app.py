"""A small shop front. gunicorn serves it with threads, so a slow answer holds up nobody."""

import time
from pathlib import Path

from flask import Flask, request

app = Flask(__name__)
VERSION = Path(__file__).with_name("VERSION").read_text().strip()


@app.after_request
def note(response):
    print(f"{request.method} {request.path} {response.status_code} {VERSION}", flush=True)
    return response


@app.get("/")
def index():
    return f"Hello from Flask {VERSION}\n"


@app.get("/health")
def health():
    return {"status": "ok"}


@app.get("/slow")
def slow():
    """Answers in pieces for as long as asked: a download, a report."""
    pieces = int(max(0.0, min(request.args.get("seconds", 5.0, type=float), 60.0)) * 10)

    def body():
        for number in range(pieces):
            time.sleep(0.1)
            yield f"{VERSION} {number}\n"
        yield "done\n"

    return app.response_class(body(), mimetype="text/plain")
