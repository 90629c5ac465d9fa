--- Keeps the locals of a session: `local x = 1` on its own would be gone with its line.
---
---     session_locals.kept("local x, y = 1")           --> "      x, y = 1"
---     session_locals.kept("local n")                  --> "      n = nil"
---     session_locals.kept("do local n = 1 end")       --> "do local n = 1 end"
---
--- Only what stands outside of all blocks and brackets is turned into a global of the session, and
--- no line moves, so that places in errors stay true.
local byte, find, gmatch, match = string.byte, string.find, string.gmatch, string.match
local rep, sub = string.rep, string.sub
local concat = table.concat

local session_locals = {}

local OPENS = { ["do"] = 1, ["then"] = 1, ["function"] = 1, ["repeat"] = 1 }
-- `elseif` closes the `then` before it, and its own `then` opens again; `else` keeps it open.
local CLOSES = { ["end"] = 1, ["until"] = 1, ["elseif"] = 1 }
local BRACKETS = { ["("] = 1, ["{"] = 1, ["["] = 1, [")"] = -1, ["}"] = -1, ["]"] = -1 }

--- As long as the word that is left out, so that columns stay true as well.
local INDENT = rep(" ", #"local")

--- The place behind the long bracket, string or comment that begins at `at`; nil for none of them.
local function behind_text(source, at)
  local comment, level = match(source, "^(%-?%-?)%[(=*)%[", at)
  if comment == "" or comment == "--" then
    local _, last = find(source, "]" .. level .. "]", at, true)
    return (last or #source) + 1
  elseif sub(source, at, at + 1) == "--" then
    return (find(source, "\n", at, true) or #source) + 1
  end
  local quote = match(source, "^[\"']", at)
  if not quote then
    return nil
  end
  local place = at + 1
  while place <= #source and sub(source, place, place) ~= quote do
    place = place + (byte(source, place) == 92 and 2 or 1)
  end
  return place + 1
end

--- A statement `local …` at `at`: what stands for it, and the place behind it; nil where a global
--- cannot stand for it, as for `<const>`, or where it is not sure what belongs to it.
local function global_of(source, at)
  local gap, after_function = match(source, "^local(%s+)function%f[^%w_]()", at)
  if gap then
    return INDENT .. gap .. "function", after_function
  end
  local names, behind = match(source, "^local(%s+[%a_][%w_, \t]*)()", at)
  if not names or find(names, "[%w_][ \t]+[%w_]") then
    return nil
  elseif match(source, "^=[^=]", behind) then
    return INDENT .. names, behind
  elseif match(source, "^[\r\n;]", behind) or behind > #source then
    local stem = match(names, "^(.-)[ \t]*$")
    return INDENT .. stem .. " = nil", behind
  end
end

--- Notes the names of a piece, behind which `source` goes on at `behind`; whether one of them is
--- there already: two locals of one name are two variables, which no global can stand for.
local function notes_twice(seen, piece, source, behind)
  local names = find(piece, "function$") and match(source, "^%s*[%a_][%w_]*", behind) or piece
  for name in gmatch(names, "[%a_][%w_]*") do
    if name ~= "nil" and seen[name] then
      return true
    end
    seen[name] = true
  end
  return false
end

--- `source` with its outermost locals made globals.
---@param source string
---@return string
---@nodiscard
function session_locals.kept(source)
  local pieces, at, depth, done, seen = {}, 1, 0, 1, {}
  while at <= #source do
    local text_end = behind_text(source, at)
    local word = not text_end and match(source, "^[%a_][%w_]*", at)
    if text_end then
      at = text_end
    elseif word == "local" and depth == 0 then
      local piece, behind = global_of(source, at)
      if piece and notes_twice(seen, piece, source, behind) then
        return source
      elseif piece then
        pieces[#pieces + 1] = sub(source, done, at - 1) .. piece
        done, at = behind, behind
        depth = depth + (find(piece, "function$") and 1 or 0)
      else
        at = at + #word
      end
    elseif word then
      depth = depth + (OPENS[word] or 0) - (CLOSES[word] or 0)
      at = at + #word
    else
      depth = depth + (BRACKETS[sub(source, at, at)] or 0)
      at = at + 1
    end
  end
  return concat(pieces) .. sub(source, done)
end

return session_locals
