"""The command line: arguments in, one call, text or one JSON document out, an exit code.

Each command is a function `(arguments, console) -> Answer` that holds no logic of its own. Nothing but argparse is
imported until a command runs, so that `curator --help` answers at once.
"""

from curator.cli._main import main

__all__ = ["main"]
