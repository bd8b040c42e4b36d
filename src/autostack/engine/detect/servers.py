"""Which server starts which Python app, and the command for it."""

from dataclasses import dataclass, replace

from autostack.engine.detect.applications import Application


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A command, and the package that must be installed beside for it (or nothing)."""

    command: tuple[str, ...]
    server: str
    added: str = ""


def serve(app: Application, *, required: frozenset[str]) -> Served:
    """gunicorn for WSGI; uvicorn, hypercorn or daphne for ASGI, by what is already required."""
    if app.interface == "wsgi":
        return _wsgi(app, required)
    if app.interface == "aiohttp":
        return _aiohttp(app, required)
    if app.interface == "dash":
        return _dash(app, required)
    return _asgi(app, required)


def _aiohttp(app: Application, required: frozenset[str]) -> Served:
    """gunicorn brings $PORT, which `web.run_app` does not look at."""
    served = _wsgi(replace(app, interface="wsgi"), required - {"waitress"})
    gunicorn, _, _, *rest = served.command
    command = (gunicorn, "--worker-class", "aiohttp.GunicornWebWorker", *rest)
    return replace(served, command=command)


def _dash(app: Application, required: frozenset[str]) -> Served:
    """The WSGI app is an attribute of it, which waitress can name and gunicorn cannot."""
    command = _waitress(replace(app, target=f"{app.target}.server"))
    added = "" if "waitress" in required else "waitress"
    return Served(command=command, server="waitress", added=added)


def _wsgi(app: Application, required: frozenset[str]) -> Served:
    if "gunicorn" not in required and "waitress" in required:
        return Served(command=_waitress(app), server="waitress")
    # Threads keep one slow request from stopping all others, at the memory of one worker.
    command = ["gunicorn", "--threads", "8"]
    if app.directory:
        command += ["--chdir", app.directory]
    command.append(f"{app.target}()" if app.factory else app.target)
    added = "" if "gunicorn" in required else "gunicorn"
    return Served(command=tuple(command), server="gunicorn", added=added)


def _waitress(app: Application) -> tuple[str, ...]:
    call = " --call" if app.factory else ""
    line = f'exec waitress-serve --listen="0.0.0.0:${{PORT:-8000}}"{call} {app.target}'
    return shell(line, directory=app.directory)


def _asgi(app: Application, required: frozenset[str]) -> Served:
    if "uvicorn" not in required and "hypercorn" in required and not app.factory:
        line = f'exec hypercorn --bind "0.0.0.0:${{PORT:-8000}}" {app.target}'
        return Served(command=shell(line, directory=app.directory), server="hypercorn")
    if "uvicorn" not in required and "daphne" in required and not app.factory:
        line = f'exec daphne -b 0.0.0.0 -p "${{PORT:-8000}}" {app.target}'
        return Served(command=shell(line, directory=app.directory), server="daphne")
    factory = " --factory" if app.factory else ""
    line = f'exec uvicorn {app.target}{factory} --host 0.0.0.0 --port "${{PORT:-8000}}"'
    added = "" if "uvicorn" in required else "uvicorn"
    return Served(command=shell(line, directory=app.directory), server="uvicorn", added=added)


def shell(line: str, *, directory: str = "") -> tuple[str, ...]:
    """A shell is needed only where a program does not read $PORT by itself. `directory` and
    the app's target are names that `applications` has checked to be plain.
    """
    return ("sh", "-c", f"cd {directory} && {line}" if directory else line)
