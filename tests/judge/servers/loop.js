// The event loop of Node.js: node loop.js PORT.
'use strict';
const http = require('node:http');

const GREETING = 'Hola, cliente!';

const server = http.createServer((request, response) => {
  if (request.url !== '/') {
    response.writeHead(404, { 'Content-Length': 0 }).end();
    return;
  }
  if (!['GET', 'HEAD'].includes(request.method)) {
    response.writeHead(405, { 'Content-Length': 0 }).end();
    return;
  }
  response.writeHead(200, { 'Content-Length': GREETING.length });
  response.end(request.method === 'GET' ? GREETING : '');
});

server.listen(Number(process.argv[2]), '127.0.0.1');
