"""What `moonq top` shows.

`sampling` turns what a host answers, second by second, into a `view`; `picture` draws a view as
lines of text, for any size and without a terminal; `pages` lie on each other and take keys.
"""
