"""The value of a cell as a person reads it: never a digit that the workbook does not show."""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

# Excel keeps 15 digits of a number; what had more was cut when it was typed in.
_KEPT = 10**15


def shown(value: Any) -> str:
    """Text as it stands, numbers without noise, dates in ISO form; numbers cut short as 1.2E+15."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
        return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return "" if value is None else str(value)  # dates and times say ISO themselves


def _number(value: float) -> str:
    if value == int(value) and abs(value) < _KEPT:
        return str(int(value))
    if abs(value) >= _KEPT:
        digits, _e, power = f"{value:.14E}".partition("E")
        digits = digits.rstrip("0")
        return f"{digits}{'0' if digits.endswith('.') else ''}E{power}"
    # 15 digits are what the workbook has; the rest is how computers keep fractions.
    return f"{Decimal(f'{value:.15g}'):f}"


@dataclass(frozen=True)
class Format:
    """A number format that shows other characters than the plain number."""

    # "00000" and the like: digits and signs, from which a whole number is filled up.
    mask: str = ""
    percent: bool = False

    def shown(self, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return shown(value)
        if self.percent:
            return f"{_number(value * 100)}%"
        if value < 0 or value != int(value) or value >= _KEPT:
            return shown(value)
        digits, filled = str(int(value)), []
        for sign in reversed(self.mask):
            if sign != "\0":
                filled.append(sign)
            else:
                filled.append(digits[-1] if digits else "0")
                digits = digits[:-1]
        return digits + "".join(reversed(filled))


def formats_of(styles: Element | None) -> dict[int, Format | None]:
    """{number of a cell's style: its format, where it shows more than the number}."""
    if styles is None:
        return {}
    codes = {9: "0%", 10: "0.00%"}  # those that have no name in the file
    for element in styles.iter():
        if element.tag.endswith("}numFmt") and (element.get("numFmtId") or "").isdigit():
            codes[int(element.get("numFmtId") or 0)] = element.get("formatCode") or ""
    for element in styles:
        if element.tag.endswith("}cellXfs"):
            numbers = [form.get("numFmtId") or "0" for form in element]
            return {
                index: _format(codes.get(int(number), ""))
                for index, number in enumerate(numbers)
                if number.isdigit()
            }
    return {}


def _format(code: str) -> Format | None:
    """The format of a code such as 00000, 0000-0000 or 0.0%; None for all that are no mask."""
    first = code.partition(";")[0]
    bare = re.sub(r'"[^"]*"|\\.|_.|\*.', "", first)
    if "%" in bare:
        return Format(percent=True)
    mask = ""
    for quoted, escaped, hidden, sign in re.findall(
        r'"([^"]*)"|\\(.)|([_*].|\[[^\]]*\])|(.)', first
    ):
        if quoted or escaped:
            mask += quoted or escaped
        elif hidden:
            continue
        elif sign == "0":
            mask += "\0"
        elif sign in "- /()":
            mask += sign
        elif sign == "#" and "\0" not in mask:
            continue
        else:
            return None
    return Format(mask=mask) if mask.count("\0") >= 2 else None
