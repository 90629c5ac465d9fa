"""What an `http.client` entry may say."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from moonq.registry.common import Strict
from moonq.registry.connecting import Tls
from moonq.registry.fields import Limit, Size, Whole, between, bytes_between, wrong
from moonq.run.web.addresses import network_of
from moonq.text.urls import problem_of

MIB = 1024 * 1024
TIMEOUT = 30.0
MAX_RESPONSE = 10 * MIB
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
_PLAIN = re.compile(r"[\t -~]*")
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9_]([A-Za-z0-9._-]{0,250}[A-Za-z0-9_])?\.?")
#: What belongs to the connection, or says where a request goes: the URL says that.
OURS = frozenset(
    {
        *("host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade"),
        *("te", "trailer", "expect", "proxy-authorization", "proxy-connection", "http2-settings"),
    }
)


def header_problem(name: str, value: str) -> str:
    """Return what is wrong with a header of a request; nothing: it may be sent."""
    if not _TOKEN.fullmatch(name):
        return "the name of a header has letters, digits and `-`, and no space"
    if name.lower() in OURS:
        return f"`{name}` is written by moonq alone, as the URL and the body say"
    if "\r" in value or "\n" in value:
        return f"`{name}` holds a line break, which would begin another header"
    if not _PLAIN.fullmatch(value):
        return f"`{name}` holds what no header can carry: encode what is not plain ASCII"
    return ""


class Auth(Strict):
    """As whom every request is made: a token, or a name and a password."""

    bearer: str | None = Field(
        None, min_length=1, description="A token, sent as `Authorization: Bearer`."
    )
    username: str | None = Field(
        None, description="Sent with `password` as `Authorization: Basic`."
    )
    password: str | None = Field(None, description="What belongs to `username`.")

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Auth:
        has_name = self.username is not None
        if has_name == (self.bearer is not None) or has_name != (self.password is not None):
            raise wrong(
                "`auth` must have either `bearer`, or `username` and `password`",
                help='write `auth: {bearer: "${env:BANK_TOKEN}"}`',
            )
        if self.bearer is not None and not re.fullmatch(r"[!-~]+", self.bearer):
            raise wrong("`bearer` must be a token without spaces")
        return self


class WebSettings(Strict):
    """How requests are made; mixed into an entry's model."""

    base_url: str | None = Field(
        None, description="What is put in front of a URL that begins with no scheme."
    )
    headers: dict[str, str] = Field(
        default_factory=dict, description="Headers of every request, sent where `auth` is."
    )
    auth: Auth | None = Field(
        None, description="Credentials for the host of `base_url`; without one, for all."
    )
    timeout: Annotated[Limit, between(0.001, 3600)] = Field(
        TIMEOUT, description="How long a call may take, with redirects, retries and the body."
    )
    proxy: str | None = Field(
        None, description="The proxy that all requests go through: `http://host:port`."
    )
    max_response: Annotated[Size, bytes_between(1, 64 * MIB)] = Field(
        MAX_RESPONSE, description="The longest body of an answer, unpacked."
    )
    retries: Annotated[Whole, between(0, 10)] = Field(
        0,
        description="Further tries where nothing answers, of GET, HEAD, PUT, DELETE and OPTIONS.",
    )
    allow: list[str] = Field(
        default_factory=list,
        description="Addresses, networks and hosts that are refused unless they are named here.",
    )
    tls: Tls | None = Field(None, description="Certificates, for URLs that begin with `https://`.")

    @field_validator("base_url")
    @classmethod
    def _is_a_base(cls, url: str | None) -> str | None:
        if url is None:
            return None
        problem = problem_of(url)
        if not problem and "?" in url:
            problem = "has a query"
        if problem:
            raise wrong(
                f"`base_url` {problem}", help="write one such as `https://bank.example/api`"
            )
        return url

    @field_validator("proxy")
    @classmethod
    def _is_a_proxy(cls, url: str | None) -> str | None:
        if url is None:
            return None
        problem = problem_of(url, may_have_user=True)
        if not problem and not url.lower().startswith("http://"):
            problem = "must begin with http://"
        if not problem and urlsplit(url).path not in ("", "/"):
            problem = "has a path"
        if problem:
            raise wrong(f"`proxy` {problem}", help="write one such as `http://10.0.0.1:3128`")
        return url

    @field_validator("headers")
    @classmethod
    def _can_be_sent(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if problem := header_problem(name, value):
                raise wrong(f"`headers`: {problem}")
        return headers

    @field_validator("allow")
    @classmethod
    def _are_named(cls, allow: list[str]) -> list[str]:
        for one in allow:
            try:
                known = network_of(one) is not None or _HOST.fullmatch(one) is not None
            except ValueError as problem:
                raise wrong(f"`allow` holds {one!r}: {problem}") from None
            if not known:
                raise wrong(
                    f"`allow` holds {one!r}, which is no address, network or host",
                    help="write such as `10.0.0.7`, `10.0.0.0/8`, `fd00::/8` or `bank.internal`",
                )
        return allow


DEFAULTS = WebSettings()
