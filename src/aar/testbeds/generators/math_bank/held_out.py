"""The templates of the out-of-distribution test: no training item uses them."""

from __future__ import annotations

from aar.testbeds.generators.math_bank.solution import Template

T = Template

HELD_OUT: tuple[Template, ...] = (
    T("interest", "{A} lends {a} dollars at {b} percent a year. What interest is due after {c} years?",
      "One percent is [a / 100]. A year adds [s1 * b]. All years: [s2 * c]. The interest is [=] dollars.",
      "a=100..900 b=2..9 c=2..6", lambda a, b, c: a * b * c / 100, "dollars years percent"),
    T("pipes", "Two pipes fill {a} and {b} litres a minute. How long for {c} litres?",
      "Together: [a + b] litres. Time: [c / s1]. It takes [=] minutes.",
      "a=3..30 b=3..30 c=60..600", lambda a, b, c: c / (a + b), "minutes litres"),
    T("map scale", "1 cm on a map is {a} km. How far is it for {b} cm there and back?",
      "One way: [b * a] km. Both: [s1 * 2]. It is [=] km.",
      "a=2..25 b=3..30", lambda a, b: 2 * a * b, "km cm"),
    T("temperature", "It is {a} degrees. It rises {b} by noon and falls {c} by night. How warm is that?",
      "At noon: [a + b]. At night: [s1 - c]. It is [=] degrees.",
      "a=5..30 b=4..20 c=3..25", lambda a, b, c: a + b - c),
    T("polygon", "A shape has {a} sides of {b} cm, a square of {c} cm. How long are all sides?",
      "The shape: [a * b]. The square: [c * 4]. Both: [s1 + s2]. They are [=] cm long.",
      "a=3..12 b=3..20 c=3..30", lambda a, b, c: a * b + 4 * c, "cm sides"),
    T("exchange", "{A} swaps {a} {x} for {b} {y} each and loses {c} {y}. How many remain?",
      "The swap gives [a * b]. After the loss: [s1 - c]. There are [=] {y}.",
      "a=4..20 b=2..9 c=3..30", lambda a, b, c: a * b - c, "{y} {x}"),
    T("consecutive", "Three numbers in a row add up to {a}. What is the largest?",
      "The middle one is [a / 3]. The next one is [s1 + 1]. The largest is [=].",
      "a=30..600", lambda a: a / 3 + 1),
    T("seconds", "{A} plays a song of {a} minutes {b} times. How many seconds is that?",
      "One time: [a * 60]. All times: [s1 * b]. It takes [=] seconds.",
      "a=2..9 b=2..9", lambda a, b: a * 60 * b, "seconds minutes times"),
    T("fence posts", "A fence of {a} m has posts every {b} m and at both ends. How many?",
      "Gaps: [a / b]. One post more: [s1 + 1]. There are [=] posts.",
      "a=20..240 b=2..12", lambda a, b: a / b + 1, "posts m gaps"),
    T("two workers", "{A} makes {a} {x} an hour, {B} {b}. How many in {c} hours?",
      "Each hour: [a + b]. All hours: [s1 * c]. They make [=] {x}.",
      "a=3..20 b=3..20 c=2..9", lambda a, b, c: (a + b) * c, "{x} hours"),
)  # fmt: skip
