--- Both halves of JSON in one state, side by side: what the native one answers, Lua answers too.
--- Answers what Python calls; each returns nil, or what went wrong and with which text.
local source, path = ...

local native = {
  decode = package.loadlib(path, "moonq_json_decode"),
  encode = package.loadlib(path, "moonq_json_encode"),
  main = coroutine.running(),
}

--- Loads the trusted half anew, but for the modules in `loaded`.
local function requirer(loaded)
  local env = setmetatable({}, { __index = _G })
  function env.require(name)
    loaded[name] = loaded[name] or load(source(name), name, "b", env)(name)
    return loaded[name]
  end
  return env.require
end

local plain = requirer({})
local values = plain("host.json.values")
local quick = requirer({ ["host.json.native"] = native, ["host.json.values"] = values })
local NULL, EMPTY = values.null, values.EMPTY
local read, read_body = plain("host.json.reader").read, plain("host.json.reader").read_body
local write = plain("host.json.writer").write
local format, random, sub = string.format, math.random, string.sub

--- How two values differ: in a type, a digit, the order of a table, or what they are while empty.
local function difference(a, b)
  if type(a) ~= "table" then
    local is_same = math.type(a) == math.type(b) and (a == b and format("%q", a) == format("%q", b))
    return not is_same and format("%q against %s", a, tostring(b)) or nil
  elseif type(b) ~= "table" or EMPTY[a] ~= EMPTY[b] or (a == NULL) ~= (b == NULL) then
    return format("a table against %s", tostring(b))
  end
  local other, mine
  for key, value in next, a do
    other, mine = next(b, other)
    local found = difference(key, other) or difference(value, mine)
    if found then
      return found
    end
  end
  return next(b, other) ~= nil and "more fields" or nil
end

--- What a value becomes in both halves, and whether the native one left it to Lua for nothing.
local function written(value)
  local text, native_text = write(value), native.encode(value, EMPTY, native.main)
  if text ~= native_text and (native_text or #text < 2 ^ 20) then
    return format("written as %s, natively as %s", text, native_text)
  end
  local answers = { plain("json").encode(value) }
  for place, answer in ipairs({ quick("json").encode(value) }) do
    if tostring(answers[place]) ~= tostring(answer) then
      return format("encode answers %s against %s", tostring(answers[place]), tostring(answer))
    end
  end
end

local function compared(text)
  for _, way in ipairs({ { read, NULL }, { read_body, nil } }) do
    local value, problem = way[1](text)
    local natively = native.decode(text, NULL, way[2], EMPTY, "[]", native.main)
    if natively == nil then
      -- Only numbers of many digits are left to Lua though they are right.
      if not problem and #text < 2 ^ 20 and not text:find("[%d.]" .. ("[%d.eE+-]"):rep(120)) then
        return "declined for nothing"
      end
    else
      local found = problem and tostring(problem) or difference(value, natively) or written(value)
      if found then
        return found
      end
    end
  end
  local _, problem = read(text)
  local _, other = quick("json").decode(text)
  return tostring(problem) ~= tostring(other) and "another error" or nil
end

-- stylua: ignore
local PIECES = {
  "", "", "", ",", ":", "[", "]", "{", "}", '"', " ", "\n", "\t", "\r", "\v", '"":', "[]", "{}",
  "\\", '\\"', "\\u", "\\u0000", "\\ud83d", "\\ude00", '"a":null,', "null", "true", "false", "nul",
  "\0", "\1", "\31", "\127", "\128", "\191", "\192", "\xc3\xa4", "\xe0\x80", "\xed\xa0\x80",
  "\xf0\x9f", "\xf4\x90", "\xff", "0", "00", "-", "-0", ".", "e", "E+", "0.1", "1.0", "19.950",
  "1e308", "1e309", "1e-320", "1.7976931348623157e308", "100000000000000000000.5",
  "9223372036854775807", "-9223372036854775808", "9223372036854775808", "123456789012345678901",
  "[[[[", "]]]]", ("["):rep(127), ("]"):rep(127), ("7"):rep(130),
  '"' .. ("x"):rep(600) .. "\\n" .. '"',
}
-- stylua: ignore
local FLOATS = {
  0.0, -0.0, 1 / 0, -1 / 0, 0 / 0, 2.0 ^ 53, 5e-324, 1e14, 1e15, 999999999.99999, 1e9, 1e-4,
}

--- The text as it is, then spoilt in some hundred ways; each on top of the one before, or anew.
local function texts(text, seed, times)
  math.randomseed(seed)
  local spoilt = text
  for _ = 1, times do
    local found = compared(spoilt)
    if found then
      return found, spoilt
    end
    local at = random(0, #spoilt)
    local behind = sub(spoilt, at + 1 + random(0, 2))
    spoilt = sub(spoilt, 1, at) .. PIECES[random(#PIECES)] .. behind
    if random(3) == 1 or #spoilt > 10000 then
      spoilt = text
    end
  end
end

local function bytes()
  local text = {}
  for place = 1, random(0, 12) do
    text[place] = PIECES[random(#PIECES)]
  end
  return table.concat(text)
end

local function float()
  local kind = random(8)
  if kind == 1 then
    return FLOATS[random(#FLOATS)]
  elseif kind <= 4 then
    return random(-10 ^ 9 // 1, 10 ^ 9 // 1) / 10.0 ^ random(0, 9)
  elseif kind <= 6 then
    return (string.unpack("d", string.pack("j", random(0))))
  end
  return random() * 10.0 ^ random(-8, 18)
end

local any_value

local function any_table(depth, known)
  local made, kind = {}, random(5)
  known[#known + 1] = made
  for place = 1, random(0, 5) do
    local key = kind <= 2 and place + random(8) // 8 or kind <= 4 and bytes() or any_value(4, known)
    if key ~= nil and key == key then
      made[key] = any_value(depth + 1, known)
    end
  end
  if random(6) == 1 then
    values.EMPTY[made] = "[]"
  end
  return random(8) > 1 and made
    or setmetatable(made, {
      __index = function()
        return "of its metatable"
      end,
      __len = function()
        return 3
      end,
    })
end

function any_value(depth, known)
  local kind = random(14)
  if kind <= 4 and depth < 4 then
    return any_table(depth, known)
  elseif kind == 5 then
    return random(0)
  elseif kind == 6 then
    return random(-99, 99)
  elseif kind <= 8 then
    return float()
  elseif kind == 9 then
    return random(2) == 1
  elseif kind == 10 and random(6) == 1 then
    return ({ print, NULL, math.mininteger, known[random(#known)], native.main, 2 ^ 63 })[random(6)]
  end
  return bytes()
end

--- Tables of all kinds: with holes, odd keys, metatables, cycles, and what JSON cannot carry.
local function tables(seed, times)
  math.randomseed(seed)
  for _ = 1, times do
    local value = any_value(1, { {} })
    for _ = 1, random(40) == 1 and random(124, 130) or 0 do
      value = { value }
    end
    local found = written(value)
    if found then
      return found
    end
  end
end

return texts, tables, compared
