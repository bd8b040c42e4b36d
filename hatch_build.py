"""Puts the built dashboard into a wheel. An editable install builds nothing."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class DashboardHook(BuildHookInterface[Any]):
    """`AUTOSTACK_DASHBOARD=skip` makes a wheel without it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        source = Path(self.root) / "dashboard"
        if version == "editable" or os.environ.get("AUTOSTACK_DASHBOARD") == "skip":
            return
        subprocess.run([sys.executable, str(source / "build.py")], check=True)
        build_data["force_include"][str(source / "built")] = "autostack/web/built"
