"""`python -m service.cli` is the command line, too."""

from service.cli import main

main()
