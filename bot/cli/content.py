"""`kat content`: the authored flows as a page to read and sign, and what changed between two versions."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

import click


@click.group()
def content() -> None:
    """Read the authored content, or compare two versions of it."""


@content.command("print")
@click.option("--format", "kind", type=click.Choice(["markdown", "html"]), default="markdown", show_default=True)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), default=None, help="A file; else the screen."
)
def print_(kind: str, output: Path | None) -> None:
    """Render every flow for a clinician to read and sign: prompts, options and branches in words."""
    from bot.adapters.content import load_library
    from bot.adapters.review import as_html, as_markdown
    from bot.settings import ROOT

    library = load_library(ROOT / "data")
    page = as_html(library) if kind == "html" else as_markdown(library)
    if output is None:
        click.echo(page, nl=False)
    else:
        output.write_text(page, encoding="utf-8")
        click.echo(f"{len(library.flows)} flows, content version {library.version}, written to {output}")


@content.command()
@click.argument("old")
@click.argument("new", default="data")
def diff(old: str, new: str) -> None:
    """Show what changed, flow by flow. OLD and NEW are each a folder, or a git revision of the data folder."""
    from bot.adapters.review import changes

    found = changes(_library(old), _library(new))
    click.echo(found or "Nothing that a patient could meet has changed.")


def _library(where: str) -> Any:
    from bot.adapters.content import compile_library, load_library
    from bot.core.flow.content import ContentError
    from bot.settings import ROOT

    folder = Path(where) if Path(where).is_absolute() else ROOT / where
    try:
        return load_library(folder) if folder.is_dir() else compile_library(_revision(where, ROOT))
    except (ContentError, KeyError) as error:
        raise click.ClickException(f"The content of {where} cannot be read: {error}") from error


def _revision(name: str, root: Path) -> dict[str, str]:
    from bot.adapters.content import is_content

    try:
        listed = _git(root, "ls-tree", "-r", "--name-only", name, "data")
    except subprocess.CalledProcessError as error:
        raise click.ClickException(f"{name} is neither a folder nor a git revision.") from error
    paths = [PurePosixPath(line).relative_to("data").as_posix() for line in listed.splitlines()]
    return {path: _git(root, "show", f"{name}:data/{path}") for path in paths if is_content(path)}


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - no shell
