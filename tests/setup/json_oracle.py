"""The other side of tests/unit/test_json_oracle.c: random messages, and whether
rpcrt's JSON means the same to python3-protobuf.

  json_oracle.py generate FOLDER SEED COUNT   from FOLDER/*.pb, FileDescriptorProtos
  json_oracle.py check FOLDER

FOLDER/asked has a line for each message: its bytes in hex, and its JSON.
FOLDER/answered has rpcrt's JSON of these bytes, and the bytes of that JSON.
"""
import glob
import json
import random
import sys

from google.protobuf import any_pb2, duration_pb2, empty_pb2, field_mask_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, json_format
from google.protobuf import struct_pb2, symbol_database, timestamp_pb2
from google.protobuf import wrappers_pb2
from google.protobuf.descriptor import FieldDescriptor as F

MAIN = 'sample.json.All'
INTS = {F.TYPE_INT32: (31, 1), F.TYPE_SINT32: (31, 1), F.TYPE_SFIXED32: (31, 1),
        F.TYPE_INT64: (63, 1), F.TYPE_SINT64: (63, 1), F.TYPE_SFIXED64: (63, 1),
        F.TYPE_UINT32: (32, 0), F.TYPE_FIXED32: (32, 0),
        F.TYPE_UINT64: (64, 0), F.TYPE_FIXED64: (64, 0)}


def load(folder):
    pool = descriptor_pool.Default()
    waiting = []
    for path in glob.glob(folder + '/*.pb'):
        with open(path, 'rb') as file:
            waiting.append(descriptor_pb2.FileDescriptorProto.FromString(
                file.read()))
    while waiting:
        one = waiting.pop(0)
        try:
            pool.FindFileByName(one.name)
            continue
        except KeyError:
            pass
        try:
            pool.AddSerializedFile(one.SerializeToString())
        except TypeError:
            waiting.append(one)
    db = symbol_database.Default()
    return db.GetPrototype(pool.FindMessageTypeByName(MAIN))


def integer(rng, bits, signed):
    low = -(1 << bits) if signed else 0
    high = (1 << bits) - 1
    return rng.choice([low, high, 0, 1, max(low, -1), 1000,
                       rng.randint(low, high), rng.randint(0, 300)])


def text(rng):
    letters = ['a', 'Z', '_', '"', '\\', '/', '\n', '\t', '\x01', '\x7f',
               '\x85', 'ä', '€', '\u2028', '\U0001f600', '<', "'", ' ']
    return ''.join(rng.choice(letters) for _ in range(rng.randint(0, 9)))


def real(rng, narrow):
    value = rng.choice([
        1.0, 0.1, -2.5, 1e20, 1e-7, 123456789.0, float('inf'), float('-inf'),
        float('nan'), rng.uniform(-1, 1), rng.uniform(-1e30, 1e30),
        rng.randint(-1000, 1000) / 8, 5e-324 if not narrow else 1e-37,
        1.7976931348623157e308 if not narrow else 3.4e38])
    return value if value != 0 else 1.0


def scalar(rng, field):
    if field.type in INTS:
        return integer(rng, *INTS[field.type])
    if field.type in (F.TYPE_FLOAT, F.TYPE_DOUBLE):
        return real(rng, field.type == F.TYPE_FLOAT)
    if field.type == F.TYPE_BOOL:
        return rng.random() < 0.5
    if field.type == F.TYPE_ENUM:
        if field.enum_type.full_name == 'google.protobuf.NullValue':
            return 0
        return rng.choice(field.enum_type.values).number \
            if rng.random() < 0.9 else rng.randint(-9, 99)
    if field.type == F.TYPE_BYTES:
        return bytes(rng.randrange(256) for _ in range(rng.randint(0, 7)))
    return text(rng)


