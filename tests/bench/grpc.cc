/*
 * Subject "grpc": gRPC C++ with the callback API on both sides, one channel.
 * Answers are made where the request arrives. A single call is made by the
 * blocking stub, as with the other subjects.
 */
#include "bench/subject.h"

#include "bench/echo.grpc.pb.h"

#include <chrono>
#include <grpcpp/grpcpp.h>
#include <memory>
#include <string>
#include <vector>

namespace
{

const std::string payload(SUBJECT_PAYLOAD_SIZE, 'x');

class EchoService final : public bench::Echo::CallbackService
{
    grpc::ServerUnaryReactor *Here(grpc::CallbackServerContext *context,
                                   const bench::EchoRequest *request,
                                   bench::EchoReply *reply) override
    {
        reply->set_payload(request->payload());
        grpc::ServerUnaryReactor *reactor = context->DefaultReactor();
        reactor->Finish(grpc::Status::OK);
        return reactor;
    }
};

void
serve(const struct subject_args *)
{
    EchoService service;
    grpc::ServerBuilder builder;
    int port = 0;

    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(&service);
    std::unique_ptr<grpc::Server> server(builder.BuildAndStart());
    if (server == nullptr || port == 0) {
        subject_fail("grpc: can't listen");
    }
    subject_serve(static_cast<unsigned>(port));
    server->Shutdown(std::chrono::system_clock::now());
}

/* One call in flight; its parts are made anew for each use, as gRPC asks. */
struct Call {
    std::unique_ptr<grpc::ClientContext> context;
    bench::EchoRequest request;
    bench::EchoReply reply;
};

struct Client {
    std::unique_ptr<bench::Echo::Stub> stub;
    struct load *load;
    std::vector<Call> calls; /* one a slot */
};

void
prepare(Call *call)
{
    call->context = std::make_unique<grpc::ClientContext>();
    call->context->set_deadline(std::chrono::system_clock::now() +
                                std::chrono::milliseconds(SUBJECT_TIMEOUT_MS));
    call->request.set_payload(payload);
}

void
check(const Call &call, const grpc::Status &status)
{
    if (!status.ok()) {
        subject_fail("grpc: %s", status.error_message().c_str());
    }
    if (call.reply.payload().size() != SUBJECT_PAYLOAD_SIZE) {
        subject_fail("grpc: a reply of %zu bytes", call.reply.payload().size());
    }
}

void
call_start(void *arg, unsigned slot)
{
    Client *client = static_cast<Client *>(arg);
    Call *call = &client->calls[slot];

    prepare(call);
    client->stub->async()->Here(
        call->context.get(), &call->request, &call->reply,
        [client, call, slot](const grpc::Status &status) {
            check(*call, status);
            if (load_answered(client->load, slot)) {
                call_start(client, slot);
            }
        });
}

void
call_once(void *arg)
{
    Client *client = static_cast<Client *>(arg);
    Call *call = &client->calls[0];

    prepare(call);
    check(*call,
          client->stub->Here(call->context.get(), call->request, &call->reply));
}

void
measure(const struct subject_args *args)
{
    Client client;

    client.stub = bench::Echo::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(args->port),
                            grpc::InsecureChannelCredentials()));
    client.load = load_new(args->depth);
    client.calls.resize(args->depth);
    if (args->depth == 1 && std::string(args->name) == "grpc") {
        load_run_blocking(client.load, args->seconds, call_once, &client);
    } else {
        load_run(client.load, args->seconds, call_start, &client);
    }
    load_print(client.load);
    load_free(client.load);
}

} // namespace

int
main(int argc, char **argv)
{
    return subject_main(argc, argv, serve, measure);
}
