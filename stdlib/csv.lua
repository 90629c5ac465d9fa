--- Tables as comma-separated values (RFC 4180), both ways.
---
---     local csv = require("csv")
---     csv.decode("id,name\n7,Ann\n")                 --> { { id = "7", name = "Ann" } }
---     csv.decode("7,Ann\n", { header = false })      --> { { "7", "Ann" } }
---     csv.encode({ { id = 7, name = 'A "B"' } }, { columns = { "id", "name" } })
---     --> 'id,name\r\n7,"A ""B"""\r\n'
---     for row, line in csv.rows(text) do … end       -- one row at a time
---
--- Values are read as texts. Quotes, line ends of every system and a byte order mark are known.
local check = require("check")
local errors = require("errors")
local json = require("json")

local error, ipairs, rawequal, type = error, ipairs, rawequal, type
local byte, find, format, gsub, sub =
  string.byte, string.find, string.format, string.gsub, string.sub
local concat, math_type, tostring = table.concat, math.type, tostring

local csv = {}

---@alias csv.Row table<string, string>|string[]   by column, or in order where there is no header

---@class (exact) csv.ReadOptions  how a text is read
---@field header? boolean     the first row names the columns (default true)
---@field separator? string   one byte between fields (default ",")

---@class (exact) csv.WriteOptions  how rows are written
---@field columns? string[]   which fields of the rows, in this order; absent: rows are lists
---@field header? boolean     begin with the names of the columns (default true, with `columns`)
---@field separator? string   one byte between fields (default ",")
---@field eol? string         the end of a line (default "\r\n")

local READ = {
  header = { type = "boolean", default = true },
  separator = { type = "string", default = "," },
}
local WRITE = {
  columns = { type = "table" },
  eol = { type = "string", default = "\r\n", one_of = { "\r\n", "\n" } },
  header = { type = "boolean", default = true },
  separator = { type = "string", default = "," },
}

local QUOTE, CR, LF = 34, 13, 10
local MARK = "^\xEF\xBB\xBF"

local function problem(text, ...)
  return errors.new({ kind = errors.INVALID, message = format(text, ...), retryable = false })
end

local function check_separator(where, separator)
  if #separator ~= 1 or find(separator, '["\r\n]') then
    error(format("%s: option 'separator': one byte expected, no quote or line end", where), 3)
  end
end

--- How many lines end in a text.
local function line_ends(text)
  local _, count = gsub(text, "\r?\n", "")
  return count
end

