"""The other half: works in the background and says good-bye when asked to stop."""

import signal
import sys
import time
from pathlib import Path

VERSION = Path(__file__).with_name("VERSION").read_text().strip()


def stop(number, frame):
    print(f"worker {VERSION} stops", flush=True)
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    count = 0
    while True:
        count += 1
        print(f"worker {VERSION} did job {count}", flush=True)
        time.sleep(5)
