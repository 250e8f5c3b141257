"""Makes the pictures of the documentation: `make pictures`."""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from .orchard import RELEASE
from .screens import PAGE, plant, remade
from .terminal import ORCHARD, ROOT

IMAGES = ROOT / "docs" / "images"


def main() -> None:
    """Make all of them anew."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="holdfast-pictures-") as made:
        folder = plant(Path(made).resolve())
        PAGE.write_text(remade(PAGE.read_text("utf-8"), folder, real=True), "utf-8")
        draw = ["--store", str(folder / "orchard.db"), "tree", RELEASE, "--svg"]
        subprocess.run([*ORCHARD, *draw, str(IMAGES / "run.svg")], check=True)
        _demo(IMAGES / "demo.svg")


def _demo(image: Path) -> None:
    """Draw a real run of the demo; where it was made is nobody's business."""
    command = [sys.executable, "-m", "holdfast", "demo", "--seed", "11", "--svg", str(image)]
    subprocess.run(command, check=True)
    drawn = image.read_text("utf-8")
    image.write_text(drawn.replace(f" on {platform.node()}", ""), "utf-8")


if __name__ == "__main__":
    main()
