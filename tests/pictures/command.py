"""The command line at the moment at which the orchard is looked at.

python -m tests.pictures.command ARGUMENTS...
"""

from __future__ import annotations

import sys

from holdfast.interface.cli.main import main

from .orchard import NOW, START, OrchardClock, standing_still

if __name__ == "__main__":
    clock = OrchardClock()
    clock.advance((NOW - START).total_seconds())
    with standing_still(clock):
        main(sys.argv[1:])
