"""`python -m albert_fast`: the command `albert-fast`."""

from __future__ import annotations

import sys

from .cli import main

sys.exit(main())
