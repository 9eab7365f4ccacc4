"""Says texts in a conversation, prints what is said there, and survives any drop of the connection.

pip install -r requirements.txt; python chat_client.py ws://127.0.0.1:8080/ws TOKEN CONVERSATION_ID [TEXT ...]
"""

import asyncio
import json
import random
import sys

import websockets


class ChatClient:
    def __init__(self, conversation, texts):
        self.conversation, self.device = conversation, random.randbytes(16).hex()  # an application keeps its device's id
        self.session, self.received = None, 0  # for resume: which session, and how many durable pushes of it came
        self.seq = self.head = 0  # everything up to `seq` was shown, without a gap; the newest heard of is `head`
        self.unsent = list(enumerate(texts, 10))  # the oldest is under way: one at a time keeps the order
        self.socket, self.syncing, self.wait_s = None, False, 0.1

    async def run(self, url, token):
        while True:
            try:
                async with websockets.connect(url, subprotocols=["ringwire.v1.json"]) as self.socket:
                    cursor = {"conversation_id": self.conversation, "seq": str(self.seq)}
                    resume = self.session and {"session_id": self.session, "received": str(self.received)}
                    await self.command(1, "connect", token=token, device_id=self.device, cursors=[cursor], resume=resume)
                    async for message in self.socket:
                        for line in message.splitlines():
                            await self.on_frame(json.loads(line))
            except (OSError, websockets.WebSocketException) as error:
                print(f"the connection ended: {error}", file=sys.stderr)
            if self.socket and 4000 <= (self.socket.close_code or 0) <= 4099:
                sys.exit("the server wants no reconnect")
            await asyncio.sleep(self.wait_s * random.uniform(0.5, 1))
            self.wait_s = min(self.wait_s * 2, 30)

    async def command(self, number, op, **fields):
        await self.socket.send(json.dumps({"id": str(number), "received": str(self.received), op: fields}))

    async def on_frame(self, frame):
        push, reply = frame.get("push", {}), frame.get("reply", {})
        if push.keys() & {"entry", "cursor", "view_changed"}:  # the durable ones
            self.received += 1
            if self.received % 64 == 0:
                await self.command(3, "ping")  # tells the count: the server need not keep these any longer
        if entry := push.get("entry"):
            self.take(entry, entry.get("body", {}).get("message"))
        elif (lag := push.get("lag")) and lag["conversation_id"] == self.conversation:
            self.head = max(self.head, int(lag["head_seq"]))
        elif away := push.get("go_away"):
            self.wait_s = away.get("delay_ms", 0) / 1000
        elif connected := reply.get("connected"):
            print("resumed" if connected.get("resumed") else "new session", file=sys.stderr)
            if not connected.get("resumed"):
                self.session, self.received = connected["session_id"], 0
            self.syncing, self.wait_s = False, 0.1
            for state in connected.get("sync", []):
                if state.get("pushed_seq") != state.get("head_seq"):  # the rest has to be asked for
                    self.head = max(self.head, int(state["head_seq"]))
            await self.send_oldest()
        elif page := reply.get("sync_page"):
            self.syncing, self.seq = False, max(self.seq, int(page.get("trimmed_floor", 0)) - 1)
            for entry in page.get("entries", []):
                self.take(entry, entry.get("body", {}).get("message"))
        elif self.unsent and reply.get("id") == str(self.unsent[0][0]):
            if ack := reply.get("send_ack"):  # committed; the session that sent it gets no push of it
                self.take(ack, {"text": self.unsent.pop(0)[1]})
            elif not reply["error"].get("temporary"):
                print("refused:", self.unsent.pop(0), reply["error"]["message"], file=sys.stderr)
            await asyncio.sleep(reply.get("error", {}).get("retry_after_ms", 0) / 1000)
            await self.send_oldest()
        elif "error" in reply:  # no session or no page: begin again with another connection
            await self.socket.close()
        if self.head > self.seq and not self.syncing:
            self.syncing = True
            await self.command(2, "sync", conversation_id=self.conversation, seq=str(self.seq))

    def take(self, entry, message):  # shows the next one; older ones were shown, and beyond a gap `sync` comes first
        seq = int(entry["seq"]) if entry["conversation_id"] == self.conversation else 0
        self.head = max(self.head, seq)
        if seq == self.seq + 1:
            self.seq = seq
            if message:
                print(seq, message.get("text", ""), sep="\t", flush=True)

    async def send_oldest(self):
        if self.unsent:
            number, text = self.unsent[0]  # under the same id at every try, so that a retry is never a second copy
            await self.command(number, "send", conversation_id=self.conversation, message={"text": text},
                               client_msg_id=f"{self.device}-{number}")


if __name__ == "__main__":
    asyncio.run(ChatClient(sys.argv[3], sys.argv[4:]).run(*sys.argv[1:3]))
