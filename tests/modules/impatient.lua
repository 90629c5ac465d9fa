local ledger = require("ledger")

--- Answers the kind of error that came before its own time was over.
return function(seconds)
  local _, err = ledger.wait(seconds)
  return err and err:kind(), err and err:message()
end
