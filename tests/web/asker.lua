local http = require("http")

--- Asks for what its message names, and fails as the answer does.
return function(order)
  local response, err = http.raise(http.request(order.method or "GET", order.url, order.options))
  return response and { status = response.status, body = response.body } or nil, err
end
