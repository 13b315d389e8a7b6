"""What a trained model hears in texts: JSON strings on standard input, one JSON object a line on standard output."""

from __future__ import annotations

import asyncio
import json
import sys

from rasa.core.agent import load_agent


async def main(model: str) -> None:
    """Read every line. The text is not seen as a command: its leading slash is set apart as the channel does."""
    from bot.rasa_ext.channel import text_for_rasa

    agent = await load_agent(model_path=model)
    for line in sys.stdin:
        parsed = await agent.parse_message(text_for_rasa(json.loads(line)))
        print(json.dumps({name: parsed.get(name) for name in ("intent_ranking", "response_selector")}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
