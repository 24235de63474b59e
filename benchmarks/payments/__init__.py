"""Payments: a service of twenty features over made data, with the ways in which others would compute them."""
