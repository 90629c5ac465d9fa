--- Looks: what lies in queues, who serves them, and which message has an id.

--- Of those that came back, so many are asked for their age.
local HEADS = 100

local function age(queue)
  local oldest
  local function consider(number)
    local blob = number and redis.call("HGET", queue.at .. "m", number)
    if blob then
      local at = cjson.decode(string.match(blob, "^[^\n]*")).at
      oldest = math.min(oldest or at, at)
    end
  end
  for level = 0, 2 do
    consider(moonq.first_of(queue, queue.at .. "r" .. level))
  end
  for _, part in ipairs({ "b0", "b1", "b2", "u", "k" }) do
    local first
    for _, number in ipairs(redis.call("ZRANGE", queue.at .. part, 0, HEADS - 1)) do
      first = math.min(first or math.huge, tonumber(number))
    end
    consider(first)
  end
  return oldest and moonq.text(oldest) or ""
end

--- Counts a queue: moment, queue. Answers ready, delayed, leased, running, dead, consumers, the
--- publish of the oldest that is ready, whether it rests, and, of a queue that is bound in bytes,
--- what its messages and its dead letters weigh.
function moonq.info(base, args, at)
  local ctx = moonq.begin(base, args[at])
  local queue = moonq.queue(ctx, args[at + 1])
  moonq.tick(queue)
  local leased, running, seats = 0, 0, 0
  local sessions = redis.call("HGETALL", queue.at .. "c")
  for pair = 1, #sessions, 2 do
    seats = seats + tonumber(sessions[pair + 1])
    for _, value in ipairs(redis.call("HVALS", queue.at .. "f:" .. sessions[pair])) do
      if value == "r" then
        running = running + 1
      else
        leased = leased + 1
      end
    end
  end
  local delayed = redis.call("ZCARD", queue.at .. "d")
  local ready = moonq.length(queue) + redis.call("LLEN", queue.at .. "in")
  ready = ready - delayed - leased - running
  local letters, dead = moonq.spec(queue).dead_letter, 0
  if letters then
    dead = tonumber(redis.call("HGET", base .. letters .. ":o", queue.name) or 0)
  end
  local is_paused = redis.call("HEXISTS", base .. "paused", queue.name)
  local held, dead_bytes = moonq.bytes(queue)
  local is_bound = moonq.spec(queue).most < math.huge
  local bytes = is_bound and { held, dead_bytes } or {}
  local counts = { ready, delayed, leased, running, dead, seats, age(queue), is_paused, bytes }
  moonq.wake(ctx)
  return { "ok", moonq.text(ctx.now), counts, ctx.events }
end

--- Lets happen what is due in a queue, before somebody looks at it: moment, queue.
function moonq.settle(base, args, at)
  local ctx = moonq.begin(base, args[at])
  local queue = moonq.queue(ctx, args[at + 1])
  moonq.tick(queue)
  moonq.wake(ctx)
  local turn = tonumber(redis.call("HGET", base .. "turns", queue.name) or 0)
  return { "ok", moonq.text(ctx.now), turn, ctx.events }
end

--- How many messages lie in each queue that nobody serves: moment.
function moonq.unserved(base, args, at)
  local ctx, found = moonq.begin(base, args[at]), {}
  moonq.reap(ctx, "")
  for _, name in ipairs(redis.call("SMEMBERS", base .. "queues")) do
    local queue = moonq.queue(ctx, name)
    local count, seats = moonq.length(queue) + redis.call("LLEN", queue.at .. "in"), 0
    for _, number in ipairs(redis.call("HVALS", queue.at .. "c")) do
      seats = seats + tonumber(number)
    end
    if count > 0 and seats == 0 then
      found[#found + 1] = { name, count }
    end
  end
  moonq.wake(ctx)
  return { "ok", moonq.text(ctx.now), found, ctx.events }
end

--- The sessions that are alive: moment. Of each name, machine, pid, since and how much it holds.
function moonq.peers(base, args, at)
  local ctx, found, busy = moonq.begin(base, args[at]), {}, {}
  moonq.reap(ctx, "")
  for _, seat in ipairs(redis.call("ZRANGE", base .. "seats", 0, -1)) do
    local session, name = string.match(seat, "^([^|]*)|(.*)$")
    if name == "" then
      local about = redis.call("HMGET", base .. "s:" .. session, "name", "machine", "pid", "since")
      about[6] = session
      found[#found + 1] = about
    else
      local held = redis.call("HLEN", base .. name .. ":f:" .. session)
      busy[session] = (busy[session] or 0) + held
    end
  end
  for _, about in ipairs(found) do
    about[5] = busy[about[6]] or 0
  end
  moonq.wake(ctx)
  return { "ok", moonq.text(ctx.now), found, ctx.events }
end

--- Looks for ids among some of a queue's messages: queue, where to go on, ids.
---
--- Answers where to go on ("0": nowhere) and the numbers that were found.
function moonq.search(base, args, at)
  local queue = moonq.queue(moonq.begin(base, ""), args[at])
  local wanted, found = {}, {}
  for index = at + 2, #args do
    wanted[args[index]] = true
  end
  local page = redis.call("HSCAN", queue.at .. "m", args[at + 1], "COUNT", 1000)
  for pair = 1, #page[2], 2 do
    local text = string.match(page[2][pair + 1], '^{"id":"([^"\\]*)"')
    if wanted[text or moonq.id(page[2][pair + 1])] then
      found[#found + 1] = page[2][pair]
    end
  end
  return { "ok", "", { page[1], found }, {} }
end
