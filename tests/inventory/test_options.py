"""The options of a variant, as people write them."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from inventory.admin.forms import OptionsField, as_lines


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", {}),
        ("Size: M", {"Size": "M"}),
        (" Size :M \n\nRatio: 16:9 ", {"Size": "M", "Ratio": "16:9"}),
        ('{"Size": "M", "Count": 3}', {"Size": "M", "Count": 3}),
        ("{}", {}),
    ],
)
def test_options_are_written_one_a_line_or_pasted(text: str, options: dict[str, Any]) -> None:
    assert OptionsField(required=False).clean(text) == options


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Size", "Line 1, “Size”, is no option. Write it like this: Size: M"),
        ("Size: M\nColour:", "Line 2, “Colour:”, is no option. Write it like this: Size: M"),
        ("Size: M\nSize: L", "“Size” stands there twice. Give each option one value."),
        ("{Size", "This is no JSON object. Write one option a line instead, such as Size: M"),
        ('{"Size": ["M"]}', "The value of an option is a word or a number."),
        ('{"Size": null}', "The value of an option is a word or a number."),
    ],
)
def test_what_is_no_option_is_refused_with_a_remedy(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        OptionsField(required=False).clean(text)
    assert caught.value.messages == [message]


def test_options_come_back_as_they_are_shown() -> None:
    field = OptionsField(required=False)
    options = {"Size": "M", "Count": 3}
    assert field.prepare_value(options) == "Size: M\nCount: 3"
    assert not field.has_changed(options, "Size: M\nCount: 3")
    assert field.has_changed(options, "Size: L\nCount: 3")
    assert field.has_changed(options, "nonsense")
    assert as_lines({}) == ""
