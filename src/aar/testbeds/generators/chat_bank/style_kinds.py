"""Kinds about the form of a reply: tone, register, tense, the first word, a wanted word or name."""

from __future__ import annotations

from aar.testbeds.generators.chat_bank.twin import Draw, Twin, each, has, kind, names

KIND_WORDS = ("please", "grateful", "kindly", "thank you")
HARSH_WORDS = ("idiot", "at once", "shut up", "fed up", "useless")
CASUAL_WORDS = ("hey", "gonna", "wanna", "dude", "yeah")


@kind("tone", held_out=True)
def tone(draw: Draw) -> Twin:
    who, what = draw.words("people", 1)[0], draw.words("objects", 1)[0]
    ask = draw.phrase(
        f"Ask {who} for the {what} in a {{}} way.",
        f"Write a {{}} message: {who} must return the {what}.",
        f"Be {{}} and tell {who} to give back the {what}.",
    )
    nice = draw.phrase(
        "{0}, could you please give me the {1}?",
        "{0}, I would be grateful for the {1}.",
        "{0}, thank you for bringing back the {1}.",
        "{0}, kindly let me have the {1}.",
    )
    rude = draw.phrase(
        "{0}, hand over the {1}, you idiot.",
        "{0}, I want the {1} at once.",
        "{0}, you useless fool, where is the {1}?",
        "{0}, shut up and give me the {1}.",
    )
    words = draw.pick(("polite", "courteous", "friendly")), draw.pick(("rude", "hostile", "nasty"))
    return Twin(
        each(ask, words),
        (nice.format(who, what), rude.format(who, what)),
        lambda i, r: any(has(r, w) for w in (KIND_WORDS, HARSH_WORDS)[i]),
    )


@kind("register")
def register(draw: Draw) -> Twin:
    who, town = draw.words("people", 1)[0], draw.words("towns", 1)[0]
    ask = draw.phrase(
        f"In {{}} language, tell {who} that we travel to {town}.",
        f"Tell {who} in {{}} English about our trip to {town}.",
        f"Write to {who} about {town} and sound {{}}.",
    )
    formal = draw.phrase(
        "Dear {0}, we wish to inform you of our journey to {1}.",
        "Dear {0}, it is our intention to travel to {1}.",
        "Dear {0}, we shall proceed to {1} shortly.",
    )
    casual = draw.phrase(
        "Hey {0}, we're gonna go to {1}!",
        "Yeah {0}, off to {1} we go, wanna come?",
        "Dude {0}, we're so heading to {1}!",
    )
    words = draw.pick(("formal", "official")), draw.pick(("casual", "slang"))
    return Twin(
        each(ask, words),
        (formal.format(who, town), casual.format(who, town)),
        lambda i, r: any(has(r, w) for w in CASUAL_WORDS) == bool(i),
    )


@kind("tense")
def tense(draw: Draw) -> Twin:
    who, verb, what = draw.words("people", 1)[0], draw.rows("verbs", 1)[0], draw.words("objects", 1)[0]
    ask = draw.phrase(
        f"{{0}}, {who} and the {what}: what happen{{1}}? Use '{verb[0]}'.",
        f"Say what {who} {{2}} with the {what} {{3}}.",
        f"Make a sentence about {who} and the {what} {{3}}.",
    )
    times = draw.pick(("last week", "yesterday", "a year ago")), draw.pick(("next week", "tomorrow", "a year from now"))
    past = ask.format(times[0].capitalize(), "ed", "did", times[0])
    future = ask.format(times[1].capitalize(), "s", "will do", times[1])
    return Twin(
        (past, future),
        (f"{who} {verb[1]} the {what}.", f"{who} will {verb[0]} the {what}."),
        lambda i, r: has(r, "will") == bool(i),
    )


@kind("first word")
def first_word(draw: Draw) -> Twin:
    pair, who = draw.words("objects", 2), draw.words("people", 1)[0]
    ask = draw.phrase(
        "Begin your reply with the word '{}'.",
        "The first word of your answer must be '{}'.",
        "Your reply has to start with '{}'.",
    )
    say = draw.phrase(
        "{} is my word, and " + who + " likes it.",
        "{} was the thing " + who + " wanted.",
        "{} reminds me of " + who + ".",
    )
    firsts = (pair[0].capitalize(), pair[1].capitalize())
    return Twin(each(ask, firsts), each(say, firsts), lambda i, r: r.startswith(firsts[i] + " "))


@kind("use a word")
def use_word(draw: Draw) -> Twin:
    pair, who, town = draw.words("objects", 2), draw.words("people", 1)[0], draw.words("towns", 1)[0]
    ask = draw.phrase(
        "Make a sentence with the word '{}'.",
        "Tell me a little story about the {}.",
        "Write one line that mentions the {}.",
        "I want to hear about the {}.",
    )
    say = draw.phrase(
        f"{who} found the {{}} in {town}.",
        f"The {{}} of {who} is famous in {town}.",
        f"{who} went to {town} to buy the {{}}.",
    )
    return Twin(each(ask, pair), each(say, pair), lambda i, r: has(r, pair[i]))


@kind("address by name")
def greet(draw: Draw) -> Twin:
    who, what = draw.words("people", 2), draw.words("objects", 1)[0]
    ask = draw.phrase(
        "{} has a birthday. Write a card.",
        "Please invite {} to the party.",
        "Thank {} for the help.",
        "Say goodbye to {}.",
    )
    say = draw.phrase(
        f"Dear {{}}, here is the {what} for you.",
        f"{{}}, you get the {what} from all of us.",
        f"We bring you the {what}, {{}}.",
    )
    return Twin(each(ask, who), each(say, who), names(who))
