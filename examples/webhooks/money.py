"""Amounts of money as whole numbers, which Python's decimals make without rounding."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from moonq.errors import Invalid

__all__ = ["minor_units"]

#: How many digits an amount has behind its point, by currency (ISO 4217).
DIGITS = {"EUR": 2, "JPY": 0, "KWD": 3, "USD": 2}


def minor_units(amount: str, currency: str) -> int:
    """Return *amount* in the smallest unit of its currency: 12.50 EUR are 1250."""
    if currency not in DIGITS:
        raise Invalid(f"no such currency here: {currency}")
    try:
        units = Decimal(amount).scaleb(DIGITS[currency])
    except InvalidOperation:
        raise Invalid(f"no amount: {amount}") from None
    if units != units.to_integral_value():
        raise Invalid(f"{amount} {currency} has too many digits behind its point")
    return int(units)
