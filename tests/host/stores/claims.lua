-- What every store keeps, as a handler sees it: answers what does not hold.
local errors, json = require("errors"), require("json")
local store, time = require("store"), require("time")

local broken = {}

local function eq(what, found, expected)
  local one = json.encode(found == nil and json.null or found, { sorted = true })
  local other = json.encode(expected == nil and json.null or expected, { sorted = true })
  if one ~= other then
    broken[#broken + 1] = ("%s: %s expected, got %s"):format(what, other, one)
  end
end

local function kind_of(_, err)
  return err and err:kind()
end

local function values(s)
  eq("there is nothing at first", s:get("a"), nil)
  eq("a default stands for nothing", s:get("a", 7), 7)
  eq("nothing is not there", s:has("a"), false)
  eq("a value is kept", s:set("a", { b = { 1, 2.5, true, json.null }, ["ü"] = "\0" }), true)
  eq("it comes back", s:get("a", 7), { b = { 1, 2.5, true, json.null }, ["ü"] = "\0" })
  eq("it is there", s:has("a"), true)
  eq("an empty list stays one", s:set("e", json.array()) and json.encode(s:get("e")), "[]")
  eq("false is a value", s:set("f", false) and s:get("f", 7), false)
  eq("it is replaced", s:set("a", 1) and s:get("a"), 1)
  eq("it is deleted", s:delete("a"), true)
  eq("only once", s:delete("a"), false)
  eq("what is no key is refused", kind_of(s:set("", 1)), errors.INVALID)
  eq("what is no value is refused", kind_of(s:set("a", print)), errors.INVALID)
  eq("a key is not too long", kind_of(s:set(("k"):rep(1025), 1)), errors.INVALID)
  eq("a key is text: others would be one", kind_of(s:set("\xfe", 1)), errors.INVALID)
  eq("also where it is looked up", kind_of(s:get("\xff")), errors.INVALID)
  eq("a key may hold every character", s:set("z\0ü", 1) and s:get("z\0ü"), 1)
  eq("and be found by them", s:keys("z\0"), { "z\0ü" })
  eq("and removed", s:delete("z\0ü"), true)
  eq("a value is not too large", kind_of(s:set("a", ("x"):rep(1048576))), errors.INVALID)
end

local function numbers(s)
  eq("a number begins at 0", s:incr("n", 2), 2)
  eq("it grows", s:incr("n", -0.5), 1.5)
  eq("integers stay integers", math.type(s:incr("m")), "integer")
  eq(
    "the largest integer is the last",
    s:set("m", math.maxinteger) and kind_of(s:incr("m")),
    errors.INVALID
  )
  eq("no number is not added to", s:set("t", "x") and kind_of(s:incr("t")), errors.INVALID)
  eq("nothing infinite is added", kind_of(s:incr("n", math.huge)), errors.INVALID)
  eq("and the number is as it was", s:get("n"), 1.5)
end

local function swaps(s)
  eq("cas sets what is not there", s:cas("c", nil, { a = 1, b = 2 }), true)
  eq("not what is", s:cas("c", nil, 2), false)
  eq("cas does not look at the order of names", s:cas("c", { b = 2, a = 1 }, 3), true)
  eq("it compares", s:cas("c", 4, 5), false)
  eq("and leaves alone what differs", s:get("c"), 3)
  eq("nil removes", s:cas("c", 3, nil), true)
  eq("what is gone is not there", s:has("c"), false)
  eq("nothing may become nothing", s:cas("c", nil, nil), true)
  eq("true is not 1", s:set("c", 1) and s:cas("c", true, 2), false)
end

local function lists(s)
  for _, key in ipairs({ "b", "a", "order:2", "order:10", "orders", "ü", "order:" }) do
    s:set(key, 1)
  end
  eq("keys are sorted", s:keys("order:"), { "order:", "order:10", "order:2" })
  eq("a page has a limit", s:keys("order", { limit = 2 }), { "order:", "order:10" })
  local behind = s:keys("order", { limit = 2, after = "order:10" })
  eq("and begins behind a key", behind, { "order:2", "orders" })
  eq("also without a prefix", s:keys("", { after = "orders" }), { "t", "ü" })
  eq("also behind all of a prefix", s:keys("a", { after = "b" }), json.array())
  eq("none is an empty list", json.encode(s:keys("zzz")), "[]")
end

local function ends(s)
  s:set("soon", 1, { ttl = "300ms" })
  s:incr("count", 1, { ttl = "300ms" })
  s:incr("count", 1)
  eq("a value with a ttl is there", s:get("soon"), 1)
  for _ = 1, 500 do
    time.sleep(s:has("count") and "10ms" or 0)
  end
  eq("until it is over", s:get("soon"), nil)
  eq("then it is not listed", s:keys("soon"), json.array())
  eq("nor compared with", s:cas("soon", nil, 2), true)
  eq("a new value lives by its own ttl", s:get("soon"), 2)
  eq("a number keeps the ttl that it began with", s:incr("count", 1), 1)
  eq("no ttl is 0", kind_of(s:set("soon", 1, { ttl = 0 })), errors.INVALID)
end

local function runs(s)
  local count = 0
  local function charge()
    count = count + 1
    return { receipt = count }
  end
  eq("once runs", s:once("o", "1h", charge), { receipt = 1 })
  eq("once", s:once("o", "1h", charge), { receipt = 1 })
  eq("and no more", count, 1)
  eq("another key is another run", s:once("p", "1h", charge), { receipt = 2 })
  for _, answer in ipairs({ false, 0, "", json.null }) do
    local key = "answer " .. tostring(answer)
    local first = s:once(key, "1h", function()
      return answer
    end)
    eq("the answer is kept as it is", first, answer)
    eq("and answered so", json.encode(s:once(key, "1h", charge)), json.encode(answer))
  end
  eq("nil is answered as nil", s:once("nil", "1h", function() end), nil)
  eq("and is no reason to run again", s:once("nil", "1h", charge), nil)
  eq(
    "an error is answered",
    kind_of(s:once("err", "1h", function()
      return nil, errors.new({ kind = errors.CONFLICT, message = "taken" })
    end)),
    errors.CONFLICT
  )
  eq("and leaves nothing behind", s:has("err"), false)
  local ok, problem = pcall(s.once, s, "raise", "1h", function()
    error("broken", 0)
  end)
  eq("what is raised is raised", { ok, problem }, { false, "broken" })
  eq("and leaves nothing behind", s:has("raise"), false)
  eq("it is forgotten after its ttl", s:once("short", "20ms", charge) and time.sleep("40ms"), true)
  eq("and runs again", s:once("short", "1h", charge), { receipt = 4 })
  eq(
    "what is not its own stays",
    s:set("other", 1) and kind_of(s:once("other", "1h", charge)),
    errors.CONFLICT
  )
  eq(
    "what JSON has not is refused",
    kind_of(s:once("bad", "1h", function()
      return print
    end)),
    errors.INVALID
  )
  eq("and may be tried again", s:once("bad", "1h", charge), { receipt = 5 })
end

local function bounds()
  local s = assert(store.open("small"))
  eq("so many bytes fit", s:set("a", ("x"):rep(3000)), true)
  eq("no more than that", kind_of(s:set("b", ("x"):rep(2000))), errors.RATE_LIMITED)
  eq("a value gives its own room back", s:set("a", ("y"):rep(3500)), true)
  eq("also to cas", kind_of(s:cas("b", nil, ("x"):rep(2000))), errors.RATE_LIMITED)
  eq("a value that is over makes room", s:set("a", ("x"):rep(3500), { ttl = "20ms" }), true)
  time.sleep("40ms")
  eq("for the next", s:set("b", ("x"):rep(3500)), true)
end

return function()
  local s = assert(store.open("all"))
  values(s)
  numbers(s)
  swaps(s)
  lists(s)
  ends(s)
  runs(s)
  bounds()
  return json.array(broken)
end
