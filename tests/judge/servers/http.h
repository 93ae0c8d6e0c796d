/* What the C servers here say on a connection: one request, one answer. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GREETING "Hola, cliente!"
#define HEAD_MAX 16384

/* The fault that a server was asked for; empty for a right server. */
static const char *fault = "";

static int has_fault(const char *name) { return strcmp(fault, name) == 0; }

/* Sends a head that declares `length`, and the first `sent` bytes of `body`. */
static void answer(int client, const char *status, const char *body, size_t length, size_t sent) {
    dprintf(client, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", status, length);
    /* A client that has left is nothing to do about. */
    if (sent > 0 && write(client, body, sent) < 0) return;
}

static void refuse(int client, const char *status) { answer(client, status, "", 0, 0); }

static void respond(int client, const char *head) {
    char method[8], path[256], version[16];
    /* sizeof counts the zero at the end of a string. */
    size_t length = has_fault("counts-the-zero") ? sizeof GREETING : strlen(GREETING);
    if (sscanf(head, "%7s %255s %15s", method, path, version) != 3 || strncmp(version, "HTTP/1.", 7) != 0)
        refuse(client, "400 Bad Request");
    else if (strcmp(path, "/") != 0)
        refuse(client, "404 Not Found");
    else if (strcmp(method, "GET") == 0)
        answer(client, "200 OK", GREETING, length, length);
    else if (strcmp(method, "HEAD") == 0)
        answer(client, "200 OK", GREETING, length, 0);
    else
        refuse(client, "405 Method Not Allowed");
}

/* Reads until the head is complete, in however many pieces it comes, and answers. */
static void converse(int client) {
    char head[HEAD_MAX + 1] = "";
    size_t length = 0;
    while (strstr(head, "\r\n\r\n") == NULL) {
        if (length == HEAD_MAX) return refuse(client, "431 Request Header Fields Too Large");
        ssize_t count = read(client, head + length, HEAD_MAX - length);
        if (count <= 0) return;
        length += count;
        head[length] = '\0';
    }
    respond(client, head);
}

/* The listener at the port that the first argument names. */
static int listen_at(const char *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 128) < 0) {
        perror("listen");
        exit(1);
    }
    return listener;
}

/* The next client. Where there is no descriptor for it, waits until others leave. */
static int accept_client(int listener) {
    int client;
    while ((client = accept(listener, NULL, NULL)) < 0) usleep(50000);
    return client;
}
