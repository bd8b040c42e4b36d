"""An attacker's own application and build at a live platform: what their code can see and do."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.platform import Reply, request, until
from tests.security.live import PLATFORMS, VICTIMS, World, outer_address

pytestmark = pytest.mark.needs("linux", "root")
OWN = "own-value-of-the-attacker"

AGENT = """
import os, subprocess, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Agent(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(b"agent")
    def do_POST(self):
        code = self.rfile.read(int(self.headers["Content-Length"]))
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)
        self.answer(done.stdout)
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Agent).serve_forever()
"""


class Inside:
    """Runs code in the attacker's app."""

    def __init__(self, world: World, deployment: Any) -> None:  # noqa: ANN401 - JSON
        self.world, self.deployment = world, deployment
        self.url = f"http://{deployment['url']}/"

    def run(self, code: str) -> str:
        reply = send(self.url, code)
        assert reply.status == 200, reply.body
        return reply.body.decode(errors="replace")

    def fire(self, code: str) -> None:
        """Code that may end the agent before it answers."""
        with suppress(OSError):
            send(self.url, code)

    def is_back(self) -> bool:
        with suppress(OSError):
            return request("GET", self.url, timeout=5).body == b"agent"
        return False


def send(url: str, code: str) -> Reply:
    import urllib.request  # noqa: PLC0415 - a body that is no JSON

    asked = urllib.request.Request(url, data=code.encode(), method="POST")  # noqa: S310 - ours
    with urllib.request.urlopen(asked, timeout=90) as answer:  # noqa: S310
        return Reply(answer.status, answer.read(), dict(answer.headers))


@pytest.fixture(scope="module")
def agent(live: World) -> Inside:
    live.git.create("agent", {"app.py": AGENT, "Procfile": "web: python app.py\n"})
    project = live.eve.project("agent", live.git.url("agent"))
    live.eve.set(project, "OWN", OWN)
    return Inside(live, live.eve.deploy(project))


@pytest.fixture
def inside(world: World, agent: Inside) -> Inside:
    until(agent.is_back, limit=60, what="the attacker's app, started again")
    assert world is agent.world
    return agent


def processes(marker: str) -> list[psutil.Process]:
    """Programs of an app, by the code they run, as the host sees them."""
    found: list[psutil.Process] = []
    for one in psutil.process_iter():
        with suppress(psutil.Error):
            if one.uids().real >= 1_900_000_000 and marker in one.environ().get("OWN", ""):
                found.append(one)
    return found


READ = """
import json, os
def look(path):
    return os.listdir(path) if os.path.isdir(path) else open(path, errors="replace").read(80)
found = {}
for path in json.loads(PATHS):
    try: found[path] = look(path)
    except OSError: pass
print(json.dumps(found))
"""


def read(paths: list[str]) -> str:
    return READ.replace("PATHS", repr(json.dumps(paths)))


@pytest.mark.attack("I01", "I05")
def test_an_app_reads_no_file_of_the_platform_or_of_a_neighbour(inside: Inside) -> None:
    home = inside.world.platform.home
    wanted = [home.root, home.secrets, home.run, home.postgres, home.edge, home.artifacts]
    wanted += [home.caches, home.instances, home.logs, home.mirrors, home.trees, home.uploads]
    wanted += [*home.secrets.iterdir(), *home.run.iterdir(), *home.artifacts.iterdir()]
    wanted += [*home.edge.iterdir(), *home.instances.iterdir(), home.postgres / "PG_VERSION"]
    wanted += [Path("/etc/shadow"), Path("/root/.bashrc"), inside.world.marks, Path("/host")]

    found = json.loads(inside.run(read([str(path) for path in wanted])))

    mine = {path: what for path, what in found.items() if what not in ([], "")}
    own = inside.run("import os; print(os.getcwd())").strip()
    assert {path for path in mine if not path.startswith(own)} <= {str(home.root)}, mine
    assert not mine.get(str(home.root)) or set(mine[str(home.root)]) <= {"toolchains", "artifacts"}
    assert VICTIMS not in str(found)


SNOOP = """
import glob, os
for part in ("environ", "cmdline", "maps", "cgroup", "mountinfo"):
    for path in glob.glob(f"/proc/[0-9]*/{part}"):
        try: print(part, open(path, "rb").read().decode(errors="replace"))
        except OSError: pass
for kind in ("fd", "root", "cwd", "exe"):
    for path in glob.glob(f"/proc/[0-9]*/{kind}*"):
        try: print(kind, path, os.readlink(path))
        except OSError: pass
print(dict(os.environ))
for path in ("/dev/shm", "/tmp", "/var/tmp", "/run", "/home", "/dev/mqueue"):
    try: print(path, os.listdir(path))
    except OSError: pass
"""


