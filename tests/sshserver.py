"""A real sshd on loopback that gives out Git repositories to one key."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


class SshServer:
    """Serves the repositories below `root` to the holder of `public`, as the user that runs the
    tests. The key opens `git-upload-pack` and nothing else.
    """

    def __init__(self, folder: Path, root: Path, *, public: str) -> None:
        self.folder = folder
        self.root = root
        self.port = _free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self.make_host_key()
        self._write(public)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        # sshd wants this directory; the package's service would have made it.
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        sshd = shutil.which("sshd", path=_PATH)
        assert sshd is not None
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                (sshd, "-D", "-e", "-f", str(self.folder / "sshd_config")),
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        self._await()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(10)

    def url(self, name: str) -> str:
        user = os.environ.get("USER") or "root"
        return f"ssh://{user}@127.0.0.1:{self.port}{self.root}/{name}.git"

    def make_host_key(self) -> None:
        """A new identity, as if another machine answered."""
        for old in self.folder.glob("host*"):
            old.unlink()
        keygen = shutil.which("ssh-keygen")
        assert keygen is not None
        words = ("-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / "host"))
        subprocess.run((keygen, *words), check=True, timeout=30)

    def allow(self, public: str) -> None:
        """Let this key in and no other, from the next connection on."""
        keys = self.folder / "authorized_keys"
        keys.write_text(f'restrict,command="{self.folder / "serve"}" {public}\n')
        keys.chmod(0o600)

    def _write(self, public: str) -> None:
        serve = self.folder / "serve"
        serve.write_text(
            f"#!{sys.executable}\n"
            "import os, shlex, sys\n"
            "words = shlex.split(os.environ.get('SSH_ORIGINAL_COMMAND', ''))\n"
            "sys.exit('no') if words[:1] != ['git-upload-pack'] else None\n"
            "os.environ.update(GIT_CONFIG_COUNT='1', GIT_CONFIG_KEY_0='safe.directory',"
            " GIT_CONFIG_VALUE_0='*')\n"
            "os.execvp('git', ['git', 'upload-pack', words[1]])\n"
        )
        serve.chmod(0o755)
        self.allow(public)
        (self.folder / "sshd_config").write_text(
            f"Port {self.port}\n"
            "ListenAddress 127.0.0.1\n"
            f"HostKey {self.folder / 'host'}\n"
            f"AuthorizedKeysFile {self.folder / 'authorized_keys'}\n"
            f"PidFile {self.folder / 'pid'}\n"
            "PasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\n"
            "PermitRootLogin prohibit-password\n"
            "AcceptEnv GIT_PROTOCOL\n"
            "StrictModes no\n"
            "UsePAM no\n"
        )

    def _await(self, limit: float = 10) -> None:
        end = time.monotonic() + limit
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
            except OSError:
                assert time.monotonic() < end, (self.folder / "log").read_text()
                time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
