"""Has the C library keep memory that was freed, for the next tensor of its size.

By default it gives the memory of every large tensor back to the system, which then clears it page by page for the next
one: about a tenth of the time of an update.
"""

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # parameters of glibc's mallopt(3)
LARGEST = 2**31 - 1  # bytes


def keep_freed_memory() -> None:
    """Set what glibc keeps, for this process; nothing where there is another C library."""
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(MMAP_THRESHOLD, 2**30)
        mallopt(TRIM_THRESHOLD, LARGEST)
