"""Functions on clock times and calendar dates. Held out of training."""

# Plain loops, as people write them, and types only where test inputs come from them.
# mypy: ignore-errors
from aar.testbeds.generators.code_bank.inputs import Clock, Count, Date, Flag, Int, Minutes, Spans, Year


def is_leap_year(year: Year):
    """Check whether year is a leap year."""
    if year % 400 == 0:
        return True
    return year % 4 == 0 and year % 100 != 0


def days_in_month(month: Count, leap: Flag):
    """Return the number of days of month, given whether the year is a leap year."""
    if month == 2:
        return 29 if leap else 28
    if month in (4, 6, 9, 11):
        return 30
    return 31


def clock_to_minutes(clock: Clock):
    """Convert clock, like 09:30, to minutes since midnight."""
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def minutes_to_clock(minutes: Minutes):
    """Convert minutes since midnight to a clock time like 09:30."""
    hours = minutes // 60 % 24
    return f"{hours:02d}:{minutes % 60:02d}"


def minutes_between(start: Minutes, end: Minutes):
    """Return the minutes from start to end, past midnight if end is earlier."""
    if end < start:
        end += 24 * 60
    return end - start


def day_of_year(month: Count, day: Count):
    """Return the day of the year for month and day, where all months have 30 days."""
    total = day
    for _ in range(1, month):
        total += 30
    return total


def earlier_date(date: Date, other: Date):
    """Return the earlier of date and other, which are (year, month, day)."""
    if date < other:
        return date
    return other


def age(birth: Date, today: Date):
    """Return the age in years on today of someone born on birth, both (year, month, day)."""
    years = today[0] - birth[0]
    if today[1:] < birth[1:]:
        years -= 1
    return years


def weekday_after(day: Count, n: Int):
    """Return the weekday number from 0 to 6 that is n days after weekday day."""
    return (day + n) % 7


def is_weekend(day: Count):
    """Check whether day is 6 or 7, counting from Monday as 1 and repeating every 7 days."""
    day = (day - 1) % 7 + 1
    return day >= 6


def format_date(date: Date):
    """Format date, which is (year, month, day), as day.month.year."""
    year, month, day = date
    return f"{day}.{month}.{year}"


def format_seconds(n: Int):
    """Format n seconds as minutes and seconds like 2m 5s."""
    minutes, seconds = n // 60, n % 60
    return f"{minutes}m {seconds}s"


def total_hours(spans: Spans):
    """Add up the lengths of all shifts in spans, given as start and end hours."""
    total = 0
    for start, end in spans:
        total += end - start
    return total


def next_month(year: Year, month: Count):
    """Return the year and month that follow month of year."""
    if month == 12:
        return year + 1, 1
    return year, month + 1


def century(year: Year):
    """Return the century of year, where 1900 is in the 19th."""
    return (year - 1) // 100 + 1


def count_leap_years(year: Year, n: Count):
    """Count the years divisible by 4 among the n years from year on."""
    count = 0
    for y in range(year, year + n):
        if y % 4 == 0:
            count += 1
    return count


def to_twelve_hours(clock: Clock):
    """Return the hour of clock, like 18:45, on a twelve hour dial with its half of the day."""
    hour = int(clock[:2])
    half = "am" if hour < 12 else "pm"
    return str(hour % 12 or 12) + half
