"""Windows: aggregates of a key's events, the same to the bit on every path.

THE RULE

Which events count. An event of the key counts at an instant t where it lies in the window and is known.
- In the window: its event time is in (t − w, t], open at the old edge and closed at the new one. `closed` chooses
  otherwise: "right" (t − w, t], "left" [t − w, t), "both" [t − w, t], "neither" (t − w, t). An unbounded window has no
  old edge.
- Known: its created time, where the source has one, is t or earlier. So a late event counts from the later of its two
  times on, as it was known at the time, and never if the window has left it behind by then.
- The current event, whose event time is t, counts with "right" and "both" and does not with "left" and "neither".
- Times are whole microseconds. An event without its key or one of its times never counts. Equal events are several.

What is aggregated. The values of one column, or the events themselves.
- A missing value (null, NaN, an infinity) is skipped, and −0.0 is 0.0.
- Where no value is left the result is missing; a count is 0.
- Where the request's key or instant is missing every result is missing, counts too.

Order. Events are ordered by event time, then created time, then value: numbers and times ascending, False before True,
text by code points. `first`, `last` and `last_k` read this order, so that ties are broken alike everywhere.

Numbers. Sums are exact, whatever the order of the events, and rounded once to the nearest Float64, ties to even.
- A sum of Int64 is an Int64.
- A mean is that sum, as a Float64, divided by the count. A variance is that of the population, exact until it is
  rounded once, and a standard deviation is its square root. A quantile interpolates linearly between neighbours (type 7
  of Hyndman and Fan), exact until it is rounded once.
- What does not fit its type is missing.
"""
