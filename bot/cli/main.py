"""`kat`: the console command. Each command calls one service; nothing is decided here."""

from __future__ import annotations

import click

from bot.cli import backup, content, demo, deploy, keys, language, people, reading, rota, running, schedule, trust


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The integration-coaching assistant: run it, invite patients, assess messages."""


for command in (
    running.run, running.env, running.migrate, running.train,
    running.web, running.worker, running.actions, running.sink, running.shell,
    people.invite, people.user, people.assign_coach, people.recover, people.unlock, schedule.schedule,
    language.assess, language.interpret,
    reading.digest, demo.demo, content.content,
    keys.keys, backup.backup, backup.restore, deploy.check,
    rota.rota, trust.audit, trust.drill, trust.report,
):  # fmt: skip
    main.add_command(command)
