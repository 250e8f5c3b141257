"""Write the screens of the docs anew: ``make screens``."""

from __future__ import annotations

from .screens import ROOT, pages_with_screens, rewrite

for page in pages_with_screens():
    rewrite(page)
    print(page.relative_to(ROOT))
