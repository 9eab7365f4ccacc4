// Peer of the comparison: the usual WebSocket server of Node, without compression, as `ws` advises for many messages.

import { WebSocketServer } from 'ws';

const after = (name) => process.argv[process.argv.indexOf(name) + 1];
const [host, port] = after('--listen').split(':');
const broadcast = process.argv.includes('--broadcast');

const server = new WebSocketServer({ host, port: Number(port), perMessageDeflate: false });
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => {
    const listeners = broadcast ? server.clients : [socket];
    for (const listener of listeners) listener.send(data, { binary: isBinary });
  });
  // Whatever ends a connection here ends it for the driver too, and that counts.
  socket.on('error', () => socket.terminate());
});
