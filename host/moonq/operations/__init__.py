"""What can be done to a host: a table of verbs, and one method for each.

`verbs` is the table, and costs nothing to import. `performing` has the methods: `queries` only
look, `acting` and `destroying` do something. What they answer is plain data, made by
`overview`, `entries`, `letters` and `documents`.
"""