@pytest.mark.attack("I02", "I03", "I04", "I05")
def test_what_processes_tell_inside_is_the_apps_own(inside: Inside) -> None:
    seen = inside.run(SNOOP)

    assert OWN in seen
    assert PLATFORMS not in seen
    assert VICTIMS not in seen
    assert "AUTOSTACK_SECRET_KEY" not in seen
    assert str(inside.world.platform.home.secrets) not in seen
    pids = inside.run("import os; print(sum(n.isdigit() for n in os.listdir('/proc')))")
    assert int(pids) <= 8


@pytest.mark.attack("I07")
def test_the_host_sees_each_app_as_a_user_of_its_own(inside: Inside) -> None:
    theirs = {one.uids().real for one in processes(OWN)}
    platform = {
        one.uids().real
        for one in psutil.process_iter(["cmdline"])
        if str(inside.world.platform.root) in " ".join(one.info["cmdline"] or [])
    }

    assert len(theirs) == 1
    assert 0 not in theirs
    assert not theirs & platform
    assert len({one.uids().real for one in apps()}) >= 2


def apps() -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for one in psutil.process_iter():
        with suppress(psutil.Error):
            if one.uids().real >= 1_900_000_000:
                found.append(one)
    return found


RIGHTS = """
import json, os, subprocess
lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
tried = {}
for command in (["su", "-c", "id"], ["sudo", "-n", "id"], ["mount", "-t", "tmpfs", "x", "/mnt"],
                ["newuidmap", "1", "0", "0", "1"], ["chroot", "/", "id"], ["unshare", "-r", "id"]):
    try: tried[command[0]] = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL,
                                            timeout=20).returncode
    except OSError: tried[command[0]] = "absent"
print(json.dumps({"groups": os.getgroups(), "gid": os.getgid(), "tried": tried,
                  **{n: lines[n].strip() for n in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")}}))
"""


@pytest.mark.attack("I08")
def test_nothing_inside_gives_rights(inside: Inside) -> None:
    told = json.loads(inside.run(RIGHTS))

    assert told["groups"] in ([], [told["gid"]])
    assert int(told["CapEff"], 16) == int(told["CapBnd"], 16) == 0
    assert (told["NoNewPrivs"], told["Seccomp"]) == ("1", "2")
    assert 0 not in told["tried"].values(), told["tried"]


@pytest.mark.attack("I09")
def test_signals_reach_nobody_else(inside: Inside) -> None:
    supervisor = int((inside.world.platform.home.run / "supervisord.pid").read_text())
    code = f"""
import os, signal
for pid in ({supervisor}, {psutil.Process(supervisor).children()[0].pid}):
    for number in (0, signal.SIGSTOP, signal.SIGKILL):
        try: os.kill(pid, number); print("reached", pid)
        except OSError as error: pass
"""

    assert "reached" not in inside.run(code)
    inside.fire("import os; os.kill(-1, 9)")

    until(inside.is_back, limit=60, what="the app that killed itself, started again")
    assert psutil.Process(supervisor).status() != psutil.STATUS_STOPPED


SOCKETS = """
import os
for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock",
             "/run/podman/podman.sock", "/var/run/crio/crio.sock", "/run/systemd/private",
             "/run/dbus/system_bus_socket", "/var/run/secrets/kubernetes.io"):
    if os.path.exists(path): print(path)
print([name for name in os.environ if "DOCKER" in name or "KUBE" in name])
"""


@pytest.mark.attack("I11")
def test_no_engines_socket_is_inside(inside: Inside) -> None:
    assert inside.run(SOCKETS).strip() == "[]"


def connecting(targets: list[str]) -> str:
    return f"""
import socket
from concurrent.futures import ThreadPoolExecutor
def reach(target):
    host, _, port = target.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=1).close()
        print("reached", target)
    except OSError as error:
        pass
with ThreadPoolExecutor(20) as pool:
    list(pool.map(reach, {targets!r}))
print("done")
"""


