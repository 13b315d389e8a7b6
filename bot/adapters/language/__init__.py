"""Reading patients' words: normalising, clauses, rules, and the combined assessor. Valid on Python 3.10 too.

The runtime of the meaning layer reports to its maker unless told not to before it is imported: it keeps a device id and
a database of events in the home folder and uploads them. Nothing of ours reports to anyone, so it is told so here.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
