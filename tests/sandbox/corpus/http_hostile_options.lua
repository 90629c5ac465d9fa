-- expect: harmless: options whose own code runs, loops, lies, or is not what it seems
local http = require("http")
return function()
  local function endless()
    while true do
    end
  end
  local trap = setmetatable({}, {
    __index = endless,
    __pairs = endless,
    __len = endless,
    __tostring = endless,
    __eq = endless,
    __lt = endless,
    __concat = endless,
  })
  local cyclic = {}
  cyclic.a = cyclic
  for _, options in ipairs({
    trap,
    { headers = trap },
    { query = trap },
    { form = trap },
    { json = trap },
    { json = cyclic },
    { query = { a = cyclic } },
    { headers = { [trap] = "x", x = trap } },
    { query = { [1] = 1, [trap] = 2 } },
    { query = setmetatable({}, { __index = { a = print } }) },
    { body = ("x"):rep(1000000), json = print },
    { timeout = 0 / 0 },
    { timeout = math.huge },
    { follow = -1 },
    { body = coroutine.create(print) },
  }) do
    pcall(http.get, "http://0.0.0.0/", options)
    pcall(http.request, "GET", "http://0.0.0.0/", options)
  end
  pcall(http.get, trap)
  pcall(http.request, trap, "http://0.0.0.0/")
  pcall(http.client, trap)
  pcall(http.raise, trap)
  pcall(http.raise, { status = 500, body = trap, url = trap, retry_after = trap })
  pcall(http.raise, { status = trap })
  local bank = http.client("app:bank")
  pcall(bank.get, setmetatable({ id = "app:other" }, { __index = bank }), "http://0.0.0.0/")
  pcall(rawset, bank, "id", trap)
  pcall(bank.get, bank, "/")
end
