"""Memory that was freed is there for the next tensor, as the system's count of page faults shows."""

import subprocess
import sys

import pytest

from tests.trainer.conftest import ROOT

PROGRAM = """
import resource, sys
import torch
from trainer.allocator import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def fill():
    for _ in range(20):
        one, other = torch.ones(2_000_000), torch.ones(9_000_000)
        del one, other

fill()
before = faults()
fill()
print(faults() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_a_tensor_takes_the_memory_of_the_one_before():
    faults = {
        name: int(subprocess.run([sys.executable, "-c", PROGRAM, name], cwd=ROOT, capture_output=True, text=True,
                                 check=True, timeout=120).stdout)
        for name in ("kept", "given-back")
    }  # fmt: skip
    assert faults["kept"] < 0.1 * faults["given-back"]
