--- A session's work: what it ends and begins, what it wants, and what the dead have left.

--- Wakes sessions that wait for a queue in which something is ready now.
function moonq.wake(ctx)
  for _, queue in pairs(ctx.queues) do
    if queue.stirred and redis.call("EXISTS", queue.at .. "w") == 1 then
      for _, session in ipairs(redis.call("SMEMBERS", queue.at .. "w")) do
        redis.call("PUBLISH", ctx.base .. "wake:" .. session, queue.name)
      end
      redis.call("DEL", queue.at .. "w")
    end
  end
end

local function list(args, at)
  local count, found = tonumber(args[at]), {}
  -- One by one: there may be more than the stack holds.
  for index = 1, count do
    found[index] = args[at + index]
  end
  return found, at + count + 1
end

--- Lets go of those of `numbers` that are ours; the others are noted as refused.
local function let_go(leases, numbers, refused)
  local ours = {}
  for index, is_held in ipairs(moonq.each("HMGET", leases, numbers)) do
    local into = is_held and ours or refused
    into[#into + 1] = numbers[index]
  end
  moonq.many("HDEL", leases, ours)
  return ours
end

local function acknowledge(queue, leases, numbers, refused)
  if #numbers == 0 then
    return
  end
  local ours = let_go(leases, numbers, refused)
  if #ours == 0 then
    return
  end
  queue.freed = true
  if redis.call("EXISTS", queue.at .. "h") == 0 then
    moonq.drop_plain(queue, ours)
    return
  end
  local tales, plain = moonq.each("HMGET", queue.at .. "h", ours), {}
  for index, text in ipairs(tales) do
    if text then
      moonq.gone(queue, ours[index], cjson.decode(text))
    else
      plain[#plain + 1] = ours[index]
    end
  end
  moonq.drop_plain(queue, plain)
end

local function begin(leases, numbers)
  if #numbers == 0 then
    return
  end
  for index, is_held in ipairs(moonq.each("HMGET", leases, numbers)) do
    if is_held then
      redis.call("HSET", leases, numbers[index], "r")
    end
  end
end

--- Lets a message that was held come back: at once where it stood, or not before `moment`.
local function back(queue, number, tale, moment)
  if moment == "" then
    moonq.keep(queue, number, tale)
    moonq.line_up(queue, number, tale)
    return
  end
  redis.call("ZADD", queue.at .. "d", moment, number)
  moonq.keep(queue, number, tale)
  if tale.parked then
    moonq.pass_turn(queue, number, tale.group)
  end
end

--- One end: number, action, moment or reason, story, suspect, expiry, attempts made, failure.
local function finish(queue, leases, args, at, refused)
  local number, action, detail = args[at], args[at + 1], args[at + 2]
  local story, is_suspect, expires = args[at + 3], args[at + 4], args[at + 5]
  if redis.call("HDEL", leases, number) == 0 then
    refused[#refused + 1] = number
    return
  end
  local tale = moonq.tale(queue, number)
  for _, name in ipairs({ "attempt", "interruptions", "snoozes", "lost_at", "errors" }) do
    tale[name] = nil
  end
  for name, value in pairs(cjson.decode(story)) do
    tale[name] = value
  end
  tale.suspect = is_suspect == "1" or nil
  if expires ~= "" then
    redis.call("ZADD", queue.at .. "x", expires, number)
  end
  if action == "dead" then
    if not moonq.spec(queue).dead_letter then
      moonq.tell(queue, "dropped", detail)
    end
    moonq.bury(queue, number, tale, detail, tonumber(args[at + 6]))
  elseif action == "expire" then
    moonq.expire(queue, number, tale)
  else
    tale.parked = (args[at + 7] == "1" and tale.group and moonq.spec(queue).skips) or nil
    back(queue, number, tale, detail)
  end
end

local ENDING = 8

--- Leases the next messages; answers their numbers, blobs, tales and expiries.
local function lease(queue, session, leases, count)
  local numbers, blobs = moonq.draw(queue, session, count)
  local taken = { numbers, blobs, {}, {} }
  if #numbers == 0 then
    return taken
  end
  local rows = {}
  for index, number in ipairs(numbers) do
    rows[2 * index - 1], rows[2 * index] = number, "l"
  end
  if redis.call("EXISTS", queue.at .. "h") == 1 then
    taken[3] = moonq.each("HMGET", queue.at .. "h", numbers)
  end
  if redis.call("EXISTS", queue.at .. "x") == 1 then
    for index, number in ipairs(numbers) do
      local expires = redis.call("ZSCORE", queue.at .. "x", number)
      taken[4][index] = expires
      if expires then
        rows[2 * index] = "l" .. expires
        redis.call("ZREM", queue.at .. "x", number)
      end
    end
  end
  moonq.many("HSET", leases, rows)
  return taken
end

--- Gives up a session's seat at a queue: it has no consumers there, and waits for nothing.
function moonq.rise(queue, session)
  redis.call("ZREM", queue.ctx.base .. "seats", session .. "|" .. queue.name)
  redis.call("HDEL", queue.at .. "c", session)
  redis.call("SREM", queue.at .. "w", session)
end

--- Gives back what a session that was not heard of held of a queue; what ran is an interruption.
---
--- Whatever it held is a suspect from now on, for it may be what killed it.
function moonq.recover(queue, session)
  local leases = queue.at .. "f:" .. session
  local held = redis.call("HGETALL", leases)
  for pair = 1, #held, 2 do
    local number, value = held[pair], held[pair + 1]
    local tale = moonq.tale(queue, number)
    if value == "r" or tale.suspect then
      tale.interruptions = (tale.interruptions or 0) + 1
      tale.lost_at = moonq.text(queue.ctx.now)
      moonq.tell(queue, "interrupted", moonq.id(redis.call("HGET", queue.at .. "m", number)))
    end
    if value ~= "r" and value ~= "l" then
      redis.call("ZADD", queue.at .. "x", string.sub(value, 2), number)
    end
    tale.suspect = true
    back(queue, number, tale, "")
  end
  redis.call("DEL", leases)
  moonq.rise(queue, session)
end

--- Forgets a session: its numbered calls, and the rest that it gave to queues.
function moonq.end_session(ctx, session)
  local paused = redis.call("HGETALL", ctx.base .. "paused")
  for pair = 1, #paused, 2 do
    if paused[pair + 1] == session then
      redis.call("HDEL", ctx.base .. "paused", paused[pair])
      moonq.queue(ctx, paused[pair]).stirred = true
    end
  end
  redis.call("ZREM", ctx.base .. "seats", session .. "|")
  redis.call("DEL", ctx.base .. "s:" .. session)
end

--- Recovers what belonged to other sessions whose lease is over.
function moonq.reap(ctx, mine)
  local over = redis.call("ZRANGEBYSCORE", ctx.base .. "seats", "-inf", ctx.now, "LIMIT", 0, 20)
  for _, seat in ipairs(over) do
    local session, name = string.match(seat, "^([^|]*)|(.*)$")
    if session == mine then
      redis.call("ZADD", ctx.base .. "seats", ctx.now, seat)
    elseif name == "" then
      moonq.end_session(ctx, session)
    else
      moonq.recover(moonq.queue(ctx, name), session)
    end
  end
end

--- Takes a seat at a queue, or keeps it; without consumers and leases it is given up.
local function sit(queue, session, count, term)
  local member = session .. "|" .. queue.name
  if count == "0" and redis.call("EXISTS", queue.at .. "f:" .. session) == 0 then
    moonq.rise(queue, session)
    return
  end
  redis.call("ZADD", queue.ctx.base .. "seats", queue.ctx.now + term, member)
  redis.call("HSET", queue.at .. "c", session, count)
end

--- One queue: name, seats and their term, what is wanted, then acks, starts and ends.
local function section(ctx, session, args, at)
  local queue = moonq.queue(ctx, args[at])
  local seats, term, wanted, waits =
    args[at + 1], args[at + 2], tonumber(args[at + 3]), args[at + 4]
  local leases, refused = queue.at .. "f:" .. session, {}
  local acks, begun, ends
  acks, at = list(args, at + 5)
  begun, at = list(args, at)
  ends, at = tonumber(args[at]), at + 1
  acknowledge(queue, leases, acks, refused)
  for _ = 1, ends do
    finish(queue, leases, args, at, refused)
    at = at + ENDING
  end
  begin(leases, begun)
  local member = session .. "|" .. queue.name
  local has_seat = redis.call("ZSCORE", ctx.base .. "seats", member)
  if seats ~= "" then
    sit(queue, session, seats, tonumber(term))
  elseif term ~= "" and has_seat then
    redis.call("ZADD", ctx.base .. "seats", ctx.now + tonumber(term), member)
  end
  moonq.tick(queue)
  local is_paused = redis.call("HEXISTS", ctx.base .. "paused", queue.name) == 1
  local taken = { {}, {}, {}, {} }
  if wanted > 0 and (has_seat or seats ~= "") and not is_paused then
    taken = lease(queue, session, leases, wanted)
  end
  if wanted > #taken[1] and waits == "1" and not is_paused then
    redis.call("SADD", queue.at .. "w", session)
  end
  local status = not (has_seat or seats ~= "") and "gone" or is_paused and "paused" or "ok"
  local answer = { queue.name, status, moonq.alarm(queue), refused, taken }
  return answer, at
end

--- The answer to a call that was made before, its messages fetched again.
local function repeated(ctx, answer)
  for _, part in ipairs(answer[3] or {}) do
    local taken = part[5]
    local queue = moonq.queue(ctx, part[1])
    if #taken[1] > 0 then
      taken[2] = moonq.each("HMGET", queue.at .. "m", taken[1])
      taken[3] = moonq.each("HMGET", queue.at .. "h", taken[1])
    end
  end
  return answer
end

--- Work: session, number of the call, moment, term or nothing, whether suspects ended, sections.
---
--- One call ends what was done and leases what comes next; with a term it is a heartbeat as well.
function moonq.work(base, args, at)
  local ctx = moonq.begin(base, args[at + 2])
  local session, number, term = args[at], tonumber(args[at + 1]), args[at + 3]
  local key = base .. "s:" .. session
  local last = redis.call("HGET", key, "n")
  if not last then
    return { "gone" }
  end
  local again = moonq.seen(key, tonumber(last), number)
  if again then
    return repeated(ctx, again)
  end
  if term ~= "" then
    redis.call("ZADD", base .. "seats", ctx.now + tonumber(term), session .. "|")
    moonq.reap(ctx, session)
  end
  if args[at + 4] == "1" then
    redis.call("HDEL", key, "suspect")
  end
  local answers, freed, kept = {}, {}, {}
  at = at + 5
  while args[at] do
    answers[#answers + 1], at = section(ctx, session, args, at)
  end
  for _, queue in pairs(ctx.queues) do
    freed[#freed + 1] = queue.freed and queue.name or nil
  end
  for index, part in ipairs(answers) do
    local taken = part[5]
    kept[index] = { part[1], part[2], part[3], part[4], { taken[1], {}, {}, taken[4] } }
  end
  local now = moonq.text(ctx.now)
  moonq.remember(key, number, { "ok", now, kept, ctx.events, freed })
  moonq.wake(ctx)
  return { "ok", now, answers, ctx.events, freed }
end
