"""What `moonq top` shows.

`sampling` turns what a host answers, second by second, into a `view`; `frame` draws a view as
lines of text, for any size and without a terminal; `messages` does so for what lies in a queue.
"""
