-- expect: contained-time: digests of megabytes without end
local crypto = require("crypto")
local megabyte = ("x"):rep(1024 * 1024)

return function()
  while true do
    pcall(crypto.sha512, megabyte)
    pcall(crypto.base64.encode, megabyte)
  end
end
