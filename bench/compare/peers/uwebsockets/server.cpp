// Peer of the comparison: uWebSockets on one thread, without TLS and compression, and with its own topics for what is
// told to everybody.

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "App.h"

namespace {

// The default of 64 KiB drops messages of a reader who falls behind; the driver counts each of them.
constexpr unsigned MAX_BACKPRESSURE_BYTES = 16 * 1024 * 1024;
constexpr unsigned MAX_MESSAGE_BYTES = 1024 * 1024;
constexpr std::string_view EVERYBODY = "everybody";

struct Nothing {};

} // namespace

int main(int count, char **arguments) {
    std::string host;
    int port = 0;
    bool broadcast = false;
    for (int index = 1; index < count; index++) {
        const std::string_view argument = arguments[index];
        if (argument == "--broadcast") {
            broadcast = true;
        } else if (argument == "--listen" && index + 1 < count) {
            const std::string address = arguments[++index];
            const auto colon = address.rfind(':');
            host = address.substr(0, colon);
            port = std::atoi(address.c_str() + colon + 1);
        }
    }

    uWS::App app;
    app.ws<Nothing>("/*", {
        .compression = uWS::DISABLED,
        .maxPayloadLength = MAX_MESSAGE_BYTES,
        .idleTimeout = 0,
        .maxBackpressure = MAX_BACKPRESSURE_BYTES,
        .open = [broadcast](auto *socket) {
            if (broadcast) {
                socket->subscribe(EVERYBODY);
            }
        },
        .message = [broadcast, &app](auto *socket, std::string_view message, uWS::OpCode code) {
            if (broadcast) {
                // By the app, or it would leave out who said it.
                app.publish(EVERYBODY, message, code);
            } else {
                socket->send(message, code);
            }
        },
    });
    app.listen(host, port, [&host, port](auto *socket) {
        if (!socket) {
            std::cerr << "cannot listen on " << host << ':' << port << '\n';
            std::exit(1);
        }
    });
    app.run();
}
