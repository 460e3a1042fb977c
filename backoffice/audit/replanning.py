from django.db import connection


def plan_anew() -> None:
    """Have the triggers planned for many rows, though the statements before had few.

    How the history's trigger joins old rows with new ones is planned once a connection, for as many
    as its first statement changed. A plan for none compares each old row with each new one: for
    100,000 of them that takes minutes. Foreign keys look rows up by such a plan as well.
    """
    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS")
