"""How a trend is drawn: what Unfold's chart component takes."""

import json
from typing import Any

from django import template

from backoffice.console.dashboard.cards import Chart

register = template.Library()


@register.filter
def as_json(value: Any) -> str:
    return json.dumps(value)


@register.filter
def drawing_options(chart: Chart) -> str:
    """Chart.js with bars upon each other and whole numbers; the colours of the text come by CSS."""
    grey = "#808894"  # readable on light and dark
    return json.dumps(
        {
            "animation": False,
            "responsive": True,
            "maintainAspectRatio": False,
            "maxBarThickness": 24,
            "interaction": {"mode": "index", "intersect": False},
            "plugins": {
                "legend": {
                    "display": len(chart.series) > 1,
                    "position": "bottom",
                    "labels": {"boxWidth": 12, "color": grey},
                }
            },
            "scales": {
                "x": {"stacked": True, "grid": {"display": False}, "ticks": {"color": grey}},
                "y": {
                    "stacked": True,
                    "beginAtZero": True,
                    "ticks": {"precision": 0, "color": grey},
                    "grid": {"color": grey},
                },
            },
        }
    )
