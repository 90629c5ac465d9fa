local logger = require("logger")

--- Would hand the e-mail to a mail server; here the log is its recipient.
return function(email)
  logger.info("e-mail sent", { to = email.to, text = email.text })
end
