"""What every test shares."""

import os

from hypothesis import settings

# The same examples in every run, so that a red run can be run again; HYPOTHESIS_PROFILE=search
# draws new ones.
settings.register_profile("fixed", derandomize=True)
settings.register_profile("search", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))
