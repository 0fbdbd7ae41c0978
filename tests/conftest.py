"""What holds for all tests."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
# Torch's own threads wait by spinning. Between operations as small as those of the tests they would do little
# else, and take the cores from the other processes: of gradients by finite differences, four fifths of the time.
# Set before torch is loaded, and for processes that tests start. The kernels' threads are ours, and none of these.

collect_ignore = ["support", "peers"]
"""They hold no tests. Looked through for some, their modules would be loaded once more, under other names."""
