"""Cut anime characters out of clips."""

import os

__version__ = "0.2.0"

# Before anything loads OpenMP: threads that wait by spinning make a picture thirty times slower on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Before numpy: drawings are matted side by side, and a pool inside each costs a quarter more of the processor's time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
