"""Runs once in each new build, before it gets any request."""

from pathlib import Path

print(f"release {Path(__file__).with_name('VERSION').read_text().strip()} is prepared", flush=True)
