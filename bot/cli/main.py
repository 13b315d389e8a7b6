"""`kat`: the console command. Each command calls one service; nothing is decided here."""

from __future__ import annotations

import click

from bot.cli import demo, language, people, reading, running


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The integration-coaching assistant: run it, invite patients, assess messages."""


for command in (
    running.run, running.env, running.migrate, running.train,
    running.web, running.worker, running.actions, running.sink,
    people.invite, people.schedule, people.user,
    language.assess, language.interpret,
    reading.digest, demo.demo,
):  # fmt: skip
    main.add_command(command)
