--- What is told of a message beside what its publisher wrote; most have no tale.
---
--- A tale is a JSON object: `priority` if it is not 1, `position` where it is not its number,
--- `group`, the counters `attempt`, `interruptions` and `snoozes`, `lost_at`, `suspect`, `errors`;
--- of a dead letter its `origin` and `death`; `lives` counts how often it was redriven.

--- The tale of message `number`.
function moonq.tale(queue, number)
  local text = redis.call("HGET", queue.at .. "h", number)
  return text and cjson.decode(text) or {}
end

--- Keeps a tale; an empty one needs no room.
function moonq.keep(queue, number, tale)
  if next(tale) == nil then
    moonq.retold(queue, number, tale, 0)
    redis.call("HDEL", queue.at .. "h", number)
  else
    local text = cjson.encode(tale)
    moonq.retold(queue, number, tale, #text)
    redis.call("HSET", queue.at .. "h", number, text)
  end
end

--- Lets a message that was here before stand in the line, where its position says.
function moonq.line_up(queue, number, tale)
  local level = tale.priority or 1
  local position = tale.position or tonumber(number)
  if tale.suspect then
    -- The levels one after the other; 2^50 positions are enough for each.
    redis.call("ZADD", queue.at .. "u", (2 - level) * 1125899906842624 + position, number)
  else
    redis.call("ZADD", queue.at .. "b" .. level, position, number)
  end
  queue.stirred = true
end

--- Stands behind the others of its group; true: it is its turn.
function moonq.join(queue, number, group)
  if not group or redis.call("HSETNX", queue.at .. "t", group, number) == 1 then
    return true
  end
  redis.call("ZADD", queue.at .. "g:" .. group, number, number)
  return false
end

--- Whether none of its group stands before it.
function moonq.has_turn(queue, number, group)
  return not group or redis.call("HGET", queue.at .. "t", group) == tostring(number)
end

--- Lets a message leave its group; the next one, if it had the turn, has it now.
function moonq.pass_turn(queue, number, group)
  if not group then
    return
  end
  local waiting = queue.at .. "g:" .. group
  if not moonq.has_turn(queue, number, group) then
    redis.call("ZREM", waiting, number)
    redis.call("ZREM", queue.at .. "k", number)
    return
  end
  local following = redis.call("ZPOPMIN", waiting)[1]
  if not following then
    redis.call("HDEL", queue.at .. "t", group)
    return
  end
  redis.call("HSET", queue.at .. "t", group, following)
  if redis.call("ZREM", queue.at .. "k", following) == 1 then
    moonq.line_up(queue, following, moonq.tale(queue, following))
  end
end

--- Stores a message that is new in this queue, ready or behind its group.
function moonq.put(queue, number, blob, tale)
  moonq.lay(queue, number, blob, tale)
  if next(tale) ~= nil then
    moonq.keep(queue, number, tale)
  end
  if tale.origin then
    redis.call("HINCRBY", queue.at .. "o", tale.origin, 1)
  end
  if moonq.join(queue, number, tale.group) then
    redis.call("RPUSH", queue.at .. "r" .. (tale.priority or 1), number)
    queue.stirred = true
  else
    redis.call("ZADD", queue.at .. "k", number, number)
  end
end

--- Forgets a message, wherever it stands; in a list of ready ones its number is passed over.
function moonq.gone(queue, number, tale)
  moonq.lift(queue, number, tale)
  redis.call("HDEL", queue.at .. "m", number)
  redis.call("HDEL", queue.at .. "h", number)
  redis.call("ZREM", queue.at .. "x", number)
  if tale.origin and redis.call("HINCRBY", queue.at .. "o", tale.origin, -1) < 1 then
    redis.call("HDEL", queue.at .. "o", tale.origin)
  end
  moonq.pass_turn(queue, number, tale.group)
  queue.freed = true
end

--- Takes a message that is not leased out of the line or the delays; its group keeps its turn.
function moonq.withdraw(queue, number, tale)
  redis.call("ZREM", queue.at .. "d", number)
  if tale.suspect then
    redis.call("ZREM", queue.at .. "u", number)
  else
    redis.call("ZREM", queue.at .. "b" .. (tale.priority or 1), number)
  end
end

--- Puts a message among the dead letters, if its queue has any, and forgets it here.
function moonq.bury(queue, number, tale, reason, attempts)
  local name = moonq.spec(queue).dead_letter
  local blob = redis.call("HGET", queue.at .. "m", number)
  if name and blob then
    local letters = moonq.queue(queue.ctx, name)
    redis.call("SADD", queue.ctx.base .. "queues", name)
    moonq.put(letters, moonq.next(queue.ctx), blob, {
      priority = tale.priority,
      group = tale.group,
      errors = tale.errors,
      lives = tale.lives,
      origin = queue.name,
      death = {
        reason = reason,
        time = moonq.text(queue.ctx.now),
        attempts = attempts,
        interruptions = tale.interruptions or 0,
      },
    })
  end
  moonq.gone(queue, number, tale)
end

--- The id of a message, which its first line tells.
function moonq.id(blob)
  return blob and cjson.decode(string.match(blob, "^[^\n]*")).id or ""
end
