local crypto = require("crypto")
local errors = require("errors")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

describe("crypto digests", function()
  -- The examples of FIPS 180-4.
  it("are those of the standard", function()
    eq(crypto.sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    eq(crypto.sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    test.contains(crypto.sha512("abc"), "ddaf35a193617abacc417349ae204131")
  end)

  it("come as bytes or base64 where they are wanted so", function()
    eq(crypto.sha256("abc", "raw"), crypto.hex.decode(crypto.sha256("abc")))
    eq(crypto.sha256("abc", "base64"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")
    eq(crypto.sha256("abc", "base64url"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0")
  end)

  it("take any bytes", function()
    eq(#crypto.sha256("\0\255\n"), 64)
    eq(#crypto.sha512(("x"):rep(1000000), "raw"), 64)
  end)

  it("refuse what is no text, and ways that there are not", function()
    fails("crypto.sha256: data: string expected, got nil", crypto.sha256)
    fails("crypto.sha256: as: one of hex, base64, base64url, raw expected", crypto.sha256, "", "hx")
  end)
end)

describe("crypto.hmac", function()
  -- Test case 2 of RFC 4231.
  it("is that of the standard", function()
    local known = {
      sha256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      sha384 = "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47",
      sha512 = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd6",
    }
    for algorithm, expected in pairs(known) do
      local found = crypto.hmac(algorithm, "Jefe", "what do ya want for nothing?")
      test.contains(found, expected)
    end
  end)

  it("takes keys of any length", function()
    test.ok(crypto.hmac("sha256", "", "x") ~= crypto.hmac("sha256", ("k"):rep(1000), "x"))
  end)

  it("refuses algorithms that are fit for nothing any more", function()
    fails("one of sha256, sha384, sha512 expected, got 'md5'", crypto.hmac, "md5", "k", "x")
  end)
end)

describe("crypto.equals", function()
  it("compares texts", function()
    eq(crypto.equals("abc", "abc"), true)
    eq(crypto.equals("abc", "abd"), false)
    eq(crypto.equals("abc", "abcd"), false)
    eq(crypto.equals("", ""), true)
    eq(crypto.equals("\xff\0", "\xff\0"), true)
  end)

  it("refuses a signature that is missing", function()
    fails("crypto.equals: one: string expected, got nil", crypto.equals, nil, "abc")
  end)
end)

describe("crypto.random", function()
  it("makes so many bytes, others each time", function()
    eq(#crypto.random(1), 1)
    eq(#crypto.random(1024), 1024)
    test.ok(crypto.random(16) ~= crypto.random(16))
  end)

  it("refuses counts that make no sense", function()
    fails("count: at least 1 expected, got 0", crypto.random, 0)
    fails("count: at most 1024 expected, got 1025", crypto.random, 1025)
    fails("count: integer expected, got 1.5", crypto.random, 1.5)
  end)
end)

describe("crypto texts of bytes", function()
  -- The examples of RFC 4648.
  for plain, expected in pairs({
    [""] = "",
    f = "Zg==",
    fo = "Zm8=",
    foo = "Zm9v",
    foob = "Zm9vYg==",
    ["\xfb\xff"] = "+/8=",
  }) do
    it(("writes and reads %q in base64"):format(plain), function()
      eq(crypto.base64.encode(plain), expected)
      eq(crypto.base64.decode(expected), plain)
    end)
  end

  it("write base64 for URLs, and read it with padding or without", function()
    eq(crypto.base64url.encode("\xfb\xff"), "-_8")
    eq(crypto.base64url.decode("-_8"), "\xfb\xff")
    eq(crypto.base64url.decode("-_8="), "\xfb\xff")
  end)

  it("read back all bytes", function()
    local bytes = {}
    for byte = 0, 255 do
      bytes[#bytes + 1] = string.char(byte)
    end
    local all = table.concat(bytes)
    for _, way in ipairs({ "base64", "base64url", "hex" }) do
      eq(crypto[way].decode(crypto[way].encode(all)), all)
    end
  end)

  for _, case in ipairs({
    { "base64", "Zg=" },
    { "base64", "Z" },
    { "base64", "Zm9v\n" },
    { "base64", "-_8=" },
    { "base64", "Zg==Zg==" },
    { "base64url", "+/8" },
    { "base64url", "Z" },
    { "base64url", "ü" },
    { "hex", "6" },
    { "hex", "6g" },
    { "hex", "ü" },
  }) do
    local way, text = case[1], case[2]
    it(("answer an error to %q in %s"):format(text, way), function()
      local value, err = crypto[way].decode(text)
      test.is_nil(value)
      eq(err:kind(), errors.INVALID)
      test.contains(err:message(), ("crypto.%s.decode: "):format(way))
    end)
  end
end)
