from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from .models import Profile, User


@receiver(post_save, sender=User, dispatch_uid="accounts.create_profile")
def create_profile(*, instance: User, created: bool, raw: bool, **_: Any) -> None:
    if created and not raw:
        Profile.objects.get_or_create(user=instance)
