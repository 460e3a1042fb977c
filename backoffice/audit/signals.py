from django.dispatch import Signal

# A note was put on the record. Sent within its transaction, so that who tells of it can do so in
# the same: `obj` it is about, `text`, `people` whom it names, `author`, and `number` of its entry.
note_added = Signal()
