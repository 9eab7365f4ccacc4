"""Reads and writes every golden vector with Google's Protobuf, and looks for what no vector shows.

    check_vectors.py DESCRIPTORS VECTORS
"""

import json
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.message import DecodeError

# Ringwire refuses these; Google's reader skips what does not fit and comes to an empty frame.
SKIPPED_BY_GOOGLE = {"not an object", "id as bytes"}
TYPES = {"command": "ringwire.v1.Command", "server_frame": "ringwire.v1.ServerFrame"}


class Schema:
    """The message classes of a FileDescriptorSet."""

    def __init__(self, path):
        with open(path, "rb") as file:
            files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
        self.pool = descriptor_pool.DescriptorPool()
        for file in files.file:
            self.pool.Add(file)
        self.messages, self.enums = [], []
        for file in files.file:
            self._collect(file.package, file.message_type, file.enum_type)

    def _collect(self, scope, messages, enums):
        self.enums += [self.pool.FindEnumTypeByName(f"{scope}.{enum.name}") for enum in enums]
        for message in messages:
            name = f"{scope}.{message.name}"
            self.messages.append(self.pool.FindMessageTypeByName(name))
            self._collect(name, message.nested_type, message.enum_type)

    def frame(self, kind):
        """An empty frame of a type named in the vectors."""
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(TYPES[kind]))()


def to_json(frame):
    return json_format.MessageToDict(frame, preserving_proto_field_name=True)


def to_payload(frame):
    """One frame as the payload of a binary WebSocket message: its length as a varint, then itself."""
    body = frame.SerializeToString(deterministic=True)
    length, varint = len(body), bytearray()
    while length > 0x7F:
        varint.append(length & 0x7F | 0x80)
        length >>= 7
    varint.append(length)
    return bytes(varint) + body


def from_payload(frame, payload):
    """Fills a frame from a payload that holds exactly this one; ValueError where it does not."""
    length = shift = at = 0
    while True:
        if at == len(payload) or at == 10:
            raise ValueError("a length without end")
        byte = payload[at]
        at, length, shift = at + 1, length | (byte & 0x7F) << shift, shift + 7
        if byte < 0x80:
            break
    if length != len(payload) - at:
        raise ValueError("a length that is not the frame's")
    frame.ParseFromString(payload[at:])
    return frame


def from_json(frame, value, lenient):
    return json_format.ParseDict(value, frame, ignore_unknown_fields=lenient)


def check_vector(schema, vector):
    """What this implementation does otherwise."""
    told = from_json(schema.frame(vector["type"]), vector["json"], lenient=False)
    read = from_payload(schema.frame(vector["type"]), bytes.fromhex(vector["protobuf"]))
    if told != read:
        yield "the two encodings are different frames"
    for frame, source in ((told, "JSON"), (read, "Protobuf")):
        if to_payload(frame).hex() != vector["protobuf"]:
            yield f"read from {source} and written as Protobuf: {to_payload(frame).hex()}"
        if to_json(frame) != vector["json"]:
            yield f"read from {source} and written as JSON: {json.dumps(to_json(frame))}"


def check_lenient(schema, vector):
    meant = from_json(schema.frame(vector["type"]), vector["means"], lenient=False)
    told = from_json(schema.frame(vector["type"]), vector["json"], lenient=True)
    if told != meant:
        yield f"JSON is taken for {to_json(told)}"
    if "protobuf" in vector:
        read = from_payload(schema.frame(vector["type"]), bytes.fromhex(vector["protobuf"]))
        if to_json(read) != vector["means"]:
            yield f"Protobuf is taken for {to_json(read)}"


def check_invalid(schema, vector):
    frame = schema.frame("command")
    try:
        if vector["encoding"] == "json":
            json_format.Parse(vector["payload"], frame)
        else:
            from_payload(frame, bytes.fromhex(vector["payload"]))
    except (DecodeError, UnicodeDecodeError, ValueError, json_format.ParseError):
        return
    if vector["name"] not in SKIPPED_BY_GOOGLE or to_json(frame):
        yield f"accepted as {to_json(frame)}"


def shown(frame, fields, values):
    """Notes the fields that are set and the values of enums that stand in them, here and below."""
    for field, value in frame.ListFields():
        fields.add(field.full_name)
        is_map = field.message_type and field.message_type.GetOptions().map_entry
        if is_map:
            entry = field.message_type
            fields.update(f"{entry.full_name}.{name}" for name in ("key", "value"))
            continue
        for one in value if field.is_repeated else [value]:
            if field.message_type:
                shown(one, fields, values)
            elif field.enum_type:
                values.add((field.enum_type.full_name, one))


def missing(schema, vectors):
    """Fields and values of enums that no vector shows."""
    fields, values = set(), set()
    for vector in vectors:
        shown(from_json(schema.frame(vector["type"]), vector["json"], lenient=False), fields, values)
    for message in schema.messages:
        for field in message.fields:
            if field.full_name not in fields:
                yield f"no vector sets {field.full_name}"
    for enum in schema.enums:
        for value in enum.values:
            # 0 is what is left out.
            if value.number and (enum.full_name, value.number) not in values:
                yield f"no vector holds {enum.full_name}.{value.name}"


def main():
    schema = Schema(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        file = json.load(file)
    checks = (("vectors", check_vector), ("lenient", check_lenient), ("invalid", check_invalid))
    complaints = []
    for group, check in checks:
        for vector in file[group]:
            complaints += [f"{group}: {vector['name']}: {said}" for said in check(schema, vector)]
    complaints += missing(schema, file["vectors"])
    print("\n".join(complaints))
    print({group: len(file[group]) for group, _ in checks}, len(schema.messages), "messages")
    return 1 if complaints or not file["vectors"] else 0


if __name__ == "__main__":
    sys.exit(main())
