"""Declare a feature once, run it in training and serving, and find out which served values differ."""
