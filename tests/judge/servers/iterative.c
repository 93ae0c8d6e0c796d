/* One client after another: iterative PORT [FAULT]. */
#include "http.h"

int main(int count, char **arguments) {
    if (count > 2) fault = arguments[2];
    /* A client that leaves before its answer is an error of write(2), not the end of the server. */
    if (!has_fault("dies-on-sigpipe")) signal(SIGPIPE, SIG_IGN);
    int listener = listen_at(arguments[1]);
    for (;;) {
        int client = accept_client(listener);
        converse(client);
        close(client);
    }
}
