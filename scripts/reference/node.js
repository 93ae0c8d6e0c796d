// One event loop, or a cluster of them: `node node.js PORT [PROCESSES]`, with Node's own http and cluster.
"use strict";

const cluster = require("node:cluster");
const http = require("node:http");

const [port, processes = "1"] = process.argv.slice(2);
const BACKLOG = 1024;
const DEADLINE_MS = 5_000;
const WAIT_MS_MAX = 10_000;
const ROUNDS_MAX = 100_000_000;

if (cluster.isPrimary && processes !== "1") {
  for (let started = 0; started < Number(processes); started += 1) cluster.fork();
} else {
  const server = http.createServer((request, response) => {
    const reply = (status, body) => {
      response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", "Content-Length": body.length });
      response.end(body);
    };
    const [, name, argument, ...more] = request.url.split("/");
    const number = /^[0-9]{1,9}$/.test(argument) && more.length === 0 ? Number(argument) : NaN;
    if (request.method !== "GET") reply(404, "not found\n");
    else if (request.url === "/") reply(200, "Hola, cliente!");
    else if (name === "wait" && number <= WAIT_MS_MAX) setTimeout(reply, number, 200, `waited ${number} ms\n`);
    else if (name === "compute" && number <= ROUNDS_MAX) reply(200, String(compute(number)));
    else reply(404, "not found\n");
  });
  server.headersTimeout = DEADLINE_MS;
  server.keepAliveTimeout = DEADLINE_MS;
  server.listen({ host: "127.0.0.1", port: Number(port), backlog: BACKLOG });
}

// So many rounds of xorshift64*, as in Hola's /compute: Node has 64-bit integers as BigInt only.
function compute(rounds) {
  let state = 0x9e3779b97f4a7c15n;
  for (let round = 0; round < rounds; round += 1) {
    state ^= state >> 12n;
    state ^= BigInt.asUintN(64, state << 25n);
    state ^= state >> 27n;
  }
  return BigInt.asUintN(64, state * 0x2545f4914f6cdd1dn);
}
