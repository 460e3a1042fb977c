from django import template
from django.utils.safestring import SafeString

from backoffice.audit.mentions import marked
from backoffice.audit.models import ChangeSet
from backoffice.audit.wording import grouped, moment_in_words, source_in_words, source_variant

register = template.Library()


@register.filter
def note_text(entry: ChangeSet) -> SafeString:
    """A note, with the people that it names marked."""
    return marked(entry.reason, (entry.facts or {}).get("mentions", ()))


register.filter("grouped", grouped)
register.filter("moment_in_words", moment_in_words)
register.filter("source_in_words", source_in_words)
register.filter("source_variant", source_variant)
