"""`python -m curator.explanations > docs/reference/errors.md`."""

from __future__ import annotations

import sys

from curator.explanations import reference

if __name__ == "__main__":
    sys.stdout.write(reference())
