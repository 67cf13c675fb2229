"""Kinds whose answer is in the prompt: summaries, quotes, and who did what to whom.

In the held-out ones both replies use the same words and only the arrangement decides. Two scenes differ by swapping
one pair of names or things, and each reply tells one of the scenes.
"""

from __future__ import annotations

from collections.abc import Sequence

from aar.testbeds.generators.chat_bank.twin import Draw, Twin, each, has, kind, names


@kind("faithful summary")
def summary(draw: Draw) -> Twin:
    who, verb = draw.rows("people", 1)[0], draw.rows("verbs", 2)
    what, town = draw.words("objects", 2), draw.words("towns", 2)
    text = draw.phrase(
        "Sum up: Last week {0} went to {3}, where {4} {1} the {2}.",
        "Shorten this: {0} travelled to {3}. There {4} {1} the {2}.",
        "Give the gist: in {3}, {0} {1} the {2}.",
    )
    say = draw.phrase("{0} {1} the {2} in {3}.", "In {3}, {0} {1} the {2}.", "{3} is where {0} {1} the {2}.")
    facts = [(who[0], v[1], w, t, who[1]) for v, w, t in zip(verb, what, town, strict=True)]
    return Twin(
        (text.format(*facts[0]), text.format(*facts[1])),
        (say.format(*facts[0]), say.format(*facts[1])),
        lambda i, r: has(r, *facts[i][:4]),
    )


@kind("quoted word")
def quote(draw: Draw) -> Twin:
    a = draw.rows("opposites", 1)[0]
    who = draw.words("people", 1)[0]
    ask = draw.phrase(
        who + " used the word '{}'. Report it.",
        "On the note stood only '{}'. Quote it.",
        "They wrote '{}' on the wall. Repeat it.",
    )
    say = draw.phrase("The word was '{}'.", "It was '{}'.", "It said '{}'.")
    return Twin(each(ask, a), each(say, a), names(a))


def _swapped(scene: str, tell: str, fixed: Sequence[str], pair: Sequence[str]) -> Twin:
    """Scene and reply with {a}, {b} filled by the pair, then by the pair turned round; {0}, {1}... are `fixed`.

    A reply is right when it puts the two at the places where the scene's own telling has them.
    """
    told = [{"a": pair[i], "b": pair[1 - i]} for i in (0, 1)]
    prompts, replies = ([text.format(*fixed, **names) for names in told] for text in (scene, tell))
    first = tell.index("{a}") < tell.index("{b}")
    return Twin(
        (prompts[0], prompts[1]),
        (replies[0], replies[1]),
        lambda i, reply: (reply.index(told[i]["a"]) < reply.index(told[i]["b"])) == first,
    )


@kind("giver and receiver")
def gift(draw: Draw) -> Twin:
    scene = draw.phrase(
        "{a} gave the {0} to {b} in {1}. Retell it.",
        "In {1}, {a} handed {b} the {0}. Say it in other words.",
        "{a} sent {b} the {0} from {1}. Sum it up.",
    )
    tell = draw.phrase(
        "{b} got the {0} from {a}.",
        "{a} let {b} have the {0}.",
        "The {0} went from {a} to {b}.",
        "{b} owes {a} for the {0}.",
    )
    return _swapped(scene, tell, (*draw.words("objects", 1), *draw.words("towns", 1)), draw.words("people", 2))


@kind("order of steps", held_out=True)
def steps(draw: Draw) -> Twin:
    verbs, things = draw.rows("verbs", 2), draw.words("objects", 2)
    pair = [f"{verb[0]} the {thing}" for verb, thing in zip(verbs, things, strict=True)]
    scene = draw.phrase(
        "First {a}, then {b}. Tell {0} the plan.",
        "{0} must {a} and afterwards {b}. Give the instructions.",
        "Before they {b}, they {a}. Explain it to {0}.",
    )
    tell = draw.phrase("You {a} and after that you {b}.", "Step one: {a}. Step two: {b}.", "Start: {a}. End: {b}.")
    return _swapped(scene, tell, draw.words("people", 1), pair)


@kind("who lives where", held_out=True)
def homes(draw: Draw) -> Twin:
    scene = draw.phrase(
        "{a} lives in {0}, {b} in {1}. Write that down.",
        "In {0} you meet {a}, in {1} you meet {b}. Who is where?",
        "Note the homes: {a} {0}, {b} {1}.",
    )
    tell = draw.phrase(
        "The home of {a} is {0} and that of {b} is {1}.",
        "{a} is in {0} while {b} is in {1}.",
        "{0} has {a}, {1} has {b}.",
    )
    return _swapped(scene, tell, draw.words("towns", 2), draw.words("people", 2))


@kind("who did which")
def deeds(draw: Draw) -> Twin:
    verbs = [row[1] for row in draw.rows("verbs", 2)]
    scene = draw.phrase(
        "{a} {0} the {2} and {b} {1} it. Report the facts.",
        "The {2}: {a} {0} it, {b} {1} it. Who did what?",
        "We saw that {a} {0} and {b} {1} the {2}. Confirm.",
    )
    tell = draw.phrase(
        "It was {a} who {0} and {b} who {1} the {2}.", "{a} {0} the {2}, {b} {1} it.", "{a} {0} it; {b} {1} it."
    )
    return _swapped(scene, tell, (*verbs, *draw.words("objects", 1)), draw.words("people", 2))


@kind("requested order", held_out=True)
def listing(draw: Draw) -> Twin:
    scene = draw.phrase(
        "Name the {a} first and the {b} second.",
        "Mention the {a}, later the {b}, in a note to {0}.",
        "Begin with the {a} and close with the {b}.",
    )
    tell = draw.phrase(
        "{0} wants the {a} and the {b}.", "There is the {a}, and the {b} for {0}.", "See the {a} and the {b}."
    )
    return _swapped(scene, tell, draw.words("people", 1), draw.words("objects", 2))
