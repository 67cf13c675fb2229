"""Directions drawn by a model, once, when a study is written down. Paid from the study's purse like every other answer."""

from __future__ import annotations

import asyncio
import json
import re
from string import Template
from typing import Any

from aar.errors import ProviderDown
from aar.researchers.base import Llm, clean
from aar.researchers.llm import given
from aar.researchers.llm.prices import Prices, tokens_of
from aar.researchers.llm.purse import Purse
from aar.researchers.llm.unanswered import unanswered
from aar.settings import LabFolder

MOST = 300  # characters of a direction
BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s*")


def draw(lab: LabFolder, study: str, problem: str, count: int, llm: Llm) -> list[str]:
    """`count` directions. ProviderDown where the model gives no answer or too few."""
    from inspect_ai.model import ModelOutput

    prices, purse, name = Prices(lab.prices), Purse(lab.spending), given.named(llm.model)
    given.ready("inspect", llm, prices)
    text = Template((given.PROMPTS / "directions.md").read_text()).substitute(problem=problem, count=count)
    ref = purse.reserve(
        f"{study}/directions", study, "", prices.most(name, len(text.encode()) + 2048, llm.max_tokens), llm
    )
    try:
        output: ModelOutput = asyncio.run(_ask(llm, name, text))
    except Exception as error:  # whatever a provider raises
        no = unanswered(error)
        (purse.lose if no.billed else purse.release)(ref)
        raise ProviderDown(
            f"no directions were drawn: {clean(no)}", code="model_refused", hint="try again, or --direction none"
        ) from error
    used = tokens_of(output.usage)
    if used is None:
        purse.lose(ref)
    else:
        purse.settle(
            ref, prices.usd(name, used), tokens_in=used.input, cached=used.cached, tokens_out=used.out, model=name
        )
    return _read(output.completion, count)


async def _ask(llm: Llm, name: str, text: str) -> Any:
    from inspect_ai.model import GenerateConfig, get_model

    with given.provider(llm.model) as keys:
        there: dict[str, Any] = (
            {"base_url": keys["ANTHROPIC_BASE_URL"], "api_key": keys["ANTHROPIC_API_KEY"]} if keys else {}
        )
        model = get_model(name, config=GenerateConfig(max_tokens=llm.max_tokens, max_retries=0), **there)
        return await model.generate(text)


def _read(text: str, count: int) -> list[str]:
    """Its lines, as data: cleaned and cut."""
    lines = [clean(BULLET.sub("", line), MOST).strip() for line in text.splitlines()]
    found = [line for line in lines if len(line) > 20][:count]
    if len(found) < count:
        raise ProviderDown(
            f"the model gave {len(found)} directions, not {count}: {clean(json.dumps(text), 200)}",
            code="model_refused",
            hint="try again, or name files: --direction FILE",
        )
    return found
