"""Kinds that need knowledge: capitals, continents, colours, categories, units, translations, word forms, advice."""

from __future__ import annotations

from aar.testbeds.generators.chat_bank.twin import Draw, Twin, an, each, kind, names


@kind("capital")
def capital(draw: Draw) -> Twin:
    a, b = draw.rows("countries", 2)
    ask = draw.phrase(
        "What is the capital of {}?", "Which city is the capital of {}?", "I forgot {}'s capital. What is it called?"
    )
    say = draw.phrase("The capital is {}.", "It is {}.", "That would be {}, the seat of government.", "You mean {}.")
    return Twin(each(ask, (a[0], b[0])), each(say, (a[1], b[1])), names((a[1], b[1])))


@kind("country of a city")
def country(draw: Draw) -> Twin:
    a, b = draw.rows("countries", 2)
    ask = draw.phrase(
        "In which country is {}?", "A friend lives in {}. Which country is that in?", "Name the country around {}."
    )
    say = draw.phrase("It is in {}.", "That city is in {}.", "You will find it in {}.", "The country is {}.")
    return Twin(each(ask, (a[1], b[1])), each(say, (a[0], b[0])), names((a[0], b[0])))


@kind("continent")
def continent(draw: Draw) -> Twin:
    a, b = draw.rows("countries", 2, differ=2)
    ask = draw.phrase("On which continent does {} lie?", "Which continent is {} part of?", "Where in the world is {}?")
    say = draw.phrase("It lies in {}.", "That country belongs to {}.", "Look for it on a map of {}.")
    return Twin(each(ask, (a[0], b[0])), each(say, (a[2], b[2])), names((a[2], b[2])))


@kind("category")
def category(draw: Draw) -> Twin:
    a, b = draw.rows("things", 2, differ=1)
    ask = draw.phrase(
        "What kind of thing is '{}'?", "My child asks what '{}' is. What do I say?", "Say in general what '{}' is."
    )
    say = draw.phrase("It is {}.", "That is the name of {}.", "Put simply, it is {}.")
    return Twin(each(ask, (a[0], b[0])), each(say, (an(a[1]), an(b[1]))), names((a[1], b[1])))


@kind("example")
def example(draw: Draw) -> Twin:
    a, b = draw.rows("things", 2, differ=1)
    ask = draw.phrase("Give one example of {}.", "Name {}.", "I am looking for {}. Which one comes to mind?")
    say = draw.phrase("One example is the {}.", "The {}, for instance.", "How about the {}?")
    return Twin(each(ask, (an(a[1]), an(b[1]))), each(say, (a[0], b[0])), names((a[0], b[0])))


@kind("odd one out")
def odd_one(draw: Draw) -> Twin:
    rows = draw.rows("things", 3, differ=1)
    few, kinds = (rows[0][0], rows[1][0]), (rows[0][1], rows[1][1])
    text = f"{few[0]}, {few[1]}, {rows[2][0]}"
    ask = draw.phrase(
        "Which of these is {}: " + text + "?",
        "Pick {} from this list: " + text + ".",
        "Here are three words: " + text + ". Which means {}?",
    )
    say = draw.phrase("The {}.", "Of those three, the {}.", "I would pick the {}.")
    return Twin(each(ask, (an(kinds[0]), an(kinds[1]))), each(say, few), names(few))


@kind("colour", held_out=True)
def colour(draw: Draw) -> Twin:
    a, b = draw.rows("colours", 2, differ=1)
    ask = draw.phrase(
        "What colour is {}?", "I want to paint {}. Which colour do I need?", "Tell me the usual colour of {}."
    )
    say = draw.phrase("It is {}.", "Usually {}.", "Most people would call it {}.", "The colour is {}.")
    return Twin(each(ask, (an(a[0]), an(b[0]))), each(say, (a[1], b[1])), names((a[1], b[1])))


