"""Validates every golden vector against the AsyncAPI document, and that document against itself.

    check_asyncapi.py DOCUMENT VECTORS
"""

import copy
import json
import sys

import fastjsonschema
import yaml


def references(node, at="#"):
    """Every `$ref` of the document, with the place where it stands."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield at, node["$ref"]
        for key, value in node.items():
            yield from references(value, f"{at}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from references(value, f"{at}/{index}")


def resolve(document, reference):
    node = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def check_document(document):
    """What is wrong with the document in itself."""
    if document["asyncapi"] != "3.0.0" or not document["info"]["title"] or not document["info"]["version"]:
        yield "not an AsyncAPI 3.0.0 document with a title and a version"
    for at, reference in references(document):
        try:
            resolve(document, reference)
        except (KeyError, TypeError):
            yield f"{at}: {reference} leads nowhere"
    in_operations = set()
    for name, operation in document["operations"].items():
        if operation["action"] not in ("send", "receive"):
            yield f"{name}: action {operation['action']}"
        for part in (operation, operation.get("reply")):
            if part:
                channel = part["channel"]["$ref"]
                used = [message["$ref"] for message in part["messages"]]
                in_operations.update(used)
                # AsyncAPI wants an operation's messages to be those of its channel.
                yield from (f"{name}: {message} is not of {channel}" for message in used
                            if not message.startswith(f"{channel}/messages/"))
    for name, channel in document["channels"].items():
        for message in channel["messages"]:
            if f"#/channels/{name}/messages/{message}" not in in_operations:
                yield f"no operation has {message}"


def strict(document):
    """The same document, with schemas that refuse fields they do not know: a misspelt one must not pass."""
    document = copy.deepcopy(document)
    for schema in document["components"]["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return document


def message_of(frame):
    """The name of the message a frame is, as `command.send`."""
    for envelope in ("reply", "push"):
        if envelope in frame:
            return f"{envelope}.{next(key for key in frame[envelope] if key != 'id')}"
    return f"command.{next(key for key in frame if key not in ('id', 'received'))}"


def check_vectors(document, vectors):
    """Vectors that do not fit their message, and whether a spoilt one is noticed."""
    validators, components = {}, strict(document)["components"]
    for vector in vectors:
        name = message_of(vector["json"])
        if name not in validators:
            payload = f"#/components/messages/{name}/payload"
            validators[name] = fastjsonschema.compile({"$ref": payload, "components": components})
        try:
            validators[name](vector["json"])
        except fastjsonschema.JsonSchemaException as error:
            yield f"{vector['name']}: {error}"
    unused = set(document["components"]["messages"]) - set(validators)
    yield from (f"no vector is a {name}" for name in sorted(unused))
    for spoilt in ({"id": 5, "ping": {}}, {"id": "5", "ping": {"x": 1}}):
        try:
            validators["command.ping"](spoilt)
            yield f"{spoilt} passes"
        except fastjsonschema.JsonSchemaException:
            pass


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = yaml.safe_load(file)
    with open(sys.argv[2], encoding="utf-8") as file:
        vectors = json.load(file)["vectors"]
    complaints = [*check_document(document), *check_vectors(document, vectors)]
    print("\n".join(complaints))
    print(len(document["components"]["messages"]), "messages,", len(vectors), "vectors")
    return 1 if complaints or not vectors else 0


if __name__ == "__main__":
    sys.exit(main())
