"""Kinds whose answer is in the prompt: the asked property, summaries, quotes, sender and receiver, a word to avoid."""

from __future__ import annotations

from aar.testbeds.generators.chat_bank.twin import Draw, Twin, an, each, has, kind, names


@kind("asked property", held_out=True)
def prop(draw: Draw) -> Twin:
    who, town, job = draw.words("people", 1)[0], draw.words("towns", 1)[0], draw.words("jobs", 1)[0]
    text = draw.phrase(
        f"{who} is {an(job)} who lives in {town}. ",
        f"In {town} lives {who}, {an(job)}. ",
        f"{who} moved to {town} and works as {an(job)}. ",
    )
    ask = draw.phrase("What is {0}'s {1}?", "Tell me the {1} of {0}.", "Please name {0}'s {1}.")
    say = draw.phrase("It is {}.", "The answer is {}.", "I believe it is {}.")
    prompts = text + ask.format(who, "job"), text + ask.format(who, "home town")
    return Twin(prompts, each(say, (job, town)), names((job, town)))


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


@kind("who is addressed")
def addressee(draw: Draw) -> Twin:
    who, what = draw.words("people", 2), draw.words("objects", 1)[0]
    ask = draw.phrase(
        "Write a note from {0} to {1} about the " + what + ".",
        "{0} wants to tell {1} about the " + what + ". Write the note.",
        "Draft {0}'s message to {1} about the " + what + ".",
    )
    say = draw.phrase(
        "Dear {1}, the " + what + " is here. Yours, {0}",
        "Hello {1}, I have the " + what + ". Best, {0}",
        "{1}, come and see the " + what + ". {0}",
    )
    pairs = (who, who[::-1])
    return Twin(
        (ask.format(*pairs[0]), ask.format(*pairs[1])),
        (say.format(*pairs[0]), say.format(*pairs[1])),
        lambda i, r: r.rstrip().endswith(pairs[i][0]) and not r.rstrip().endswith(pairs[i][1]),
    )


@kind("avoid a word", held_out=True)
def avoid(draw: Draw) -> Twin:
    what, who = draw.words("objects", 2), draw.words("people", 1)[0]
    ask = draw.phrase(
        "Suggest a present for " + who + ", but not the {}.",
        "What could " + who + " bring? Do not mention the {}.",
        who + " is tired of the {}. Suggest something else.",
    )
    say = draw.phrase("I suggest the {}.", "Perhaps the {}.", "The {} would be nice.")
    return Twin(each(ask, what[::-1]), each(say, what), lambda i, r: not has(r, what[1 - i]))
