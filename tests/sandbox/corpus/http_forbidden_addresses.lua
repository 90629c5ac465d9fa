-- expect: harmless: every spelling of an address that is nobody's business
local errors = require("errors")
local http = require("http")
return function()
  for _, host in ipairs({
    "169.254.169.254",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fd00:ec2::254]",
    "[::]",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
  }) do
    for _, client in ipairs({ http, http.client("app:bank") }) do
      local url = "http://" .. host .. "/"
      local response, err
      if client == http then
        response, err = http.get(url, { timeout = 60, follow = 20 })
      else
        response, err = client:get(url, { timeout = 60, follow = 20 })
      end
      local kind = err and err:kind()
      assert(response == nil and (kind == errors.PERMISSION_DENIED or kind == errors.INVALID), url)
    end
  end
end
