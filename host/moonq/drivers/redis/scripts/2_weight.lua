--- What messages weigh against `max_bytes` of their queue, see `moonq.drivers.weight`.
---
--- Two hashes per driver have a field for each queue that has such a bound, and for no other: what
--- its messages weigh, and its dead letters wherever they lie.

local OVERHEAD = 512

local function bound(queue)
  return moonq.spec(queue).most < math.huge
end

--- Counts `bytes` more, or less, of a message; `origin` is the queue in which it died, if it did.
local function count(queue, origin, bytes)
  if bound(queue) then
    redis.call("HINCRBY", queue.ctx.base .. "bytes", queue.name, bytes)
  end
  if origin then
    local home = moonq.queue(queue.ctx, origin)
    if bound(home) then
      redis.call("HINCRBY", queue.ctx.base .. "dead_bytes", origin, bytes)
      home.freed = home.freed or bytes < 0
    end
  end
end

--- Whether anybody counts a message of the queue that died in `origin`.
local function is_counted(queue, origin)
  return bound(queue) or (origin and bound(moonq.queue(queue.ctx, origin)))
end

--- Puts down the body of a message that is new in this queue.
function moonq.lay(queue, number, blob, tale)
  redis.call("HSET", queue.at .. "m", number, blob)
  count(queue, tale.origin, OVERHEAD + #blob)
end

--- Counts a tale of `size` bytes that takes the place of another one.
function moonq.retold(queue, number, tale, size)
  if is_counted(queue, tale.origin) then
    count(queue, tale.origin, size - redis.call("HSTRLEN", queue.at .. "h", number))
  end
end

--- Counts a message no more that is about to go.
function moonq.lift(queue, number, tale)
  if is_counted(queue, tale.origin) then
    local body = redis.call("HSTRLEN", queue.at .. "m", number)
    local told = redis.call("HSTRLEN", queue.at .. "h", number)
    if body > 0 then
      count(queue, tale.origin, -(OVERHEAD + body + told))
    end
  end
end

--- Forgets the bodies of messages that have no tale.
function moonq.drop_plain(queue, numbers)
  if bound(queue) then
    local total = 0
    for _, number in ipairs(numbers) do
      total = total + OVERHEAD + redis.call("HSTRLEN", queue.at .. "m", number)
    end
    count(queue, nil, -total)
  end
  moonq.many("HDEL", queue.at .. "m", numbers)
end

--- What a message weighs whose body and headers have `size` bytes.
function moonq.weight(size)
  return OVERHEAD + size
end

--- What the messages of a bound queue weigh, and its dead letters.
function moonq.bytes(queue)
  local base = queue.ctx.base
  local held = tonumber(redis.call("HGET", base .. "bytes", queue.name)) or 0
  local dead = tonumber(redis.call("HGET", base .. "dead_bytes", queue.name)) or 0
  return held, dead
end

--- Calls `each` with the number and the text of all in a hash.
local function all(key, each)
  local cursor = "0"
  repeat
    local page = redis.call("HSCAN", key, cursor, "COUNT", 200)
    cursor = page[1]
    for pair = 1, #page[2], 2 do
      each(page[2][pair], page[2][pair + 1])
    end
  until cursor == "0"
end

--- Begins to count a queue that had no bound so far, or ends it.
function moonq.count_from_now(queue)
  local base, spec = queue.ctx.base, moonq.spec(queue)
  if not bound(queue) then
    redis.call("HDEL", base .. "bytes", queue.name)
    redis.call("HDEL", base .. "dead_bytes", queue.name)
    return
  elseif redis.call("HEXISTS", base .. "bytes", queue.name) == 1 then
    return
  end
  local held, dead = 0, 0
  all(queue.at .. "m", function(_, blob)
    held = held + OVERHEAD + #blob
  end)
  all(queue.at .. "h", function(_, text)
    held = held + #text
  end)
  local letters = spec.dead_letter and moonq.queue(queue.ctx, spec.dead_letter)
  if letters then
    all(letters.at .. "h", function(number, text)
      if cjson.decode(text).origin == queue.name then
        dead = dead + OVERHEAD + #text + redis.call("HSTRLEN", letters.at .. "m", number)
      end
    end)
  end
  redis.call("HSET", base .. "bytes", queue.name, held)
  redis.call("HSET", base .. "dead_bytes", queue.name, dead)
end
