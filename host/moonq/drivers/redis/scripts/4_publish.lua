--- Publishing: what is stored, what is known already, and what there is no room for.

--- How many messages the queue holds.
function moonq.length(queue)
  return redis.call("HLEN", queue.at .. "m")
end

--- The message that has stood longest; what is at work or delayed is never dropped.
local function oldest(queue)
  local victim, position = nil, math.huge
  local function consider(number, where)
    if number and where < position then
      victim, position = number, where
    end
  end
  for level = 0, 2 do
    local front = moonq.first_of(queue, queue.at .. "r" .. level)
    consider(front, tonumber(front))
    local back = redis.call("ZRANGE", queue.at .. "b" .. level, 0, 0, "WITHSCORES")
    consider(back[1], tonumber(back[2]))
  end
  if not victim then
    consider(redis.call("ZRANGE", queue.at .. "u", 0, 0)[1], 0)
  end
  return victim or redis.call("ZRANGE", queue.at .. "k", 0, 0)[1]
end

--- Lets the oldest go, to the dead letters if there are any; false: none may.
local function drop_oldest(queue)
  local victim = oldest(queue)
  if not victim then
    return false
  end
  local tale = moonq.tale(queue, victim)
  moonq.tell(queue, "dropped", "max_length")
  moonq.withdraw(queue, victim, tale)
  moonq.bury(queue, victim, tale, "max_length", (tale.attempt or 1) - 1)
  return true
end

--- Why there is no room for one more message of `size` bytes: what the queue holds, and how much it
--- may; nil: there is, made where the queue drops its oldest.
---
--- A queue whose bound was lowered far is brought there by several publishes, not all at once.
function moonq.no_room(queue, size)
  local spec = moonq.spec(queue)
  local drops = spec.overflow == "drop_oldest" and moonq.MANY or 0
  if spec.room < math.huge then
    while moonq.length(queue) >= spec.room do
      drops = drops - 1
      if drops < 0 or not drop_oldest(queue) then
        return { "full", moonq.length(queue), spec.room }
      end
    end
  end
  if spec.most < math.huge then
    local held, dead = moonq.bytes(queue)
    while held + dead + moonq.weight(size) > spec.most do
      drops = drops - 1
      -- As a dead letter the oldest would weigh as much.
      if drops < 0 or spec.dead_letter or not drop_oldest(queue) then
        return { "heavy", held, dead, spec.most }
      end
      held, dead = moonq.bytes(queue)
    end
  end
  return nil
end

--- The id under which a key was published lately.
function moonq.known(queue, key)
  local over = redis.call("ZSCORE", queue.at .. "z", key)
  if over and tonumber(over) > queue.ctx.now then
    return redis.call("HGET", queue.at .. "y", key)
  end
  return nil
end

--- Answers publishes of `key` with `id` from now on.
function moonq.know(queue, key, id)
  redis.call("HSET", queue.at .. "y", key, id)
  redis.call("ZADD", queue.at .. "z", queue.ctx.now + moonq.spec(queue).window, key)
end

--- Has a message expire, where it or its queue has a ttl, and waits for its delay.
local function store(queue, blob, tale, delay, ttl)
  local number, now = moonq.next(queue.ctx), queue.ctx.now
  ttl = ttl or moonq.spec(queue).ttl
  if ttl then
    redis.call("ZADD", queue.at .. "x", now + ttl, number)
  end
  if delay > 0 then
    moonq.delay(queue, number, blob, tale, now + delay)
  else
    moonq.put(queue, number, blob, tale)
  end
end

--- Stores a message that is new in this queue and not due before `moment`.
function moonq.delay(queue, number, blob, tale, moment)
  moonq.lay(queue, number, blob, tale)
  moonq.keep(queue, number, tale)
  redis.call("ZADD", queue.at .. "d", moment, number)
  if tale.origin then
    redis.call("HINCRBY", queue.at .. "o", tale.origin, 1)
  end
  if not tale.parked then
    -- It stands in its group's order already: what is published later is served later.
    moonq.join(queue, number, tale.group)
  end
end

--- One message that is more than a body: seven values, of which empty ones say nothing.
local function admit(queue, patient, blob, id, level, delay, ttl, key, group)
  if key ~= "" then
    local first = moonq.known(queue, key)
    if first then
      return { "known", first }
    end
  end
  local problem = moonq.no_room(queue, #blob)
  if problem then
    if patient and moonq.spec(queue).overflow == "block" then
      return nil
    end
    return problem
  end
  if key ~= "" then
    moonq.know(queue, key, id)
  end
  local tale = {}
  if level ~= "1" then
    tale.priority = tonumber(level)
  end
  if group ~= "" then
    tale.group = group
  end
  store(queue, blob, tale, tonumber(delay) or 0, tonumber(ttl))
  return 1
end

--- Stores bodies without wishes in a queue without limits, all at once.
local function append(queue, args, from, count)
  local top = redis.call("INCRBY", queue.ctx.base .. "seq", count)
  local rows, numbers = {}, {}
  for index = 1, count do
    local number = top - count + index
    numbers[index] = number
    rows[2 * index - 1], rows[2 * index] = number, args[from + index - 1]
  end
  moonq.many("HSET", queue.at .. "m", rows)
  moonq.many("RPUSH", queue.at .. "r1", numbers)
  queue.stirred = true
end

local function section(ctx, args, at)
  local name, form, count = args[at], args[at + 1], tonumber(args[at + 3])
  local queue, patient = moonq.queue(ctx, name), args[at + 2] == "1"
  local spec, from = moonq.spec(queue), at + 4
  local width = form == "p" and 1 or 7
  local is_bound = spec.room < math.huge or spec.most < math.huge
  if form == "p" and not is_bound and not spec.ttl then
    append(queue, args, from, count)
    return count, from + count
  end
  if is_bound then
    moonq.tick(queue)
  end
  local answers = {}
  for index = 1, count do
    local item = from + (index - 1) * width
    if width == 1 then
      answers[index] = admit(queue, patient, args[item], "", "1", "", "", "", "")
    else
      answers[index] = admit(queue, patient, unpack(args, item, item + 6))
    end
    if not answers[index] then
      break
    end
  end
  -- More keys go than come, so those whose window is over never pile up.
  moonq.forget_keys(queue, count + moonq.MANY)
  return answers, from + count * width
end

--- Publish: writer, number of the call, moment, sections of queue, form, patience, count, messages.
---
--- Answers for each section how many were stored, or what became of each message; a patient
--- publisher's end where it must wait.
function moonq.publish(base, args, at)
  local ctx = moonq.begin(base, args[at + 2])
  local key, number = base .. "pub:" .. args[at], tonumber(args[at + 1])
  local again = moonq.seen(key, tonumber(redis.call("HGET", key, "n") or 0), number)
  if again then
    return again
  end
  local answers = {}
  at = at + 3
  while args[at] do
    answers[#answers + 1], at = section(ctx, args, at)
  end
  local answer = { "ok", moonq.text(ctx.now), answers, ctx.events }
  moonq.remember(key, number, answer)
  redis.call("EXPIRE", key, 3600)
  moonq.wake(ctx)
  return answer
end
