"""`python -m aar.cli`: the same as `aar`."""

import sys

from aar.cli.main import main

sys.exit(main())
