/*
 * Subjects "grpc-pour" and "grpc-sink": gRPC C++ with the synchronous API on
 * both sides, which for a single stream is its fastest, one channel.
 */
#include "bench/meter.h"
#include "bench/subject.h"

#include "bench/echo.grpc.pb.h"

#include <chrono>
#include <grpcpp/grpcpp.h>
#include <memory>
#include <string>

namespace
{

class EchoService final : public bench::Echo::Service
{
    grpc::Status Pour(grpc::ServerContext *, const bench::PourRequest *request,
                      grpc::ServerWriter<bench::EchoReply> *writer) override
    {
        bench::EchoReply message;

        message.set_payload(std::string(request->size(), 'x'));
        while (writer->Write(message)) {
        }
        return grpc::Status::OK;
    }

    grpc::Status Sink(grpc::ServerContext *,
                      grpc::ServerReader<bench::EchoRequest> *reader,
                      bench::SinkReply *reply) override
    {
        bench::EchoRequest message;
        uint64_t messages = 0;

        while (reader->Read(&message)) {
            messages++;
        }
        reply->set_messages(messages);
        return grpc::Status::OK;
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

void
take_all(bench::Echo::Stub *stub, struct meter *meter, unsigned size)
{
    grpc::ClientContext context;
    bench::PourRequest request;
    bench::EchoReply message;

    request.set_size(size);
    auto reader = stub->Pour(&context, request);
    do {
        if (!reader->Read(&message) || message.payload().size() != size) {
            subject_fail("grpc: %s", reader->Finish().error_message().c_str());
        }
    } while (meter_count(meter));
    context.TryCancel();
    while (reader->Read(&message)) {
    }
    (void)reader->Finish();
}

void
send_all(bench::Echo::Stub *stub, struct meter *meter, unsigned size)
{
    grpc::ClientContext context;
    bench::EchoRequest message;
    bench::SinkReply reply;

    message.set_payload(std::string(size, 'x'));
    auto writer = stub->Sink(&context, &reply);
    do {
        if (!writer->Write(message)) {
            subject_fail("grpc: %s", writer->Finish().error_message().c_str());
        }
    } while (meter_count(meter));
    writer->WritesDone();
    if (!writer->Finish().ok() || reply.messages() != meter->n_messages) {
        subject_fail("grpc: messages are missing");
    }
}

void
measure(const struct subject_args *args)
{
    auto stub = bench::Echo::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(args->port),
                            grpc::InsecureChannelCredentials()));
    struct meter meter;

    meter_start(&meter, args->seconds);
    if (std::string(args->name) == "grpc-pour") {
        take_all(stub.get(), &meter, args->depth);
    } else {
        send_all(stub.get(), &meter, args->depth);
    }
    meter_print(&meter);
}

} // namespace

int
main(int argc, char **argv)
{
    return subject_main(argc, argv, serve, measure);
}
