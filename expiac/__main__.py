"""`python -m expiac` is `expiac`."""

from expiac.cli import main

main()
