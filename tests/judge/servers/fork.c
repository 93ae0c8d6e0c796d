/* A process per client: fork PORT [FAULT]. */
#include "http.h"

#include <sys/prctl.h>

/* Serves a client in the child. */
static void child(int listener, int client) {
    if (!has_fault("leaves-children")) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        close(listener);
    }
    converse(client);
    exit(0);
}

int main(int count, char **arguments) {
    if (count > 2) fault = arguments[2];
    int listener = listen_at(arguments[1]);
    /* The kernel reaps the children (sigaction(2), SA_NOCLDWAIT). */
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int client = accept_client(listener);
        if (fork() == 0) child(listener, client);
        close(client);
    }
}
