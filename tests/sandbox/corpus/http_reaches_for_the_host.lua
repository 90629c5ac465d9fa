-- expect: harmless: the metatables and the id behind a client
local errors = require("errors")
local http = require("http")
return function()
  local bank = assert(http.client("app:bank"))
  assert(getmetatable(bank) == "http.client", "a metatable of the host's")
  assert(not pcall(setmetatable, bank, {}), "took a metatable away")
  assert(not pcall(rawset, bank, "id", "app:memory"), "changed an id")
  assert(not pcall(bank.get, { id = "app:bank" }, "/"), "took a table for a client")
  local other, err = http.client("app:memory")
  assert(other == nil and err:kind() == errors.NOT_FOUND, "made a client of something else")
end
