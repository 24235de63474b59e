"""The feature store: Feast's repository, registry and point-in-time retrieval. The only floor that loads Feast."""
