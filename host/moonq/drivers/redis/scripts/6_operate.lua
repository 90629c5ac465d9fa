--- What hosts and operators do with whole queues: declare, pause, drop, redrive, move.

--- Of which layout the keys are; a newer moonq that changes it counts on.
local LAYOUT = 1

--- Notes which version of these scripts is used; answers those that no session uses any more.
local function outdated(ctx, version)
  local key, used, found = ctx.base .. "scripts", {}, {}
  redis.call("SADD", key, version)
  for _, seat in ipairs(redis.call("ZRANGE", ctx.base .. "seats", 0, -1)) do
    local session, name = string.match(seat, "^([^|]*)|(.*)$")
    local its = name == "" and redis.call("HGET", ctx.base .. "s:" .. session, "scripts")
    used[its or version] = true
  end
  for _, one in ipairs(redis.call("SMEMBERS", key)) do
    if not used[one] then
      found[#found + 1] = one
      redis.call("SREM", key, one)
    end
  end
  return found
end

--- Begins a session: its id, moment, term, name, machine, pid, when its host began, which moonq it
--- is and which version of the scripts it uses.
function moonq.open(base, args, at)
  local ctx = moonq.begin(base, args[at + 1])
  local layout = tonumber(redis.call("HGET", base .. "about", "layout") or LAYOUT)
  if layout > LAYOUT then
    return { "newer", layout, LAYOUT, redis.call("HGET", base .. "about", "moonq") or "" }
  end
  redis.call("HSET", base .. "about", "layout", LAYOUT, "moonq", args[at + 7])
  local key = base .. "s:" .. args[at]
  if redis.call("EXISTS", key) == 0 then
    redis.call("HSET", key, "n", 0)
  end
  for index, name in ipairs({ "name", "machine", "pid", "since" }) do
    redis.call("HSET", key, name, args[at + 2 + index])
  end
  redis.call("HSET", key, "scripts", args[at + 8])
  redis.call("ZADD", base .. "seats", ctx.now + tonumber(args[at + 2]), args[at] .. "|")
  moonq.reap(ctx, args[at])
  moonq.wake(ctx)
  local last = tonumber(redis.call("HGET", key, "n"))
  return { "ok", moonq.text(ctx.now), last, ctx.events, outdated(ctx, args[at + 8]) }
end

--- Ends a session that holds nothing, and the line of its publishes: its id, moment, writer.
function moonq.leave(base, args, at)
  local ctx, session = moonq.begin(base, args[at + 1]), args[at]
  for _, seat in ipairs(redis.call("ZRANGE", base .. "seats", 0, -1)) do
    local owner, name = string.match(seat, "^([^|]*)|(.*)$")
    if owner == session and name ~= "" then
      moonq.recover(moonq.queue(ctx, name), session)
    end
  end
  moonq.end_session(ctx, session)
  redis.call("DEL", base .. "pub:" .. args[at + 2])
  moonq.wake(ctx)
  return { "ok", moonq.text(ctx.now), {}, ctx.events }
end

local SPEC = {
  "max_length",
  "overflow",
  "ttl",
  "on_expire",
  "dead_letter",
  "dedup_window",
  "group_on_failure",
  "max_bytes",
}

--- Declares a queue: moment, who, its name and what it is to be, in the order of `SPEC`,
--- or nothing where it is known by its name alone.
---
--- Without a who it is declared only where the server knows nothing of it, or does no more.
--- Answers what another host had declared otherwise: each name, what it was, and who said so.
function moonq.declare(base, args, at)
  local ctx, who = moonq.begin(base, args[at]), args[at + 1]
  local queue = moonq.queue(ctx, args[at + 2])
  local changes = {}
  local before = redis.call("HGET", queue.at .. "spec", "by")
  local is_news = args[at + 3] and not (who == "" and before)
  for index, name in ipairs(is_news and SPEC or {}) do
    local value = args[at + 2 + index]
    local was = redis.call("HGET", queue.at .. "spec", name)
    if was and was ~= value then
      changes[#changes + 1] = { name, was, value, before or "" }
    end
    redis.call("HSET", queue.at .. "spec", name, value)
  end
  if is_news then
    redis.call("HSET", queue.at .. "spec", "by", who)
    moonq.count_from_now(queue)
  end
  redis.call("SADD", base .. "queues", queue.name)
  local letters = args[at + 2 + 5]
  if letters and letters ~= "" then
    redis.call("SADD", base .. "queues", letters)
  end
  queue.stirred = true
  moonq.wake(ctx)
  local is_paused = redis.call("HEXISTS", base .. "paused", queue.name)
  return { "ok", moonq.text(ctx.now), { changes, is_paused, moonq.alarm(queue) }, ctx.events }
end

--- Pauses a queue, or lets it go on: moment, queue, who pauses ("" for nobody), instead of whom.
---
--- Only what `instead` says is changed, if it says anything: "-" is nobody.
function moonq.pause(base, args, at)
  local ctx, instead = moonq.begin(base, args[at]), args[at + 3]
  local queue, who = moonq.queue(ctx, args[at + 1]), args[at + 2]
  local now = redis.call("HGET", base .. "paused", queue.name) or "-"
  if instead == "" or instead == now then
    if who == "" then
      redis.call("HDEL", base .. "paused", queue.name)
    else
      redis.call("HSET", base .. "paused", queue.name, who)
    end
  end
  local is_paused = redis.call("HEXISTS", base .. "paused", queue.name)
  -- All hosts look again: to hand back, or to take.
  for _, seat in ipairs(redis.call("ZRANGE", base .. "seats", 0, -1)) do
    local session, name = string.match(seat, "^([^|]*)|(.*)$")
    if name == "" then
      redis.call("PUBLISH", base .. "wake:" .. session, queue.name)
    end
  end
  return { "ok", moonq.text(ctx.now), is_paused, {} }
end

--- Whether a message is here and nobody's: then what is told of it.
local function unclaimed(queue, number)
  if redis.call("HEXISTS", queue.at .. "m", number) == 0 then
    return nil
  end
  queue.sessions = queue.sessions or redis.call("HKEYS", queue.at .. "c")
  for _, session in ipairs(queue.sessions) do
    if redis.call("HEXISTS", queue.at .. "f:" .. session, number) == 1 then
      return nil
    end
  end
  return moonq.tale(queue, number)
end

local function head(blob)
  return cjson.decode(string.match(blob, "^[^\n]*"))
end

--- Drops messages that are not leased: moment, queue, numbers.
function moonq.drop(base, args, at)
  local ctx, dropped = moonq.begin(base, args[at]), 0
  local queue = moonq.queue(ctx, args[at + 1])
  for index = at + 2, #args do
    local number = args[index]
    local tale = unclaimed(queue, number)
    if tale then
      local told = head(redis.call("HGET", queue.at .. "m", number))
      if told.key and redis.call("HGET", queue.at .. "y", told.key) == told.id then
        redis.call("HDEL", queue.at .. "y", told.key)
        redis.call("ZREM", queue.at .. "z", told.key)
      end
      moonq.withdraw(queue, number, tale)
      moonq.gone(queue, number, tale)
      dropped = dropped + 1
    end
  end
  moonq.trim(queue)
  moonq.wake(ctx)
  return { "ok", moonq.text(ctx.now), dropped, ctx.events }
end

local function revive(letters, target, number, tale)
  local queue = moonq.queue(letters.ctx, target)
  local spec = moonq.spec(queue)
  if moonq.length(queue) >= spec.room and queue ~= letters then
    return { "full", moonq.length(queue), queue.name }
  end
  local blob = redis.call("HGET", letters.at .. "m", number)
  moonq.put(queue, moonq.next(letters.ctx), blob, {
    priority = tale.priority,
    group = tale.group,
    lives = (tale.lives or 0) + 1,
  })
  moonq.withdraw(letters, number, tale)
  moonq.gone(letters, number, tale)
  return 1
end

--- Redrives dead letters: moment, source, target or "", how many queues there are, they, numbers.
function moonq.redrive(base, args, at)
  local ctx, known, answers = moonq.begin(base, args[at]), {}, {}
  local letters, target = moonq.queue(ctx, args[at + 1]), args[at + 2]
  local count = tonumber(args[at + 3])
  for index = 1, count do
    known[args[at + 3 + index]] = true
  end
  for index = at + 4 + count, #args do
    local tale = unclaimed(letters, args[index])
    if tale and tale.origin then
      local home = target == "" and tale.origin or target
      if known[home] then
        answers[#answers + 1] = revive(letters, home, args[index], tale)
      else
        answers[#answers + 1] = { "unknown", home }
      end
    end
  end
  moonq.wake(ctx)
  return { "ok", moonq.text(ctx.now), answers, ctx.events }
end

local function adopt(queue, source, number, blob, tale, due, expires, key)
  local old
  local told = head(blob)
  if key ~= "" and moonq.known(queue, key) then
    return { "again" }
  end
  local problem = moonq.no_room(queue, #blob)
  if problem then
    return problem
  end
  if source then
    old = unclaimed(source, number)
    if not old then
      return { "taken" }
    end
    moonq.withdraw(source, number, old)
    moonq.gone(source, number, old)
  end
  if told.key then
    moonq.know(queue, told.key, told.id)
  end
  if key ~= "" then
    moonq.know(queue, key, told.id)
  end
  local place = moonq.next(queue.ctx)
  if expires ~= "" then
    redis.call("ZADD", queue.at .. "x", expires, place)
  end
  if due ~= "" then
    tale.parked = (tale.parked and moonq.spec(queue).skips) or nil
    moonq.delay(queue, place, blob, tale, due)
  else
    moonq.put(queue, place, blob, tale)
  end
  return 1
end

--- Takes over messages: moment, queue, where they lie or "", then six values of each. One that was
--- stored under its key lately is not stored again.
function moonq.adopt(base, args, at)
  local ctx, answers = moonq.begin(base, args[at]), {}
  local queue = moonq.queue(ctx, args[at + 1])
  local source = args[at + 2] ~= "" and moonq.queue(ctx, args[at + 2]) or nil
  for item = at + 3, #args, 6 do
    local number, blob, tale, due, expires, key = unpack(args, item, item + 5)
    tale = cjson.decode(tale)
    answers[#answers + 1] = adopt(queue, source, number, blob, tale, due, expires, key)
  end
  if source then
    moonq.trim(source)
  end
  moonq.wake(ctx)
  return { "ok", moonq.text(ctx.now), answers, ctx.events }
end
