--- A group of tests and its hooks: opened before the first planned test, closed after the last.
---
---     local around = block.around(inner)  --> { the file's block, outer, inner }
---     block.open(around)                  --> nil, or the problem of a before_all
---     block.leave(around)                 --> nil, or the problem of an after_all
local ipairs = ipairs
local insert = table.insert
local problem = require("host.test.problem")

local block = {}

local UNDOES = { after_all = true, after_each = true }

---@class block.Block
---@field name string
---@field parent? block.Block
---@field tags string[]
---@field hooks table<string, fun()[]>
---@field left integer               planned tests that have not run
---@field opened boolean             before_all has run
---@field problem? problem.Problem   what went wrong in before_all

---@param name string
---@param parent? block.Block
---@return block.Block
---@nodiscard
function block.new(name, parent)
  return {
    name = name,
    parent = parent,
    tags = {},
    hooks = { before_all = {}, after_all = {}, before_each = {}, after_each = {} },
    left = 0,
    opened = false,
  }
end

--- A block with those around it, the outermost first.
---@param innermost block.Block
---@return block.Block[]
---@nodiscard
function block.around(innermost)
  local blocks, one = {}, innermost
  while one do
    insert(blocks, 1, one)
    one = one.parent
  end
  return blocks
end

--- Runs the hooks of one kind. The first that goes wrong ends a preparation; of those that undo
--- one, all are run.
---@param one block.Block
---@param kind "before_all"|"after_all"|"before_each"|"after_each"
---@return problem.Problem?
function block.run_hooks(one, kind)
  local found
  for _, body in ipairs(one.hooks[kind]) do
    local whose = one.parent and "'" .. one.name .. "'" or one.name
    found = problem.join(found, problem.attempt(body, kind .. " of " .. whose))
    if found and not UNDOES[kind] then
      return found
    end
  end
  return found
end

--- Opens the blocks around a test. One that could not open stays so for all its tests: half a
--- preparation is no ground to test on.
---@param blocks block.Block[]
---@return problem.Problem?
function block.open(blocks)
  for _, one in ipairs(blocks) do
    if not one.opened then
      one.opened = true
      one.problem = block.run_hooks(one, "before_all")
    end
    if one.problem then
      return one.problem
    end
  end
end

--- Closes a block that is open, whatever it still waits for.
---@param one block.Block
---@return problem.Problem?
function block.close(one)
  one.left = 0
  if one.opened then
    one.opened, one.problem = false, nil
    return block.run_hooks(one, "after_all")
  end
end

--- Counts a test as done and closes the blocks that wait for no other, the inner ones first.
---@param blocks block.Block[]
---@return problem.Problem?
function block.leave(blocks)
  local found
  for depth = #blocks, 1, -1 do
    local one = blocks[depth]
    one.left = one.left - 1
    if one.left <= 0 then
      found = problem.join(found, block.close(one))
    end
  end
  return found
end

return block
