"""Where logs lie, as plain strings: the collector imports little. `Home` names the same places."""


def instance_spools(home: str) -> str:
    """What instances print, raw: `<id>.out`."""
    return f"{home}/logs/spool/instances"


def instance_segments(home: str) -> str:
    """What is kept of it: `<id>/<n>.seg[.gz]`."""
    return f"{home}/logs/segments/instances"


def deployment_lines(home: str) -> str:
    """Logs of deployments: `<id>.jsonl`, later `<id>.jsonl.gz`."""
    return f"{home}/logs/spool/deployments"


def run_lines(home: str) -> str:
    """Logs of commands that were run once: `<id>.jsonl`, later `<id>.jsonl.gz`."""
    return f"{home}/logs/spool/runs"
