/* A pool of threads, each with one client at a time: pool PORT. */
#include "http.h"

#include <pthread.h>

#define THREADS 6

static int listener;

static void *work(void *nothing) {
    for (;;) {
        int client = accept_client(listener);
        converse(client);
        close(client);
    }
    return nothing;
}

int main(int count, char **arguments) {
    pthread_t thread;
    (void)count;
    signal(SIGPIPE, SIG_IGN);
    listener = listen_at(arguments[1]);
    for (int made = 1; made < THREADS; made++)
        if (pthread_create(&thread, NULL, work, NULL) != 0) return 1;
    work(NULL);
}
