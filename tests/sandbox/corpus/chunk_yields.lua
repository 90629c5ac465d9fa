-- expect: harmless (fails): a file is no coroutine
coroutine.yield()
