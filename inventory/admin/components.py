"""What the catalogue's pages are put together from."""

from collections.abc import Iterable

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


def thumbnail(address: str | None, *, size: str = "small") -> SafeString:
    """A picture in a square of fixed size, which stands empty where there is none."""
    if not address:
        return format_html(
            '<span class="console-thumbnail console-thumbnail-{} console-thumbnail-empty">'
            '<span class="material-symbols-outlined" aria-hidden="true">image</span></span>',
            size,
        )
    # Where the picture cannot be fetched, console/pictures.js leaves the square empty.
    # Decorative: the name stands beside it. The merchant's addresses learn nothing of ours.
    return format_html(
        '<span class="console-thumbnail console-thumbnail-{}">'
        '<img src="{}" alt="" loading="lazy" referrerpolicy="no-referrer"></span>',
        size,
        address,
    )


def badges(shown: Iterable[tuple[str, str]]) -> SafeString:
    """Words in coloured boxes: (text, success | info | warning | danger | neutral)."""
    return format_html(
        '<span class="console-badges">{}</span>',
        format_html_join("", '<span class="console-badge console-badge-{1}">{0}</span>', shown),
    )
