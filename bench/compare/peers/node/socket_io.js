// Peer of the comparison: Socket.IO by WebSocket alone, its usual settings otherwise. A message is the event `m` with
// one text.

import { createServer } from 'node:http';
import { Server } from 'socket.io';

const after = (name) => process.argv[process.argv.indexOf(name) + 1];
const [host, port] = after('--listen').split(':');
const broadcast = process.argv.includes('--broadcast');

const http = createServer();
const server = new Server(http, { transports: ['websocket'], serveClient: false });
server.on('connection', (socket) => {
  socket.on('m', (text) => (broadcast ? server : socket).emit('m', text));
});
http.listen(Number(port), host);
