"""Input pools for the bank: a parameter's annotation names the pool its test inputs come from.

Every pool holds ordinary and edge values; an input on which the original raises is not used.
"""

from __future__ import annotations

from typing import Any

Int = Count = Size = Year = Minutes = int
Word = Text = Letter = Bits = Clock = Brackets = str
Flag = bool
Ints = Sorted = Positive = list[int]
Words = Tokens = list[str]
Flags = list[bool]
Scores = dict[str, int]
Pairs = list[tuple[str, int]]
Spans = Edges = list[tuple[int, int]]
Linked = dict[str, Any] | None
Tree = tuple[Any, int, Any] | None
Nested = list[list[int]]
Matrix = list[list[int]]
Date = tuple[int, int, int]
Price = float


def _linked(*values: int) -> dict[str, Any] | None:
    node: Linked = None
    for value in reversed(values):
        node = {"value": value, "next": node}
    return node


POOLS: dict[str, list[Any]] = {
    "Int": [0, 1, 2, 3, 4, 5, 7, 8, 10, 12, 15, 25, 27, 36, 97, 100, 153, 365, 1001, 1234],
    "Count": [1, 2, 3, 4, 5, 6, 7, 9, 10, 12],
    "Size": [1, 2, 2, 3, 3, 4],
    "Price": [0.5, 1.0, 3.0, 10.0, 12.5, 19.75, 40.0, 99.0, 100.0, 250.0],
    "Word": ["level", "a", "banana", "Hello", "xyz", "noon", "mississippi", "Tree", "code", "apple", "oxygen", "abba"],
    "Text": [
        "the cat sat on the mat", "Hello, World 42", "one", "a b  c", "To be or not to be", "x=1;y=22;z=3",
        "Never odd or even", "3 blind mice, 3 tails", "UPPER and lower", "key: value", "aaabbbccd", "red,green,,blue",
    ],
    "Letter": ["a", "e", "l", "t", "o", " ", "b", "p"],
    "Bits": ["0", "1", "101", "1100", "11111", "10010", "000", "0111", "1000001"],
    "Clock": ["00:00", "09:30", "12:00", "23:59", "07:05", "18:45", "12:30", "01:15"],
    "Ints": [
        [], [5], [3, 1, 2], [4, 4, 4], [-2, 7, 0, -5], [1, 2, 3, 4, 5], [9, 8, 7, 1], [2, 2, 3, 3, 3, 1],
        [10, -10, 10], [0, 0, 1], [6, 3, 8, 2, 7, 4], [1, 5, 2, 5, 1], [-1, -2, -3], [12, 5, 20, 5],
    ],
    "Positive": [[5], [3, 1, 2], [4, 4, 4], [1, 2, 3, 4, 5], [9, 8, 7, 1], [6, 3, 8, 2, 7, 4], [10, 2], [1, 5, 2, 5, 1]],
    "Sorted": [
        [], [5], [1, 2, 3], [1, 3, 5, 7, 9, 12], [2, 2, 4, 4, 4], [-5, -1, 0, 3, 8], [0, 10], [1, 1, 2, 3, 5, 8], [3, 4, 7, 10],
    ],
    "Words": [
        [], ["one"], ["pear", "fig", "apple"], ["b", "a", "c", "a"], ["red", "Blue", "red"], ["abc", "cab", "bca", "xyz"],
        ["to", "be", "or", "not", "to", "be"], ["", "x", "yy", "zzz"], ["cat", "horse", "ox", "zebra"],
    ],
    "Flags": [[], [True], [False], [True, True, False], [False, True, True, True], [True, False, True, True, False]],
    "Scores": [
        {}, {"a": 1}, {"ann": 3, "bob": 7, "cat": 5}, {"x": 2, "y": 2}, {"a": 1, "b": -4, "c": 9, "d": 0},
        {"ann": 10, "x": 4}, {"bob": 5, "a": 6, "z": 6}, {"pear": 0, "fig": 12},
    ],
    "Pairs": [
        [], [("a", 1)], [("x", 2), ("y", 5), ("x", 3)], [("ann", 4), ("bob", 9), ("cat", 4)],
        [("b", 0), ("a", 7), ("b", -2)], [("k", 1), ("k", 2), ("k", 3)], [("p", 10), ("q", 3), ("r", 6), ("p", 1)],
    ],
    "Spans": [
        [], [(1, 3)], [(1, 4), (3, 6)], [(0, 2), (5, 9), (2, 5)], [(1, 10), (2, 3), (4, 12)], [(2, 2), (0, 7)],
        [(1, 2), (3, 4), (5, 6)], [(4, 8), (1, 5), (7, 9)],
    ],
    "Nested": [[], [[1]], [[1, 2], [3]], [[], [4, 5, 6]], [[7], [8, 9], []], [[3, 1], [2, 2], [0]], [[5, -1], [6, 10, 2]]],
    "Matrix": [
        [[1]], [[1, 2], [3, 4]], [[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[2, 0], [0, 2]], [[1, 2, 3], [2, 5, 6], [3, 6, 9]],
        [[5, -1, 0], [2, 2, 7], [1, 8, 3]], [[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[4, 9], [9, 1]], [[3, 0, 4], [0, 0, 1], [2, 5, 0]],
    ],
    "Year": [1900, 1996, 2000, 2001, 2023, 2024, 1600, 1800, 2100],
    "Minutes": [0, 5, 59, 60, 61, 125, 600, 719, 1439],
    "Flag": [True, False],
    "Brackets": ["", "()", "(()", "())", "a(b(c)d)", ")(", "(()())", "((x)", "((()))", "(a)(b)"],
    "Tokens": [
        ["3"], ["1", "2", "+"], ["5", "2", "-"], ["9", "1", "-", "4", "+"], ["2", "3", "4", "+", "-"], ["7", "7", "-", "1", "-"],
        ["a", "-", "-", "b"],
    ],
    "Edges": [[], [(1, 2)], [(1, 2), (2, 3), (3, 4)], [(2, 1), (1, 2), (1, 3)], [(3, 3), (4, 1), (2, 4)], [(1, 4), (4, 2), (3, 1)]],
    "Linked": [None, _linked(4), _linked(1, 2, 3), _linked(5, 5), _linked(9, -2, 7, 3), _linked(2, 6, 10)],
    "Tree": [
        None, (None, 5, None), ((None, 2, None), 4, (None, 7, None)), (None, 1, (None, 3, (None, 9, None))),
        (((None, 1, None), 2, None), 6, ((None, 7, None), 9, (None, 12, None))), ((None, 3, None), 5, None),
    ],
    "Date": [
        (2024, 2, 29), (2023, 1, 1), (1999, 12, 31), (2000, 3, 15), (2021, 7, 4), (1900, 2, 28), (2024, 6, 30), (2020, 11, 9),
    ],
}  # fmt: skip
"""Pool name -> values. Written out, so that two builds see the same inputs."""
