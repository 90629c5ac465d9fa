-- expect: harmless: names of any bytes get through, as text that is not theirs or as a refusal
local env, funcs, queue = require("env"), require("funcs"), require("queue")
local logger, registry, store = require("logger"), require("registry"), require("store")

local ODD = { "", "\0", "\xff\xfe", ("x"):rep(100000), "a\nb", "\u{D800}", "\xed\xa0\x80", "😀" }

return function()
  for _, name in ipairs(ODD) do
    pcall(env.get, name)
    pcall(funcs.call, name, name)
    pcall(queue.publish, name, { [name] = 1 }, { [name] = name }, { group = name, id = name })
    pcall(queue.info, name)
    pcall(registry.get, name)
    pcall(registry.find, { kind = name, meta = { [name] = name } })
    pcall(store.open, name)
    pcall(logger.info, name, { [name] = name })
    pcall(logger.named, name)
    local values = store.open("app:values")
    if values:set(name, { 1 }) then
      assert(values:get(name)[1] == 1)
      values:delete(name)
    end
  end
end
