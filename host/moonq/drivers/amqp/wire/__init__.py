"""AMQP 0-9-1 for the driver: connections that never wait, and exact headers.

`connection` opens one and reads it, `channel` is what is asked of a broker, `messages` what
travels; `address` says where. Below them `handshake`, `stream` (bytes), `frames`, `content`
(messages coming in), `properties` and `table` (their headers); `faults` are the sentences for all
that goes wrong.

    address = Address.parse("amqp://127.0.0.1/")
    connection = Connection(address, name="orders", heartbeat=20, timeout=5)
    connection.open()
    channel = connection.channel()
    channel.publish([Outgoing("", "orders", Properties(delivery_mode=2), b"{}")])

pamqp has all methods of the protocol. Those of each message are written here, because its headers
are not exact (floats have 32 bits) and this takes a fifth of the time.
"""
