--- Digests, signatures, random bytes, and bytes as text.
---
---     local crypto = require("crypto")
---     crypto.sha256("abc")                          --> "ba7816bf8f01cfea…": hexadecimal
---     crypto.hmac("sha256", "key", "data")          --> "5031fe3d989c6d15…"
---     crypto.equals(given, crypto.hmac("sha256", key, body))  --> true
---     crypto.base64.encode("a\0b")                  --> "YQBi"
---     crypto.hex.decode("6162")                     --> "ab"
---
--- Digests are of the SHA-2 family (FIPS 180-4), HMAC is that of RFC 2104, base64 that of RFC 4648.
--- Compare signatures with `equals`, never with `==`, whose time tells how much of one was right.
local check = require("check")
local lent = require("host.walls.lent")

local error, tostring = error, tostring
local format = string.format
local digest, sign, same = lent.crypto_digest, lent.crypto_hmac, lent.crypto_equals
local encode, decode, random = lent.crypto_encode, lent.crypto_decode, lent.random_bytes

local crypto = {}

---@alias crypto.Algorithm "sha256"|"sha384"|"sha512"  what hashes
---@alias crypto.As "hex"|"base64"|"base64url"|"raw"  how bytes are written

--- A way to write bytes as text.
---@class (exact) crypto.Encoding
---@field encode fun(data: string): string                          bytes to text
---@field decode fun(text: string): string|nil, errors.Error|nil   text to bytes; INVALID

local AS = { type = "string|nil", one_of = { "hex", "base64", "base64url", "raw" } }
local ALGORITHM = { type = "string", one_of = { "sha256", "sha384", "sha512" } }
local RANDOM = { type = "integer", min = 1, max = 1024 }

--- What a call answers that can only fail by a mistake of the caller or a lack of memory.
local function must(value, err)
  if value == nil then
    error(tostring(err), 3)
  end
  return value
end

--- Bytes as the caller wants them.
local function written(bytes, as)
  return as == "raw" and bytes or must(encode(as or "hex", bytes))
end

--- The digest of a text.
---@param data string
---@param as? crypto.As   (default: "hex", in lower case)
---@return string
---@nodiscard
function crypto.sha256(data, as)
  check.argument("crypto.sha256", "data", data, "string")
  check.argument("crypto.sha256", "as", as, AS)
  return written(must(digest("sha256", data)), as)
end

--- The digest of a text.
---@param data string
---@param as? crypto.As   (default: "hex", in lower case)
---@return string
---@nodiscard
function crypto.sha512(data, as)
  check.argument("crypto.sha512", "data", data, "string")
  check.argument("crypto.sha512", "as", as, AS)
  return written(must(digest("sha512", data)), as)
end

--- The signature of a text under a key that both sides know.
---@param algorithm crypto.Algorithm
---@param key string        of any length
---@param data string
---@param as? crypto.As     (default: "hex", in lower case)
---@return string
---@nodiscard
function crypto.hmac(algorithm, key, data, as)
  check.argument("crypto.hmac", "algorithm", algorithm, ALGORITHM)
  check.argument("crypto.hmac", "key", key, "string")
  check.argument("crypto.hmac", "data", data, "string")
  check.argument("crypto.hmac", "as", as, AS)
  return written(must(sign(algorithm, key, data)), as)
end

--- Whether two texts are the same, in a time that depends on their length alone.
---@param one string
---@param other string
---@return boolean
---@nodiscard
function crypto.equals(one, other)
  check.argument("crypto.equals", "one", one, "string")
  check.argument("crypto.equals", "other", other, "string")
  return must(same(one, other))
end

--- Random bytes of the system, fit for keys and tokens.
---@param count integer   1 to 1024
---@return string
---@nodiscard
function crypto.random(count)
  check.argument("crypto.random", "count", count, RANDOM)
  return must(random(count))
end

---@return crypto.Encoding
local function encoding(name)
  return {
    encode = function(data)
      check.argument(format("crypto.%s.encode", name), "data", data, "string")
      return must(encode(name, data))
    end,
    decode = function(text)
      check.argument(format("crypto.%s.decode", name), "text", text, "string")
      return decode(name, text)
    end,
  }
end

--- Base64, with padding.
---@type crypto.Encoding
crypto.base64 = encoding("base64")

--- Base64 with `-` and `_`, without padding: for URLs and names of files.
---@type crypto.Encoding
crypto.base64url = encoding("base64url")

--- Two hexadecimal digits for each byte.
---@type crypto.Encoding
crypto.hex = encoding("hex")

return crypto
