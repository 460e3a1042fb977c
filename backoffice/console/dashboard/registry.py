"""The cards that there are. Filled by the admin packages of the apps as they are loaded."""

from .cards import Card

cards: dict[str, Card] = {}


def register(card: Card) -> None:
    """Put a card on the dashboard, for all who may see what it shows."""
    cards[card.name] = card