def forbidden(world: World) -> list[str]:
    """Everything an app or a build has no business with."""
    ports = [world.traps.port, world.platform.port, world.platform.edge_port, world.git.port]
    ports += [5432, 2019, 2375, 22, 6443, 10250]
    hosts = ["127.0.0.1", "127.77.0.1", outer_address(), "169.254.169.254", "100.100.100.200"]
    others = [one["address"] for one in neighbours(world)]
    return [f"{host}:{port}" for host in hosts for port in ports] + others


def neighbours(world: World) -> list[Any]:
    environment = world.victim["environment_id"]
    found = world.ada.call("GET", f"/environments/{environment}/instances")["items"]
    return [one for one in found if one.get("address")]


@pytest.mark.attack("R25", "I24", "X14")
def test_an_app_reaches_neither_the_host_nor_a_neighbour(inside: Inside) -> None:
    host = inside.run("""
for line in open("/proc/net/route").read().splitlines()[1:]:
    fields = line.split()
    if fields[1] == "00000000":
        print(".".join(str(int(fields[2][at:at + 2], 16)) for at in (6, 4, 2, 0)))
""").strip()
    gates = [f"{host}:{port}" for port in (inside.world.platform.port, inside.world.traps.port)]
    wanted = [*forbidden(inside.world), *(gates if host else [])]

    assert inside.run(connecting(wanted)) == "done\n"


@pytest.mark.attack("I24", "R19")
def test_ports_an_app_takes_are_its_own(inside: Inside) -> None:
    platform = inside.world.platform
    ports = [80, 443, platform.port, platform.edge_port, 5432, 2019]
    code = f"""
import socket
for port in {ports!r}:
    try: socket.create_server(("0.0.0.0", port)).close()
    except PermissionError: assert port < 1024
"""

    assert inside.run(code) == ""
    assert request("GET", f"{platform.api}/health").json() == {"status": "ok"}


@pytest.mark.attack("R19")
def test_an_app_on_the_apis_port_is_reached_and_the_api_is_not_hidden(
    world: World, word: str
) -> None:
    port = world.platform.port
    code = AGENT.replace('int(os.environ["PORT"])', str(port))
    world.git.create(word, {"app.py": code, "Procfile": "web: python app.py\n"})
    project = world.eve.project(word, world.git.url(word))
    refused = world.eve.ask(
        "PUT", f"/projects/{project}/environments/production/variables/PORT", {"value": str(port)}
    )

    found = world.eve.attempt(project)

    assert refused.status == 422
    assert found["status"] == "success", found["error_message"]
    assert request("GET", f"http://{found['url']}/").body == b"agent"
    world.eve.call("DELETE", f"/projects/{project}")


def slowest(world: World, *, seconds: float) -> float:
    """The 95th percentile of what another user's calls take meanwhile."""
    taken: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.monotonic()
        assert world.ada.ask("GET", "/projects").status == 200
        taken.append(time.monotonic() - begun)
    return sorted(taken)[int(len(taken) * 0.95)]


FORKS = """
import os, time
made = 0
while True:
    try:
        if os.fork() == 0:
            time.sleep(20); os._exit(0)
        made += 1
    except OSError:
        print("stopped at", made, flush=True)
        os._exit(0)
"""


@pytest.mark.attack("I14")
def test_an_app_without_end_of_processes_slows_nobody(inside: Inside) -> None:
    said = inside.run(FORKS)

    made = int(said.split()[-1])
    assert made < 2000
    assert slowest(inside.world, seconds=2) < 2.5, "0.5 s on an idle machine"


@pytest.mark.attack("I16", "I17")
@pytest.mark.parametrize(
    "code",
    [
        "x = bytearray(4 << 30)",
        "f = open('/dev/shm/x', 'wb')\nfor _ in range(4096): f.write(bytes(1 << 20))",
        "import mmap; m = mmap.mmap(-1, 4 << 30)\nfor at in range(0, 4 << 30, 4096): m[at] = 1",
    ],
)
def test_memory_an_app_takes_is_its_own(inside: Inside, code: str) -> None:
    before = psutil.virtual_memory().available

    inside.fire(code)

    until(inside.is_back, limit=60, what="the app, after it was ended for memory")
    assert psutil.virtual_memory().available > before - (1 << 30)
    inside.fire("import os; os.path.exists('/dev/shm/x') and os.unlink('/dev/shm/x')")


