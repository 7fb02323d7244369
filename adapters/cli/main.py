"""`passerelle`: the entry point. What a command needs is imported when it runs, and no sooner."""

from __future__ import annotations

import gc
import os
import sys


def run() -> None:
    """Run one command. A reader who stops reading (`| head`) and Ctrl-C end it quietly.

    What the system refuses (a folder that is a file, a full disk) is told in one line.
    """
    gc.set_threshold(20_000, 20, 50)  # modules are many objects that stay: collecting more rarely starts us sooner
    try:
        _run()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter would complain at its end
        sys.exit(141)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        from adapters.cli.errors import exit_code, system_line
        from adapters.cli.lang import chosen_lang

        print(system_line(error, chosen_lang()), file=sys.stderr)
        sys.exit(exit_code(error))


def _run() -> None:
    from adapters.cli.quick import check_asked

    asked = check_asked(sys.argv[1:])
    if asked is not None:
        from adapters.cli.check import run_check

        sys.exit(run_check(*asked))
    from adapters.cli.commands import app

    app()


if __name__ == "__main__":
    run()
