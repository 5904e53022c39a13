"""Products and quotients of int64 that must not leave it."""

from state.compiling import compiled_inside


@compiled_inside
def part(whole: int, numerator: int, denominator: int) -> int:
    """whole × numerator // denominator, for numerator ≤ denominator < 3 × 10⁹: without the product."""
    return whole // denominator * numerator + whole % denominator * numerator // denominator
