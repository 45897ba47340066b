"""``python -m tcptui``."""

import sys

from tcptui.cli import main

sys.exit(main())
