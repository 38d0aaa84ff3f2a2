/*
 * The health protocol of our own beside Debian's, which has no List: whoever
 * was made from the one talks to the other.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define GRPC_PROTO "/usr/share/grpc-proto"
#define NAME "grpc/health/v1/health.proto"

static const char script[] =
    "import subprocess, sys\n"
    "from google.protobuf import descriptor_pb2\n"
    "def load(folder):\n"
    "    out = subprocess.run(\n"
    "        ['protoc', '-I' + folder, '--descriptor_set_out=/dev/stdout',\n"
    "         sys.argv[1]], check=True, stdout=subprocess.PIPE).stdout\n"
    "    return descriptor_pb2.FileDescriptorSet.FromString(out).file[0]\n"
    "def methods(file):\n"
    "    found = {}\n"
    "    for service in file.service:\n"
    "        for method in service.method:\n"
    "            method.ClearField('options')\n"
    "            found[service.name, method.name] = method\n"
    "    return found\n"
    "theirs, ours = load(sys.argv[2]), load(sys.argv[3])\n"
    "assert theirs.package == ours.package\n"
    "assert theirs.message_type and methods(theirs)\n"
    "for message in theirs.message_type:\n"
    "    assert message in ours.message_type, message\n"
    "for name, method in methods(theirs).items():\n"
    "    assert methods(ours)[name] == method, name\n";

Test(protocol, of_health_is_what_debian_has_and_more, .timeout = 60)
{
    FILE *python;

    if (system("/usr/bin/python3 -c 'import google.protobuf' 2>/dev/null") !=
        0) {
        cr_skip_test("python3-protobuf is not installed");
    }
    python =
        popen("/usr/bin/python3 - " NAME " " GRPC_PROTO " rpcrt/admin", "w");
    cr_assert_not_null(python);
    cr_assert_geq(fputs(script, python), 0);
    cr_assert_eq(pclose(python), 0);
}
