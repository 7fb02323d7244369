"""The API's documentation page: our own rendering of its OpenAPI description, offline and under the strict CSP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.api.app import build_api
from adapters.api.known import ApiContext

BASE = "/api/v1"


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a field of the body."""

    name: str
    place: str  # query | path | header | body
    type: str
    required: bool
    default: str
    note: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one resource."""

    method: str
    path: str
    summary: str
    fields: tuple[Field, ...]

    @property
    def anchor(self) -> str:
        """Its name within the page."""
        return f"{self.method}-{self.path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}".lower()


def operations(known: ApiContext) -> Mapping[str, list[Operation]]:
    """Every operation, by tag."""
    document = build_api(known).openapi()
    reader = _Reader(document.get("components", {}).get("schemas", {}))
    groups: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            fields = [reader.parameter(p) for p in operation.get("parameters", ())] + reader.body(operation)
            summary = str(operation.get("description") or operation.get("summary", ""))
            shown = Operation(method.upper(), f"{BASE}{path}", summary, tuple(fields))
            groups.setdefault(str((operation.get("tags") or ["passerelle"])[0]), []).append(shown)
    return groups


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads fields; `schemas` are the components that a `$ref` names."""

    schemas: Mapping[str, Any]

    def parameter(self, parameter: Mapping[str, Any]) -> Field:
        schema = parameter.get("schema", {})
        note = str(parameter.get("description") or schema.get("description", ""))
        required = bool(parameter.get("required"))
        return Field(parameter["name"], parameter["in"], self.type(schema), required, _default(schema), note)

    def body(self, operation: Mapping[str, Any]) -> list[Field]:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        schema = next((s for one in (content, *content.get("anyOf", ())) if (s := self._named(one))), {})
        required = set(schema.get("required", ()))
        return [
            Field(key, "body", self.type(value), key in required, _default(value), str(value.get("description", "")))
            for key, value in schema.get("properties", {}).items()
        ]

    def type(self, schema: Mapping[str, Any]) -> str:
        choices = [s for s in schema.get("anyOf", ()) if s.get("type") != "null"]
        if choices:
            return " | ".join(self.type(s) for s in choices)
        named = self._named(schema)
        if "enum" in schema or "enum" in named:
            return " | ".join(map(str, (named or schema)["enum"]))
        if schema.get("type") == "array":
            return f"{self.type(schema.get('items', {}))}[]"
        return str(schema.get("type", ""))

    def _named(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.schemas.get(str(schema.get("$ref", "")).rpartition("/")[2], {})
        return found


def _default(schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    return "" if default in (None, "", []) else str(default)
