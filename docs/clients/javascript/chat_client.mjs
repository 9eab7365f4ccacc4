// Says texts in a conversation, shows what is said there, and survives any drop of the connection. For Node
// (npm ci; node chat_client.mjs ws://127.0.0.1:8080/ws TOKEN CONVERSATION_ID [TEXT ...]) and for browsers.

const WebSocket = globalThis.WebSocket ?? (await import("ws")).WebSocket;
const max = (a, b) => (a > b ? a : b);

export class ChatClient {
  device = crypto.randomUUID(); // an application keeps it
  session = null; received = 0n; // for resume: which session, and how many durable pushes of it came
  seq = 0n; head = 0n; // everything up to `seq` was shown, without a gap; the newest heard of is `head`
  unsent = []; number = 9; // the oldest is under way: one at a time keeps the order
  live = false; syncing = false; waitMs = 100;

  constructor(url, token, conversation, show, note = () => {}) {
    Object.assign(this, { url, token, conversation, show, note });
    this.open();
  }

  open() {
    let heartbeat, heard = true;
    const socket = (this.socket = new WebSocket(this.url, ["ringwire.v1.json"]));
    socket.addEventListener("open", () => {
      const cursors = [{ conversation_id: this.conversation, seq: String(this.seq) }];
      const resume = this.session && { session_id: this.session, received: String(this.received) };
      this.command(1, "connect", { token: this.token, device_id: this.device, cursors, resume });
      heartbeat = setInterval(() => { // nobody tells that a network is gone
        if (!heard) socket.close();
        heard = false;
        this.command(3, "ping", {});
      }, 30_000);
    });
    socket.addEventListener("message", ({ data }) => {
      heard = true;
      data.split("\n").forEach((line) => this.onFrame(JSON.parse(line)));
    });
    socket.addEventListener("error", () => {}); // "close" follows
    socket.addEventListener("close", ({ code }) => {
      clearInterval(heartbeat);
      this.live = false;
      this.note(`the connection ended: ${code}`);
      if (code >= 4000 && code < 4100) return; // the server wants no reconnect
      setTimeout(() => this.open(), this.waitMs * (0.5 + Math.random() / 2));
      this.waitMs = Math.min(this.waitMs * 2, 30_000);
    });
  }

  command(number, op, fields) {
    if (this.socket.readyState === 1) // else the next connection sends it again
      this.socket.send(JSON.stringify({ id: String(number), received: String(this.received), [op]: fields }));
  }

  onFrame({ push = {}, reply = {} }) {
    const durable = push.entry ?? push.cursor ?? push.view_changed;
    if (durable && ++this.received % 64n === 0n) this.command(3, "ping", {}); // tells it, so nothing is kept for long
    if (push.entry) this.take(push.entry, push.entry.body?.message);
    if (push.lag?.conversation_id === this.conversation) this.head = max(this.head, BigInt(push.lag.head_seq));
    if (push.go_away) this.waitMs = push.go_away.delay_ms ?? 0;
    if (reply.connected) this.onConnected(reply.connected);
    else if (reply.sync_page) {
      this.syncing = false;
      this.seq = max(this.seq, BigInt(reply.sync_page.trimmed_floor ?? 1) - 1n);
      for (const entry of reply.sync_page.entries ?? []) this.take(entry, entry.body?.message);
    } else if (this.unsent.length && reply.id === String(this.unsent[0].number)) this.onSent(reply);
    else if (reply.error) this.socket.close(); // no session or no page: begin again with another connection
    if (this.head > this.seq && !this.syncing) {
      this.syncing = true;
      this.command(2, "sync", { conversation_id: this.conversation, seq: String(this.seq) });
    }
  }

  onConnected({ resumed = false, session_id: session, sync = [] }) {
    this.note(resumed ? "resumed" : "new session");
    if (!resumed) [this.session, this.received] = [session, 0n];
    [this.live, this.syncing, this.waitMs] = [true, false, 100];
    for (const { head_seq: head = 0, pushed_seq: pushed = 0 } of sync)
      if (pushed !== head) this.head = max(this.head, BigInt(head)); // the rest has to be asked for
    this.sendOldest();
  }

  onSent({ send_ack: ack, error }) {
    if (error?.temporary) return setTimeout(() => this.live && this.sendOldest(), error.retry_after_ms ?? 100);
    const { text } = this.unsent.shift();
    if (ack) this.take(ack, { text }); // committed; the session that sent it gets no push of it
    else this.note(`refused: ${error.message}: ${text}`);
    this.sendOldest();
  }

  take({ conversation_id: conversation, seq }, message) { // shows the next entry; beyond a gap `sync` comes first
    if (conversation === this.conversation) this.head = max(this.head, BigInt(seq));
    if (conversation !== this.conversation || BigInt(seq) !== this.seq + 1n) return;
    this.seq += 1n;
    if (message) this.show(seq, message.text ?? "");
  }

  say(text) {
    if (this.unsent.push({ number: ++this.number, text }) === 1 && this.live) this.sendOldest();
  }

  sendOldest() {
    const [{ number, text } = {}] = this.unsent; // under the same id at every try: a retry is never a second copy
    const send = { conversation_id: this.conversation, client_msg_id: `${this.device}-${number}`, message: { text } };
    if (number) this.command(number, "send", send);
  }
}

if (globalThis.process?.argv[1]?.endsWith("chat_client.mjs")) {
  const [url, token, conversation, ...texts] = process.argv.slice(2);
  const client = new ChatClient(url, token, conversation, (seq, text) => console.log(`${seq}\t${text}`), console.error);
  texts.forEach((text) => client.say(text));
}
