"""Ranks texts with a trained model: JSON strings on standard input, a ranking a line on standard output."""

from __future__ import annotations

import asyncio
import json
import sys

from rasa.core.agent import load_agent

MOST_RANKED = 8


async def main(model: str) -> None:
    """Rank every line. The text is not seen as a command: its leading slash is set apart as the channel does."""
    from bot.rasa_ext.channel import text_for_rasa

    agent = await load_agent(model_path=model)
    for line in sys.stdin:
        parsed = await agent.parse_message(text_for_rasa(json.loads(line)))
        ranking = [[row["name"], float(row["confidence"])] for row in parsed["intent_ranking"][:MOST_RANKED]]
        print(json.dumps(ranking), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