@kind("unit")
def unit(draw: Draw) -> Twin:
    a, b = draw.rows("measures", 2, differ=1)
    number = str(draw.rng.integers(2, 60))
    how = {
        "weighs": "How heavy is the {}?",
        "lasts": "How long does the {} last?",
        "reaches": "How tall is the {}?",
        "holds": "How much water fits in the {}?",
    }
    lead = draw.phrase("", "Give a rough figure. ", "Answer with one measure. ")
    say = draw.phrase(
        "About " + number + " {}.", "I guess roughly " + number + " {}.", "Around " + number + " {}, give or take."
    )
    return Twin(
        (lead + how[a[1]].format(a[0]), lead + how[b[1]].format(b[0])), each(say, (a[2], b[2])), names((a[2], b[2]))
    )


@kind("opposite")
def opposite(draw: Draw) -> Twin:
    a, b = draw.rows("opposites", 2)
    ask = draw.phrase(
        "What is the opposite of '{}'?",
        "Give me a word that means the reverse of '{}'.",
        "If it is not '{}', it is the contrary. Which word is that?",
    )
    say = draw.phrase("The opposite is '{}'.", "That is '{}'.", "The word you want is '{}'.")
    return Twin(each(ask, (a[0], b[0])), each(say, (a[1], b[1])), names((a[1], b[1])))


@kind("translation", held_out=True)
def translation(draw: Draw) -> Twin:
    a, b = draw.rows("words", 2)
    tongue = int(draw.rng.integers(3))
    ask = draw.phrase(
        "What does the {1} word '{0}' mean?",
        "I read '{0}' in a {1} text. What is that in English?",
        "Put the {1} '{0}' into English.",
    )
    say = draw.phrase("It means '{}'.", "That is '{}' in English.", "In English you say '{}'.")
    name = ("French", "Spanish", "German")[tongue]
    prompts = ask.format(a[1 + tongue], name), ask.format(b[1 + tongue], name)
    return Twin(prompts, each(say, (a[0], b[0])), names((a[0], b[0])))


@kind("profession")
def profession(draw: Draw) -> Twin:
    a, b = draw.rows("crafts", 2)
    ask = draw.phrase(
        "What does the {} deal with at work?",
        "What is the daily business of the {}?",
        "My uncle is the local {}. What is that about?",
    )
    say = draw.phrase("Mostly {}.", "The work is about {}.", "It has to do with {}.", "In that trade it is all {}.")
    return Twin(each(ask, (a[0], b[0])), each(say, (a[1], b[1])), names((a[1], b[1])))


CHATTER = (  # the same small talk in three languages, one line each: question, reply
    ("Où est votre {} ? Je ne le vois pas.", "Je pense que notre {} est dans la cuisine."),
    ("¿Dónde está tu {}? No lo veo aquí.", "Creo que nuestro {} está en la cocina."),
    ("Wo ist dein {}? Ich sehe ihn nicht.", "Ich glaube, unser {} ist in der Küche."),
)


@kind("reply language")
def reply_language(draw: Draw) -> Twin:
    i, j = (int(k) for k in draw.rng.permutation(3)[:2])
    row = draw.rows("words", 1)[0]
    lead = draw.phrase("", "Answer in the language of the message. ", "Same language, please. ")
    prompts = lead + CHATTER[i][0].format(row[1 + i]), lead + CHATTER[j][0].format(row[1 + j])
    keys = row[1 + i], row[1 + j]
    return Twin(prompts, (CHATTER[i][1].format(keys[0]), CHATTER[j][1].format(keys[1])), names(keys))


@kind("on topic")
def topic(draw: Draw) -> Twin:
    a, b = draw.rows("topics", 2)
    ask = draw.phrase(
        "I need a tip about {}.",
        "Do you know anything useful about {}?",
        "What should a beginner know about {}?",
        "Share your best advice on {}.",
    )
    say = draw.phrase("{}", "Sure. {}", "One thing helps: {}", "Here is mine. {}")
    return Twin(each(ask, (a[0], b[0])), each(say, (a[1], b[1])), names((a[1], b[1])))


@kind("explain the tip", held_out=True)
def which_topic(draw: Draw) -> Twin:
    a, b = draw.rows("topics", 2)
    return Twin(
        each("What is this advice about? {}", (a[1], b[1])), each("It is about {}.", (a[0], b[0])), names((a[0], b[0]))
    )
