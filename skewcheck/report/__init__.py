"""Reports: the terminal's table, the HTML page and the JSON file, each a function of the verdict alone."""
