--- What every script needs: the moment, the keys of a queue, many values at once, what to tell.

--- Values of one command; the stack of Redis' Lua ends near 8000.
local SLICE = 1000
local KEPT = 8
--- How much falls due, or goes to make room, in one call; the rest follows in the next.
moonq.MANY = 200

--- What one call knows; `given` is the moment, where the caller goes by a clock of its own.
function moonq.begin(base, given)
  local now = tonumber(given)
  if not now then
    local time = redis.call("TIME")
    now = time[1] + time[2] / 1000000
  end
  return { base = base, now = now, events = {}, queues = {} }
end

--- The queue of that name: where its keys begin, and what is known of it.
function moonq.queue(ctx, name)
  local queue = ctx.queues[name]
  if not queue then
    queue = { ctx = ctx, name = name, at = ctx.base .. name .. ":" }
    ctx.queues[name] = queue
  end
  return queue
end

--- What was declared of the queue last, by whichever host.
function moonq.spec(queue)
  if not queue.spec then
    local found = redis.call(
      "HMGET",
      queue.at .. "spec",
      "max_length",
      "overflow",
      "ttl",
      "on_expire",
      "dead_letter",
      "dedup_window",
      "group_on_failure",
      "max_bytes"
    )
    queue.spec = {
      room = tonumber(found[1]) or math.huge,
      overflow = found[2] or "reject",
      ttl = tonumber(found[3]),
      drops_expired = found[4] == "drop",
      dead_letter = found[5] ~= "" and found[5] or nil,
      window = tonumber(found[6]) or 300,
      skips = found[7] == "skip",
      most = tonumber(found[8]) or math.huge,
    }
  end
  return queue.spec
end

--- Runs a command with all `values`, some of them at a time.
function moonq.many(command, key, values)
  for first = 1, #values, SLICE do
    redis.call(command, key, unpack(values, first, math.min(first + SLICE - 1, #values)))
  end
end

--- What a command answers for each of `names`.
function moonq.each(command, key, names)
  if #names <= SLICE then
    return redis.call(command, key, unpack(names))
  end
  local found = {}
  for first = 1, #names, SLICE do
    local last = math.min(first + SLICE - 1, #names)
    for index, value in ipairs(redis.call(command, key, unpack(names, first, last))) do
      found[first + index - 1] = value
    end
  end
  return found
end

--- Tells the driver of something that happened unasked.
function moonq.tell(queue, kind, detail)
  local events = queue.ctx.events
  events[#events + 1] = { kind, queue.name, detail }
end

--- A moment as text that loses nothing.
function moonq.text(moment)
  return string.format("%.17g", moment)
end

--- The next number: of a message, or of a place at the back of the line.
function moonq.next(ctx)
  return redis.call("INCR", ctx.base .. "seq")
end

--- Where call `number` of a line stands: nil when it is next, else what to answer instead.
function moonq.seen(key, last, number)
  if number > last + 1 then
    return { "early" }
  elseif number <= last - KEPT then
    return { "old" }
  elseif number <= last then
    return cmsgpack.unpack(redis.call("HGET", key, "a" .. number % KEPT))
  end
  return nil
end

--- Remembers the answer to call `number`, in case that it is asked again.
function moonq.remember(key, number, answer)
  redis.call("HSET", key, "n", number, "a" .. number % KEPT, cmsgpack.pack(answer))
end
