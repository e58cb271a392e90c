"""`python -m tests.docs` lists the blocks of README and docs, and how each is tested."""

from tests.docs.blocks import blocks, how

for block in blocks():
    print(f"{block!s:40} {block.language or '-':8} {how(block)}")
