"""`python -m ferkit` is the command `ferkit`."""

import sys

from .cli import main

sys.exit(main())
