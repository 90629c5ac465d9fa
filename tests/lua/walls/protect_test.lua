local protect = require("host.walls.protect")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails
local library = protect.new_coroutine_library()

describe("protect.pcall", function()
  it("answers like pcall", function()
    eq({
      protect.pcall(function(...)
        return ...
      end, 1, nil, 3),
    }, { true, 1, nil, 3 })
    eq({ protect.pcall(error, "lost", 0) }, { false, "lost" })
    eq({ protect.pcall(error) }, { false, nil })
  end)
end)

describe("protect.xpcall", function()
  it("gives the error to its handler, after unwinding", function()
    local order = {}
    local function closing()
      return setmetatable({}, {
        __close = function()
          order[#order + 1] = "closed"
        end,
      })
    end
    local ok, handled = protect.xpcall(function()
      local _ <close> = closing()
      error("lost", 0)
    end, function(err)
      order[#order + 1] = "handled"
      return "handled " .. err
    end)
    eq({ ok, handled }, { false, "handled lost" })
    eq(order, { "closed", "handled" })
  end)

  it("shows the handler where the error was raised", function()
    local _, stack = protect.xpcall(function()
      error("lost")
    end, debug.traceback)
    test.contains(stack, "protect_test.lua")
  end)

  it("refuses a handler that is no function", function()
    fails("bad argument #2 to 'xpcall' (function expected, got nil)", protect.xpcall, print)
  end)
end)

describe("the coroutine library", function()
  it("passes values to and fro", function()
    local co = library.create(function(first)
      local second = library.yield(first + 1)
      return second * 2
    end)
    eq({ library.resume(co, 1) }, { true, 2 })
    eq({ library.resume(co, 21) }, { true, 42 })
    eq(library.status(co), "dead")
    eq({ library.resume(co) }, { false, "cannot resume dead coroutine" })
  end)

  it("wraps one into a function that raises", function()
    local next_value = library.wrap(function()
      library.yield(1)
      error("no more", 0)
    end)
    eq(next_value(), 1)
    fails("no more", next_value)
  end)

  it("catches errors inside as outside", function()
    local co = library.create(function()
      return protect.pcall(error, "inside", 0)
    end)
    eq({ library.resume(co) }, { true, false, "inside" })
  end)

  it("ends calls that go too deep instead of stacking them up", function()
    local function dig(depth)
      return 1 + dig(depth + 1)
    end
    local ok, problem = library.resume(library.create(dig), 1)
    test.is_false(ok)
    test.contains(problem, "stack overflow")
  end)

  it("closes a suspended one", function()
    local closed = false
    local co = library.create(function()
      local _ <close> = setmetatable({}, {
        __close = function()
          closed = true
        end,
      })
      library.yield()
    end)
    library.resume(co)
    test.is_true(library.close(co))
    test.is_true(closed)
  end)

  describe("of one that died of an error", function()
    local closed

    local function dying_of(problem)
      closed = false
      return function()
        local _ <close> = setmetatable({}, {
          __close = function()
            closed = true
          end,
        })
        error(problem, 0)
      end
    end

    it("closes what was open when it is closed", function()
      local co = library.create(dying_of("lost"))
      eq({ library.resume(co) }, { false, "lost" })
      eq(closed, false)
      eq({ library.close(co) }, { false, "lost" })
      eq(closed, true)
      eq({ library.close(co) }, { true })
    end)

    it("closes what was open at once if it is wrapped", function()
      fails("lost", library.wrap(dying_of("lost")))
      eq(closed, true)
    end)

    for _, problem in ipairs({ "a.lua:1: stack overflow", "not enough memory" }) do
      it("closes nothing where Lua may have lost its hooks: " .. problem, function()
        local co = library.create(dying_of(problem))
        eq({ library.resume(co) }, { false, problem })
        library.resume(co) -- it does not get better by asking again
        local ok, why = library.close(co)
        eq(ok, false)
        test.contains(why, "nothing can run any more")
        fails(problem, library.wrap(dying_of(problem)))
        eq(closed, false)
      end)
    end
  end)

  it("refuses what is no coroutine", function()
    fails("bad argument #1 to 'resume' (thread expected, got nil)", library.resume)
    fails("bad argument #1 to 'close' (thread expected, got number)", library.close, 7)
    fails("bad argument #1 to 'create' (function expected, got nil)", library.create)
    fails("bad argument #1 to 'wrap' (function expected, got nil)", library.wrap)
  end)
end)
