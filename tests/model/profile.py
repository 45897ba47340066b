"""How hard property tests try: enough to meet every branch, little enough to run on every save.

Importing this puts the profile in force; the ``conftest.py`` of each folder with property tests does.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "moderate",
    max_examples=60,
    deadline=None,  # a loaded machine is no defect
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",
    print_blob=True,
)
settings.load_profile("moderate")
