"""Changes: what an edit of the declarations does to values, to the models that read them, and to serving."""
