from django import template

from backoffice.audit.wording import source_in_words, source_variant

register = template.Library()
register.filter("source_in_words", source_in_words)
register.filter("source_variant", source_variant)
