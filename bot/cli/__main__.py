"""`python -m bot.cli` is `kat`."""

from bot.cli.main import main

main(prog_name="kat")
