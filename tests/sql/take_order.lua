local sql = require("sql")

-- A handler as people write one: an order and its log line, both or none.
return function(order)
  return sql.transaction("shop", function(tx)
    local done, err =
      tx:execute("INSERT INTO orders (customer, total) VALUES (:customer, :total)", {
        customer = order.customer,
        total = order.total or sql.null,
      })
    if err then
      return nil, err
    end
    tx:execute("INSERT INTO log (line) VALUES (:line)", { line = "took " .. order.customer })
    return done.affected
  end)
end
