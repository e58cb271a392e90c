"""Numbers of bytes as people read them."""

from __future__ import annotations

_UNITS = ("KB", "MB", "GB", "TB")


def size_text(size: int) -> str:
    """`0 bytes`, `4 KB`, `412 MB`, `1.5 GB`: in powers of 1000, and with one decimal below ten."""
    if size < 1000:
        return f"{size} bytes"
    value, units = size / 1000, iter(_UNITS)
    unit = next(units)
    while round(value) >= 1000 and unit != _UNITS[-1]:
        value, unit = value / 1000, next(units)
    return f"{value:.1f} {unit}" if value < 10 and round(value, 1) != round(value) else f"{value:.0f} {unit}"
