"""Standing in for a program that outlived its supervisor.

supervisord cannot adopt what it did not start. What it starts instead is this: a process that
waits beside the program, hands stop signals on to it, and becomes its successor when it ends.
"""

import signal

from autostack.drivers.machine.identity import Identity
from autostack.entrypoints.local import leftovers
from autostack.entrypoints.local.programs import Program

_ROUND = 3600.0
# The supervisor's own patience must last longer than ours.
_MARGIN = 2.0


class _ToldToStop(BaseException):
    pass


def stand_in(process: Identity, program: Program) -> None:
    """Return when `process` has ended by itself. Told to stop, end it and do not return.

    Without a mark of its own it ends with the supervisor, and the program goes on.
    """
    stop = signal.Signals[f"SIG{program.stop_signal}"]
    before = signal.signal(stop, _tell)
    try:
        while not process.wait(_ROUND):
            pass
    except _ToldToStop:
        signal.signal(stop, signal.SIG_IGN)
        leftovers.end_one(process, program, seconds=program.stop_seconds - _MARGIN)
        raise SystemExit(0) from None
    signal.signal(stop, before)


def _tell(_number: int, _frame: object) -> None:
    raise _ToldToStop
