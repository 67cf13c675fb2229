"""Functions that call themselves."""

# Plain loops, as people write them, and types only where test inputs come from them.
# mypy: ignore-errors
# ruff: noqa: RUF005
from aar.testbeds.generators.code_bank.inputs import Count, Int, Ints, Letter, Nested, Positive, Size, Word


def factorial(n: Count):
    """Return the factorial of n."""
    if n <= 1:
        return 1
    return n * factorial(n - 1)


def fibonacci(n: Count):
    """Return the n-th Fibonacci number, counting from 0 and 1."""
    if n < 2:
        return n
    return fibonacci(n - 1) + fibonacci(n - 2)


def power(n: Int, k: Count):
    """Return n to the power k by repeated squaring."""
    if k == 0:
        return 1
    half = power(n, k // 2)
    if k % 2 == 0:
        return half * half
    return half * half * n


def sum_recursive(numbers: Ints):
    """Return the sum of numbers by recursion."""
    if not numbers:
        return 0
    return numbers[0] + sum_recursive(numbers[1:])


def reverse_recursive(word: Word):
    """Reverse word by recursion."""
    if len(word) <= 1:
        return word
    return reverse_recursive(word[1:]) + word[0]


def gcd_recursive(n: Int, m: Int):
    """Return the greatest common divisor of n and m by recursion."""
    if m == 0:
        return n
    return gcd_recursive(m, n % m)


def palindrome_recursive(word: Word):
    """Check by recursion whether word is a palindrome."""
    if len(word) < 2:
        return True
    if word[0] != word[-1]:
        return False
    return palindrome_recursive(word[1:-1])


def count_down(n: Count):
    """List the numbers from n down to 1."""
    if n == 0:
        return []
    return [n] + count_down(n - 1)


def grid_paths(m: Size, n: Size):
    """Count the paths from the corner of an m by n grid that go only right or down."""
    if m == 0 or n == 0:
        return 1
    return grid_paths(m - 1, n) + grid_paths(m, n - 1)


def digits_recursive(n: Int):
    """Count the decimal digits of n by recursion."""
    if n < 10:
        return 1
    return 1 + digits_recursive(n // 10)


def max_recursive(numbers: Positive):
    """Return the largest of numbers by recursion."""
    if len(numbers) == 1:
        return numbers[0]
    return max(numbers[0], max_recursive(numbers[1:]))


def binomial(n: Count, k: Count):
    """Return the number of ways to choose k of n things."""
    if k > n:
        return 0
    if k == 0 or k == n:
        return 1
    return binomial(n - 1, k - 1) + binomial(n - 1, k)


def subset_sum(numbers: Positive, k: Int):
    """Check whether some of numbers add up to k."""
    if k == 0:
        return True
    if not numbers or k < 0:
        return False
    return subset_sum(numbers[1:], k) or subset_sum(numbers[1:], k - numbers[0])


def hanoi_moves(n: Count):
    """Return the number of moves that solve the tower of Hanoi with n disks."""
    if n == 0:
        return 0
    return 2 * hanoi_moves(n - 1) + 1


def count_ways(n: Count):
    """Count the ways to climb n stairs in steps of 1 or 2."""
    if n <= 1:
        return 1
    return count_ways(n - 1) + count_ways(n - 2)


def replace_recursive(word: Word, letter: Letter):
    """Replace every letter in word by a star, by recursion."""
    if word == "":
        return ""
    first = "*" if word[0] == letter else word[0]
    return first + replace_recursive(word[1:], letter)


def total_nested(rows: Nested):
    """Add up all numbers in the nested list rows."""
    total = 0
    for x in rows:
        total += total_nested(x) if isinstance(x, list) else x
    return total


def binary_recursive(n: Int):
    """Return the binary digits of n by recursion."""
    if n < 2:
        return str(n)
    return binary_recursive(n // 2) + str(n % 2)


def partitions(n: Size, k: Count):
    """Count the ways to write n as a sum of parts of at most k."""
    if n == 0:
        return 1
    if n < 0 or k == 0:
        return 0
    return partitions(n - k, k) + partitions(n, k - 1)


def permutations(word: Word):
    """List all orders of the first three letters of word."""
    if len(word) <= 1:
        return [word]
    result = []
    for i in range(min(3, len(word))):
        for rest in permutations(word[:i] + word[i + 1 : 3]):
            result.append(word[i] + rest)
    return result
