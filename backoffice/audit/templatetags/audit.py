from django import template

from backoffice.audit.wording import grouped, moment_in_words, source_in_words, source_variant

register = template.Library()
register.filter("grouped", grouped)
register.filter("moment_in_words", moment_in_words)
register.filter("source_in_words", source_in_words)
register.filter("source_variant", source_variant)