FILL = """
import os, tempfile
for place in (os.getcwd(), "/tmp", "/var/tmp", "/dev/shm", "/run", "/home"):
    made = 0
    try:
        with open(os.path.join(place, "fill"), "wb") as file:
            for _ in range(8192):
                file.write(bytes(1 << 20)); made += 1
        print("unbounded", place)
    except OSError as error:
        print(place, made, error.errno)
    try: os.unlink(os.path.join(place, "fill"))
    except OSError: pass
"""


@pytest.mark.attack("I18")
def test_files_an_app_writes_end_where_its_room_ends(inside: Inside) -> None:
    free = psutil.disk_usage(str(inside.world.platform.root)).free

    inside.fire(FILL)

    until(inside.is_back, limit=60, what="the app, after it filled its room")
    assert psutil.disk_usage(str(inside.world.platform.root)).free > free - (1 << 30)


BUILD = """
touch {mark}
echo "seen: $(env)"
for one in secrets/secret.key secrets/seal.key run/launch.json ../../etc/shadow; do
    cat "{home}/$one" && echo READ
done
ls {home}/artifacts {home}/caches {home}/mirrors && echo LISTED
python3 - <<'END'
{connect}
END
exit 0
"""


@pytest.mark.attack("B07", "B23", "R25", "I01")
def test_a_build_runs_what_it_is_told_in_its_sandbox_only(world: World, word: str) -> None:
    script = BUILD.format(connect=connecting(forbidden(world)), **world.names)
    files = {"build.sh": script, "app.py": AGENT, "Procfile": "web: python app.py\n"}
    world.git.create(word, files)
    project = world.eve.project(word, world.git.url(word), build_command="sh build.sh")

    found = world.eve.attempt(project)

    log = world.eve.log(found["id"])
    assert found["status"] == "success", log
    assert "seen: " in log
    assert not [said for said in ("READ", "LISTED", "reached") if f"{said}\n" in f"{log}\n"], log
    assert "AUTOSTACK_SECRET" not in log


STEERING = {
    "LD_PRELOAD": "/tmp/evil.so",
    "PYTHONPATH": "/tmp/evil",
    "PYTHONSTARTUP": "/tmp/evil.py",
    "NODE_OPTIONS": "--require /tmp/evil.js",
    "BASH_ENV": "/app/evil.sh",
    "ENV": "/app/evil.sh",
    "GIT_SSH_COMMAND": "touch {mark}",
    "GIT_EXTERNAL_DIFF": "touch {mark}",
    "GIT_PROXY_COMMAND": "touch {mark}",
    "GIT_TRACE": "1",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.fsmonitor",
    "GIT_CONFIG_VALUE_0": "touch {mark}",
    "DOCKER_HOST": "tcp://127.0.0.1:{port}",
    "HOME": "/tmp",
    "PROMPT_COMMAND": "touch {mark}",
    "http_proxy": "http://127.0.0.1:{port}",
    "SSL_CERT_FILE": "/app/evil.pem",
}


@pytest.mark.attack("B05", "S06")
def test_variables_steer_what_is_inside_and_nothing_of_ours(world: World, word: str) -> None:
    evil = f"touch {world.mark}\n"
    files = {"evil.sh": evil, "app.py": AGENT, "Procfile": "web: python app.py\n"}
    world.git.create(word, files)
    project = world.eve.project(
        word, world.git.url(word), build_command="env; sh -c true; bash -c true"
    )
    for name, value in STEERING.items():
        world.eve.set(project, name, value.format(**world.names))

    found = world.eve.attempt(project)
    world.eve.set(project, "PATH", "/nowhere")
    without = world.eve.attempt(project)

    assert found["status"] == "success", world.eve.log(found["id"])
    assert without["status"] in {"success", "failed"}


@pytest.mark.attack("B01")
def test_a_value_arrives_byte_for_byte(world: World, word: str) -> None:
    value = f"x\nRUN touch {world.mark}\n$(touch {world.mark}) `id` '\"\\ %s {{{{ }}}} ü"
    files = {"app.py": AGENT, "Procfile": "web: python app.py\n"}
    world.git.create(word, files)
    build = "python3 -c 'import os; print(os.environ[\"ODD\"].encode().hex())' > built"
    project = world.eve.project(word, world.git.url(word), build_command=build)
    world.eve.set(project, "ODD", value)

    agent = Inside(world, world.eve.deploy(project))

    told = agent.run("import os; print(os.environ['ODD'].encode().hex(), open('built').read())")
    assert told.split() == [value.encode().hex()] * 2
    world.eve.call("DELETE", f"/projects/{project}")
