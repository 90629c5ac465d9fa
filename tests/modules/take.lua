local bank = require("bank")

--- Charges an order and says whatever the bank says.
return function(order)
  return bank.charge(order)
end
