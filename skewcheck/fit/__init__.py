"""Fitting: the statistics that a declaration needs, computed once over the rows that training keeps, then frozen."""
