"""`http.client`: how requests of scripts are made: to whom, as whom, and within which bounds."""

from __future__ import annotations

from typing import ClassVar

from moonq.registry.common import Config
from moonq.registry.kind import Kind
from moonq.run.web.clients import KIND as NAME
from moonq.run.web.settings import WebSettings


class HttpClient(Config, WebSettings):
    """`http.client`: how requests of scripts are made."""

    example: ClassVar[str] = """\
name: bank
kind: http.client
base_url: https://bank.example/api
auth: {bearer: "${env:BANK_TOKEN}"}
timeout: 10s
retries: 2
"""


KIND = Kind(NAME, HttpClient, aliases={"http": "A client for HTTP", "http.endpoint": "An endpoint"})
