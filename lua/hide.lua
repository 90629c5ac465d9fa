--- The first file that Python runs: has the names of `__gc` and `__mode` hidden, since whatever is
--- weak must be made under the names that count.
---
--- Arguments: the module `host.walls.names`, and those of its `hide`.
local names, hide, gc, mode, lend, is_back = ...
local as_function = _G.python.as_function

names.hide(as_function(hide), gc, mode, as_function(lend), as_function(is_back))
