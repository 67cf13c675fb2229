"""Functions about money, units, grades, games and codes."""

# Plain loops, as people write them, and types only where test inputs come from them.
# mypy: ignore-errors
from aar.testbeds.generators.code_bank.inputs import Count, Int, Ints, Pairs, Positive, Price, Scores, Size, Word, Words


def discount(price: Price, n: Count):
    """Return price times n, with 10 percent off from 5 pieces on."""
    total = price * n
    if n >= 5:
        total = total * 0.9
    return total


def shipping(price: Price):
    """Return the shipping cost: free from a price of 40 on, else 5."""
    if price >= 40:
        return 0
    return 5


def to_fahrenheit(n: Int):
    """Convert n degrees Celsius to Fahrenheit."""
    return n * 9 / 5 + 32


def to_celsius(n: Int):
    """Convert n degrees Fahrenheit to Celsius."""
    return (n - 32) * 5 / 9


def grade(n: Int):
    """Return 'A' from 90 points on, 'B' from 75, 'C' from 50, else 'F'."""
    if n >= 90:
        return "A"
    if n >= 75:
        return "B"
    if n >= 50:
        return "C"
    return "F"


def count_coins(n: Int):
    """Count the coins of 25, 10, 5 and 1 cents that make n cents, larger coins first."""
    count = 0
    for coin in (25, 10, 5, 1):
        count += n // coin
        n = n % coin
    return count


def compound(price: Price, n: Count):
    """Return what price grows to in n years at 5 percent interest."""
    for _ in range(n):
        price = price * 1.05
    return price


def income_tax(n: Int):
    """Return the tax on n: nothing up to 100, then 20 percent of the rest."""
    if n <= 100:
        return 0
    return (n - 100) * 0.2


def split_bill(price: Price, n: Count):
    """Return what each of n people pays for price plus a tip of 10 percent."""
    total = price + price * 0.1
    return round(total / n, 2)


def cart_total(pairs: Pairs, scores: Scores):
    """Add up quantity times unit price for pairs, with unit prices in scores."""
    total = 0
    for name, quantity in pairs:
        total += quantity * scores.get(name, 1)
    return total


def to_roman(n: Count):
    """Return n as a Roman numeral, for n below 40."""
    result = ""
    for value, letters in ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")):
        while n >= value:
            result += letters
            n -= value
    return result


def luhn_sum(numbers: Positive):
    """Add up numbers, doubling every second one and subtracting 9 from doubles above 9."""
    total = 0
    for i, x in enumerate(numbers):
        if i % 2 == 1:
            x = x * 2
            if x > 9:
                x -= 9
        total += x
    return total


def best_profit(numbers: Positive):
    """Return the best profit from buying at one of the prices in numbers and selling later."""
    best, low = 0, numbers[0]
    for x in numbers:
        low = min(low, x)
        best = max(best, x - low)
    return best


def water_trapped(numbers: Positive):
    """Return how much rain stays between the bars of heights numbers."""
    total = 0
    for i in range(len(numbers)):
        level = min(max(numbers[: i + 1]), max(numbers[i:]))
        total += level - numbers[i]
    return total


def letter_score(word: Word):
    """Score word with 3 points for each vowel and 1 for each other letter."""
    score = 0
    for ch in word.lower():
        score += 3 if ch in "aeiou" else 1
    return score


def vote_winner(words: Words):
    """Return the name with more than half of the votes in words, or None."""
    for name in words:
        if words.count(name) * 2 > len(words):
            return name
    return None


def seats_left(n: Int, numbers: Positive):
    """Return the free seats after groups of sizes numbers took seats while they fit into n."""
    for x in numbers:
        if x <= n:
            n -= x
    return n


def dice_score(numbers: Positive):
    """Add up numbers, where a value that equals the one before counts double."""
    total = numbers[0]
    for i in range(1, len(numbers)):
        total += numbers[i]
        if numbers[i] == numbers[i - 1]:
            total += numbers[i]
    return total


def password_ok(word: Word, k: Count):
    """Check that word has at least k letters and an upper case first letter."""
    return len(word) >= k and word[0].isupper()


def pages_needed(n: Int, k: Count):
    """Return how many pages of k lines n lines need."""
    pages = n // k
    if n % k > 0:
        pages += 1
    return pages


def checkout_time(numbers: Ints, k: Size):
    """Return when the last of k tills is free after serving numbers, each at the earliest free till."""
    tills = [0] * k
    for x in numbers:
        tills[tills.index(min(tills))] += x
    return max(tills)


def drop_extremes(numbers: Positive):
    """Return the mean of numbers without the lowest and the highest one."""
    ordered = sorted(numbers)[1:-1]
    return sum(ordered) / len(ordered)