def fill_known(rng, message, depth):
    name = message.DESCRIPTOR.name
    if name == 'Timestamp':
        message.seconds = rng.choice([-62135596800, 253402300799, 0, -1,
                                      rng.randint(-62135596800, 253402300799)])
        message.nanos = rng.choice([0, 1, 999999999, 500000000, 123000])
    elif name == 'Duration':
        sign = rng.choice([1, -1])
        message.seconds = sign * rng.choice([0, 1, 315576000000 - 1,
                                             rng.randint(0, 99999)])
        message.nanos = sign * rng.choice([0, 1, 999999999, 500000000, 123000])
    elif name == 'FieldMask':
        for _ in range(rng.randint(0, 3)):
            message.paths.append(rng.choice(['a', 'foo_bar', 'a.b_c.d', 'x1']))
    elif name == 'Any':
        if rng.random() < 0.9:
            inner = rng.choice([duration_pb2.Duration(), empty_pb2.Empty(),
                                struct_pb2.Value(), any_pb2.Any(),
                                wrappers_pb2.Int64Value(),
                                symbol_database.Default().GetPrototype(
                                    descriptor_pool.Default()
                                    .FindMessageTypeByName(
                                        'sample.json.Maps'))()])
            fill(rng, inner, depth + 1)
            message.Pack(inner)
    elif name == 'Value':
        kind = rng.randint(0, 5 if depth < 6 else 3)
        if kind == 0:
            message.null_value = 0
        elif kind == 1:
            message.number_value = rng.choice([0, 1.5, -3, 1e300])
        elif kind == 2:
            message.string_value = text(rng)
        elif kind == 3:
            message.bool_value = rng.random() < 0.5
        elif kind == 4:
            message.struct_value.SetInParent()
            fill(rng, message.struct_value, depth + 1)
        else:
            message.list_value.SetInParent()
            fill(rng, message.list_value, depth + 1)
    else:
        return False
    return True


def fill(rng, message, depth):
    if fill_known(rng, message, depth):
        return
    for field in message.DESCRIPTOR.fields:
        if rng.random() < 0.4 + depth * 0.05:
            continue
        # The other writes null for these but does not read it.
        if field.name == 'nothings':
            continue
        entry = field.message_type
        if entry is not None and depth > 6:
            continue
        if entry is not None and entry.GetOptions().map_entry:
            key_field, value_field = entry.fields
            for _ in range(rng.randint(0, 3)):
                key = scalar(rng, key_field)
                if value_field.message_type is None:
                    getattr(message, field.name)[key] = scalar(rng, value_field)
                else:
                    fill(rng, getattr(message, field.name)[key], depth + 1)
        elif field.label == F.LABEL_REPEATED:
            for _ in range(rng.randint(0, 3)):
                if entry is None:
                    getattr(message, field.name).append(scalar(rng, field))
                else:
                    fill(rng, getattr(message, field.name).add(), depth + 1)
        elif entry is None:
            setattr(message, field.name, scalar(rng, field))
        else:
            getattr(message, field.name).SetInParent()
            fill(rng, getattr(message, field.name), depth + 1)


def generate(folder, seed, count):
    kind = load(folder)
    rng = random.Random(seed)
    with open(folder + '/asked', 'w', encoding='ascii') as out:
        for _ in range(count):
            message = kind()
            fill(rng, message, 0)
            out.write('%s\t%s\n' % (
                message.SerializeToString(deterministic=True).hex(),
                json_format.MessageToJson(message, indent=None)))


def same(left, right):
    """As values: the bytes in an Any may have its maps in another order."""
    return json_format.MessageToDict(left) == json_format.MessageToDict(right)


def check(folder):
    kind = load(folder)
    failed = 0
    with open(folder + '/asked', encoding='utf-8') as file:
        asked = file.read().splitlines()
    with open(folder + '/answered', encoding='utf-8') as file:
        answered = file.read().split('\n')[:-1]
    assert len(asked) == len(answered) > 0
    for number, (question, answer) in enumerate(zip(asked, answered)):
        given, their = question.split('\t', 1)
        message = kind.FromString(bytes.fromhex(given))
        ours, back = answer.rsplit('\t', 1)
        again = kind.FromString(bytes.fromhex(back))
        if json.loads(ours) != json.loads(their):
            print('%d: rpcrt writes\n%s\nnot\n%s' % (number, ours, their))
            failed += 1
        elif not same(json_format.Parse(ours, kind()), message):
            print('%d: read by the other, not the same:\n%s' % (number, ours))
            failed += 1
        elif not same(again, message):
            print('%d: rpcrt reads %s\nnot\n%s' % (number, again, message))
            failed += 1
    return failed


if __name__ == '__main__':
    if sys.argv[1] == 'generate':
        generate(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    elif check(sys.argv[2]) > 0:
        sys.exit(1)