--- The field in quotes at byte `at`: its text and the byte behind it; or nil.
local function quoted(text, at)
  local from, parts = at + 1, {}
  while true do
    local quote = find(text, '"', from, true)
    if not quote then
      return nil
    elseif byte(text, quote + 1) ~= QUOTE then
      parts[#parts + 1] = sub(text, from, quote - 1)
      return concat(parts), quote + 1
    end
    parts[#parts + 1] = sub(text, from, quote)
    from = quote + 2
  end
end

--- A reader of one text: each call answers the next row's fields and its line.
local function reader(text, separator)
  local at, line = find(text, MARK) and 4 or 1, 1
  local comma, stop = byte(separator), "[%" .. separator .. "\r\n]"

  local function field()
    if byte(text, at) == QUOTE then
      local value, behind = quoted(text, at)
      if not value then
        return nil, problem("csv: line %d: a quote is opened and never closed", line)
      end
      line = line + line_ends(value)
      at = behind
      return value
    end
    local behind = find(text, stop, at) or #text + 1
    local value = sub(text, at, behind - 1)
    if find(value, '"', 1, true) then
      return nil,
        problem("csv: line %d: a quote in the midst of a field that has none around it", line)
    end
    at = behind
    return value
  end

  --- Passes the end of a line; false where something else is there.
  local function ends_line()
    local code = byte(text, at)
    if code == CR then
      at = at + (byte(text, at + 1) == LF and 2 or 1)
    elseif code == LF then
      at = at + 1
    else
      return code == nil
    end
    return true
  end

  return function()
    if at > #text then
      return nil
    end
    local fields, first = {}, line
    while true do
      local value, err = field()
      if not value then
        return nil, first, err
      end
      fields[#fields + 1] = value
      if byte(text, at) == comma then
        at = at + 1
      elseif ends_line() then
        line = line + 1
        return fields, first
      else
        return nil, first, problem("csv: line %d: text behind a closing quote", line)
      end
    end
  end
end

--- What is wrong with the names of the columns, or nil.
local function header_fault(names, line)
  local seen = {}
  for place, name in ipairs(names) do
    if seen[name] then
      return format(
        "csv: line %d: columns %d and %d are both called %s",
        line,
        seen[name],
        place,
        check.show(name)
      )
    end
    seen[name] = place
  end
end

--- The fields by the names of their columns; nil where there are too many or too few.
local function named(fields, names)
  if #fields ~= #names then
    return nil
  end
  local row = {}
  for place, name in ipairs(names) do
    row[name] = fields[place]
  end
  return row
end

--- A function that answers the next row and its line, then nil, or nil, the line and an error.
local function row_reader(text, options)
  local next_row, names = reader(text, options.separator), nil
  local function next_named()
    local fields, line, err = next_row()
    if not fields then
      return nil, line, err
    end
    local row = named(fields, names)
    if row then
      return row, line
    end
    local counted = problem("csv: line %d has %d fields, the header %d", line, #fields, #names)
    return nil, line, counted
  end
  if not options.header then
    return next_row
  end
  return function()
    if not names then
      local line, err
      names, line, err = next_row()
      local fault = names and header_fault(names, line)
      if fault then
        err = problem("%s", fault)
      end
      if err or not names then
        return nil, line, err
      end
    end
    return next_named()
  end
end

--- All rows of a text.
---@param text string
---@param options? csv.ReadOptions
---@return csv.Row[]|nil rows
---@return errors.Error|nil err   INVALID, with the line
---@nodiscard
function csv.decode(text, options)
  check.argument("csv.decode", "text", text, "string")
  local wanted = check.options("csv.decode", options, READ)
  check_separator("csv.decode", wanted.separator)
  local next_row, rows = row_reader(text, wanted), {}
  while true do
    local row, _, err = next_row()
    if not row then
      if err then
        return nil, err
      end
      return rows, nil
    end
    rows[#rows + 1] = row
  end
end

--- The rows of a text in turn, each with its line; raises where the text is malformed.
---@param text string
---@param options? csv.ReadOptions
---@return fun(): csv.Row|nil, integer|nil
---@nodiscard
function csv.rows(text, options)
  check.argument("csv.rows", "text", text, "string")
  local wanted = check.options("csv.rows", options, READ)
  check_separator("csv.rows", wanted.separator)
  local next_row = row_reader(text, wanted)
  return function()
    local row, line, err = next_row()
    if err then
      error(err, 2)
    end
    return row, line
  end
end

--- A value as a field; nil and its type for what has no text.
local function field_of(value, separator)
  local kind = type(value)
  if value == nil or rawequal(value, json.null) then
    return ""
  elseif kind == "number" then
    return math_type(value) == "float"
        and value % 1 == 0
        and value < 1e15
        and value > -1e15
        and format("%.0f", value)
      or tostring(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind ~= "string" then
    return nil, kind
  elseif
    find(value, "[%" .. separator .. '"\r\n]')
    or find(value, "^%s")
    or find(value, "%s$")
    or find(value, MARK)
  then
    return '"' .. gsub(value, '"', '""') .. '"'
  end
  return value
end

--- A row as a line without its end, or nil and what is wrong.
local function line_of(row, columns, separator)
  local fields = {}
  for place = 1, columns and #columns or #row do
    local key = columns and columns[place] or place
    local text, kind = field_of(row[key], separator)
    if not text then
      local expected = "string, number, boolean or nil expected, got %s"
      return nil, format("%s: " .. expected, check.show(key), kind)
    end
    fields[place] = text
  end
  -- A line with one empty field would be no line at all.
  return #fields == 1 and fields[1] == "" and '""' or concat(fields, separator)
end

--- Rows as text.
---@param rows table[]                 lists, or tables with a field for each column
---@param options? csv.WriteOptions
---@return string|nil text
---@return errors.Error|nil err        INVALID, with the row and the column of what has no text
---@nodiscard
function csv.encode(rows, options)
  check.argument("csv.encode", "rows", rows, "table")
  local wanted = check.options("csv.encode", options, WRITE)
  check_separator("csv.encode", wanted.separator)
  local lines, columns = {}, wanted.columns
  if columns and wanted.header then
    local text, fault = line_of(columns, nil, wanted.separator)
    if not text then
      return nil, problem("csv.encode: columns: %s", fault)
    end
    lines[1] = text .. wanted.eol
  end
  for number, row in ipairs(rows) do
    if type(row) ~= "table" then
      return nil, problem("csv.encode: row %d: table expected, got %s", number, type(row))
    end
    local text, fault = line_of(row, columns, wanted.separator)
    if not text then
      return nil, problem("csv.encode: row %d: %s", number, fault)
    end
    lines[#lines + 1] = text .. wanted.eol
  end
  return concat(lines), nil
end

return csv
