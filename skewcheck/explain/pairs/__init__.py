"""Causes by the values alone: what turns the value of training into the one served, with no expression known."""
