"""Functions on whole numbers."""

# Plain loops, as people write them, and types only where test inputs come from them.
# mypy: ignore-errors
# ruff: noqa: SIM110
from aar.testbeds.generators.code_bank.inputs import Count, Int


def is_prime(n: Int):
    """Check whether n is a prime number."""
    if n < 2:
        return False
    for i in range(2, n):
        if n % i == 0:
            return False
    return True


def gcd(n: Int, m: Int):
    """Return the greatest common divisor of n and m."""
    while m:
        n, m = m, n % m
    return n


def lcm(n: Count, m: Count):
    """Return the least common multiple of n and m."""
    x = n
    while x % m != 0:
        x += n
    return x


def digit_sum(n: Int):
    """Return the sum of the decimal digits of n."""
    total = 0
    while n > 0:
        total += n % 10
        n //= 10
    return total


def reverse_digits(n: Int):
    """Return the number with the decimal digits of n reversed."""
    result = 0
    while n > 0:
        result = result * 10 + n % 10
        n //= 10
    return result


def factorial_loop(n: Count):
    """Return the product of all numbers from 1 to n."""
    result = 1
    for i in range(2, n + 1):
        result *= i
    return result


def divisors(n: Int):
    """List all divisors of n in ascending order."""
    result = []
    for i in range(1, n + 1):
        if n % i == 0:
            result.append(i)
    return result


def is_perfect(n: Int):
    """Check whether the proper divisors of n add up to n."""
    total = 0
    for i in range(1, n):
        if n % i == 0:
            total += i
    return total == n


def collatz_steps(n: Count):
    """Count the Collatz steps from n down to 1."""
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def integer_sqrt(n: Int):
    """Return the largest whole number whose square is at most n."""
    root = 0
    while (root + 1) * (root + 1) <= n:
        root += 1
    return root


def fibonacci_loop(n: Count):
    """Return the n-th Fibonacci number, where the first two are 1."""
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def sum_of_squares(n: Count):
    """Return the sum of the squares of the numbers from 1 to n."""
    total = 0
    for i in range(1, n + 1):
        total += i**2
    return total


def count_digit(n: Int, k: Count):
    """Count how often the digit k occurs in n."""
    count = 0
    for ch in str(n):
        if int(ch) == k:
            count += 1
    return count


def prime_factors(n: Int):
    """List the prime factors of n in ascending order, with repeats."""
    result, p = [], 2
    while n > 1:
        while n % p == 0:
            result.append(p)
            n //= p
        p += 1
    return result


def power_of_two(n: Int):
    """Check whether n is a power of two."""
    if n < 1:
        return False
    while n % 2 == 0:
        n //= 2
    return n == 1


def to_binary(n: Int):
    """Return the binary digits of n as a string."""
    if n == 0:
        return "0"
    result = ""
    while n > 0:
        result = str(n % 2) + result
        n //= 2
    return result


def count_multiples(n: Int, k: Count):
    """Count the multiples of k from 1 up to n."""
    count = 0
    for i in range(1, n + 1):
        if i % k == 0:
            count += 1
    return count


def is_triangle(x: Count, y: Count, z: Count):
    """Check whether a triangle with sides x, y and z exists."""
    return x + y > z and x + z > y and y + z > x


def sign(n: Int, m: Int):
    """Return 1 if n exceeds m, -1 if it is less, and 0 if they are equal."""
    if n > m:
        return 1
    if n < m:
        return -1
    return 0


def power_mod(n: Int, k: Count, m: Count):
    """Return n to the power k, modulo m."""
    result = 1
    for _ in range(k):
        result = result * n % m
    return result % m


def nearest_multiple(n: Int, k: Count):
    """Round n up to the next multiple of k."""
    if n % k == 0:
        return n
    return n + k - n % k


def is_armstrong(n: Int):
    """Check whether the cubes of the digits of n add up to n."""
    total = 0
    for ch in str(n):
        total += int(ch) ** 3
    return total == n


def fizz_buzz(n: Int):
    """Return 'Fizz' for multiples of 3, 'Buzz' for multiples of 5, 'FizzBuzz' for both, else n."""
    result = ""
    if n % 3 == 0:
        result += "Fizz"
    if n % 5 == 0:
        result += "Buzz"
    return result or str(n)


def median_of_three(x: Int, y: Int, z: Int):
    """Return the middle one of x, y and z."""
    return x + y + z - max(x, y, z) - min(x, y, z)
