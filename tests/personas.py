"""The people of the tests. Each works in one role; the outsider signs in and may do nothing."""

from enum import Enum

from django.contrib.auth.models import Group

from backoffice.accounts.models import User
from backoffice.accounts.roles import RoleName

PASSWORD = "correct-horse-battery"


class Persona(Enum):
    ADMINISTRATOR = ("Ada", "Admin", RoleName.ADMINISTRATOR)
    CATALOGUE_MANAGER = ("Carla", "Catalogue", RoleName.CATALOGUE_MANAGER)
    WAREHOUSE = ("Walt", "Warehouse", RoleName.WAREHOUSE)
    ORDER_DESK = ("Olga", "Orders", RoleName.ORDER_DESK)
    AUDITOR = ("Aude", "Auditor", RoleName.AUDITOR)
    OUTSIDER = ("Otto", "Outsider", None)


def make_user(persona: Persona) -> User:
    first_name, last_name, role = persona.value
    user = User.objects.create_user(
        f"{first_name}@stockbook.test".lower(),
        PASSWORD,
        first_name=first_name,
        last_name=last_name,
        is_staff=True,
    )
    if role:
        user.groups.add(Group.objects.get(name=role.value))
    return user
