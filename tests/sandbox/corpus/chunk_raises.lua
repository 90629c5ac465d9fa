-- expect: harmless (fails): a file that raises
error({ file = "broken" })
