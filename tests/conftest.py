"""What holds for all tests."""

import os
import signal

# Torch's own threads wait by spinning. Between operations as small as those of the tests they would do little
# else, and take the cores from other processes: four fifths of the time of gradients by finite differences.
# Set before torch is loaded, and for the processes that tests start. The kernels' threads are not among them.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Processes that tests start inherit what is ignored, as SIGHUP is by whatever `nohup` starts; what is caught
# is back to its default there.
if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

collect_ignore = ["support", "peers"]
"""They hold no tests. Looked through for some, their modules would be loaded once more, under other names."""
