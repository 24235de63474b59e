"""The demo: the whole way once, on the real flights that left New York in 2013."""
