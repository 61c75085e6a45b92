"""Sweeps (专项行动): what is to be visited, frozen at the start, and an honest account of what was.

Facts are the campaign, its frozen doors and the steps about its buildings; ``campaign_target`` is their projection
together with the visits. A visit names no campaign: it counts in every one whose doors, forms and period contain it.
"""
