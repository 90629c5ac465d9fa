"""What a help tells people to write is read as what they mean."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from moonq.registry.yaml import reading
from moonq.registry.yaml.scalars import as_written
from moonq.registry.yaml.values import Values
from moonq.text.findings import Source

printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1)
words = st.text(st.sampled_from("ab:*.-_/0 #&!?,[]{}'\"~@%|>"), min_size=1)


@given(printable | words)
@example("*")
@example("app:*")
@example("queue.*")
@example("yes")
@example("null")
@example("12:30")
@example("${env:HOME}")
def test_text_is_the_same_when_it_is_read_again(text: str) -> None:
    written = f"[{as_written(text)}, b]"
    source = Source("x.yaml", written)
    node, findings = reading.read(source, written.encode())
    assert findings == []
    assert node is not None
    env = {"HOME": "${env:HOME}"}
    assert Values(source, env, findings).of(node) == [text, "b"]
    assert findings == []


def test_what_needs_no_quotes_has_none() -> None:
    for text in ("app:orders", "queue.publish", "queue.*", "app:*", "a/b-c_d"):
        assert as_written(text) == text
