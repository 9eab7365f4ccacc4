// The figures of each second: tiles with a number and a line, the shards, the queues.

import { byId, el, setText } from "../dom.js";
import { bytes, number, Sparkline } from "./chart.js";
import { head, rows } from "./table.js";

const sum = (object) => Object.values(object).reduce((all, value) => all + value, 0);

/** [id, title, value of the stats, how it is written] */
const TILES = [
  ["connections", "Connections", (stats) => sum(stats.connections), number],
  ["sessions", "Sessions", (stats) => stats.sessions.connected + stats.sessions.detached, number],
  ["entries", "Messages a second", (stats) => stats.per_second.entries, number],
  ["commands", "Commands a second", (stats) => stats.per_second.commands, number],
  ["pushes", "Pushes a second", (stats) => stats.per_second.pushes, number],
  ["ack-p50", "Ack, median ms", (stats) => stats.latency_ms.ack.p50, number],
  ["ack-p99", "Ack, 99 % ms", (stats) => stats.latency_ms.ack.p99, number],
  ["deliver-p50", "Delivery, median ms", (stats) => stats.latency_ms.deliver.p50, number],
  ["deliver-p99", "Delivery, 99 % ms", (stats) => stats.latency_ms.deliver.p99, number],
  ["refusals", "Refusals a second", (stats) => stats.per_second.refusals, number],
  ["outbox", "In outboxes", (stats) => stats.outbox_bytes, bytes],
  ["memory", "Memory", (stats) => stats.memory_bytes, bytes],
];

const SHARDS = ["Shard", "Turns/s", "Messages/s", "Connections", "Sessions", "Conversations", "At writers", "Credits",
  "Outboxes", "Mailbox"];
const OUTGOING = ["To", "Way", "Delivered", "Failed tries", "Given up"];
const QUEUES = ["Queue", "Shard", "Waiting", "Capacity"];

const tiles = new Map();

export function prepare() {
  head(byId("shards"), SHARDS);
  head(byId("queues"), QUEUES);
  head(byId("outgoing"), OUTGOING);
  for (const [id, title] of TILES) {
    const line = new Sparkline(title);
    const value = el("span", { class: "value", id: `value-${id}` }, "–");
    tiles.set(id, { line, value });
    byId("tiles").append(el("div", { class: "tile" }, el("span", { class: "title" }, title), value, line.element));
  }
}

export function show(stats) {
  for (const [id, , read, write] of TILES) {
    const { line, value } = tiles.get(id);
    const now = read(stats);
    setText(value, write(now));
    line.push(now);
  }
  rows(byId("shards"), stats.shards.map((shard) => ({
    key: String(shard.shard),
    cells: [shard.shard, number(shard.turns_per_second), number(shard.entries_per_second), number(shard.connections),
      number(shard.sessions), number(shard.conversations), number(shard.entries_under_way),
      number(shard.credits_in_use), bytes(shard.outbox_bytes), number(shard.mailbox)],
  })));
  rows(byId("queues"), stats.queues.map((queue) => ({
    key: `${queue.queue} ${queue.shard}`,
    cells: [queue.queue, queue.shard ?? "–", number(queue.waiting), number(queue.capacity)],
  })));
  const { waiting, ways, dead_letters: dead } = stats.outgoing;
  setText(byId("outgoing-note"), `Waiting: ${number(waiting.entries)} messages to be looked at, ` +
    `${number(waiting.devices)} notifications, ${number(waiting.webhooks)} events. Events that nobody took in time: ${number(dead)}.`);
  rows(byId("outgoing"), ways.map((way) => ({
    key: `${way.to} ${way.name}`,
    cells: [way.to, way.name, number(way.delivered), number(way.failed), number(way.given_up)],
  })));
}
