/**
 * Mistakes that the simulation must find, as changes of the compiled text. `find` must occur exactly once, whatever its
 * white space: a mutant that no longer applies is a failure of the test, not a silent pass.
 */
export interface Mutant {
  readonly name: string;
  /** Compiled file below build/src. */
  readonly file: string;
  readonly find: string;
  /** `$&` stands for what was found. */
  readonly replace: string;
  /** Known to meet the mistake when this was written; others are tried after it. */
  readonly seed: number;
  /** Which simulation has to find it; absent: the one of whole agents. */
  readonly world?: "states-world";
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "acknowledge before republish",
    file: "flow/inbound.js",
    find: "this.#inflight.set(token, pending);",
    replace: "$& this.#records.get(pending.stream)?.settle(pending.number);",
    seed: 5,
  },
  {
    name: "delete before add",
    file: "route/route-set.js",
    find: "return adds.concat(deletes);",
    replace: "return deletes.concat(adds);",
    seed: 17,
  },
  {
    name: "UNSUBSCRIBE before SUBSCRIBE",
    file: "route/demand.js",
    find: "const drops = this.#toDrop.ready(this.settledRevision, isDropsTurn ? this.#batchSize.filters : 0);",
    replace: "const drops = this.#toDrop.ready(Number.POSITIVE_INFINITY, 100_000);",
    seed: 117,
  },
  {
    name: "erase at hello",
    file: "link/acceptor.js",
    find: "pushEdges(outputs, this.#routes.newSpeaker());",
    replace: "pushEdges(outputs, this.#routes.clear());",
    seed: 18,
  },
  {
    name: "erase at silence",
    file: "link/acceptor.js",
    find: "fallSilent(nowMs, outputs) {",
    replace: "$& pushEdges(outputs, this.#routes.clear());",
    seed: 3,
  },
  {
    name: "number reused after a lost tail",
    file: "hub/hub-link.js",
    find: "new Outbound(() => host.randomHex16(),",
    replace: "new Outbound(((n) => () => '00000000000000f' + n++)(0),",
    seed: 1,
  },
  {
    name: "exact by count alone",
    file: "route/interest.js",
    find: "if (held === proven) {",
    replace: "if (held === proven || held === proven + ghosts) {",
    seed: 4,
  },
  {
    name: "frame freed by a broker's acknowledgement",
    file: "hub/frame-sender.js",
    find: "outlet.sendFrame(name, frame.id, bytes, frame.confirm);",
    replace:
      "$& for (const { number } of frame.messages) if (number !== null) this.#link.outbound.settled(frame.stream, number, [], nowMs);",
    seed: 3,
  },
  {
    name: "digest compared at another operation",
    file: "link/acceptor.js",
    find: "if (mark.op < this.#appliedOp) {",
    replace: "if (false) {",
    seed: 2,
  },
  {
    name: "frame republished before its route operation",
    file: "flow/inbound.js",
    find: "if (routeOp <= readyOp)",
    replace: "if (true)",
    seed: 2,
  },
  {
    name: "stale acknowledgement accepted",
    file: "link/announcer.js",
    find: "if (!this.isAwaited(body))",
    replace: "if (false)",
    seed: 64,
  },
  {
    name: "no give-up timer",
    file: "link/announcer.js",
    find: 'this.#state = { name: "greeting", retryAtMs: nowMs + retryMs, retryMs }; return this.#hello(nowMs);',
    replace: 'this.#state = { name: "greeting", retryAtMs: Number.POSITIVE_INFINITY, retryMs }; return [];',
    seed: 2,
  },
  {
    name: "own clients enter the table",
    file: "route/subscription-table.js",
    find: "!this.#options.ownClients.has(id) && ",
    replace: "",
    seed: 1,
  },
  {
    name: "acknowledge before it is on the disk",
    file: "flow/link-dues.js",
    find: 'this.#durability === "memory" ||',
    replace: "true ||",
    seed: 3,
  },
  {
    name: "record saved after settlement",
    file: "hub/hub-link.js",
    find: "saveRecord(this.#host.save, this.name, settlement.stream, settlement);",
    // Microtasks come when the run is over: long after.
    replace: "queueMicrotask(() => { $& });",
    seed: 19,
  },
  {
    name: "demand saved after SUBSCRIBE",
    file: "hub/saved-state.js",
    find: "save(demandKey(filter), value);",
    replace: "queueMicrotask(() => save(demandKey(filter), value));",
    seed: 1,
  },
  {
    name: "routes not saved",
    file: "hub/hub-link.js",
    find: "saveRoute(this.#host.save, this.name, output.filter, output.up);",
    replace: "",
    seed: 1,
  },
  {
    name: "past the backlog although the topic waits in it",
    file: "flow/lanes.js",
    find: "if (this.#passing && this.#isFree(topic))",
    replace: "if (this.#passing)",
    seed: 1,
  },
  {
    name: "live lane forgotten at a restart",
    file: "flow/outbound.js",
    find: "lane(logs.live)",
    replace: "lane(new MemorySpoolLog(newStream()))",
    seed: 10,
  },
  {
    name: "live lane not waited for after a restart",
    file: "flow/lanes.js",
    find: "main.holdFrom = main.spool.base;",
    replace: ";",
    seed: 22,
  },
  {
    name: "live lane not waited for after a cut",
    file: "flow/lanes.js",
    find: "this.main.holdFrom = this.main.spool.lastNumber + 1;",
    replace: ";",
    seed: 1,
  },
  // Beyond the list above: what the simulation itself has taught.
  {
    name: "switch of filters without a marker",
    file: "route/demand.js",
    find: "if (!this.#markers) {",
    replace: "if (true) {",
    seed: 27,
  },
  {
    name: "frames republished as they come",
    file: "flow/stream-record.js",
    find: 'if (number > this.#taken + 1) return "ahead";',
    replace: "",
    seed: 1,
  },
  {
    name: "a message that the broker delivers again taken for new",
    file: "flow/redelivery-memory.js",
    find: "if (dup && this.#taken.get(packetId) === key) return true;",
    replace: "",
    seed: 3,
  },
  {
    name: "batches larger than a broker takes",
    file: "link/announcer.js",
    find: "Math.min(PART_BYTES_MAX, packetBytesMax - PACKET_OVERHEAD_BYTES)",
    replace: "PART_BYTES_MAX",
    seed: 3,
  },
  {
    name: "a refusal told once",
    file: "hub/hub-link.js",
    find: "for (const { filter, reasonCode } of this.refused.expired(nowMs))",
    replace: "for (const { filter, reasonCode } of [])",
    seed: 32,
  },
  // Links that change while the agent runs.
  {
    name: "a link that comes back counts from the beginning",
    file: "hub/link-changes.js",
    find: "op: Math.max(op, this.#after.op),",
    replace: "op: 0,",
    seed: 6,
  },
  {
    name: "what a link exports anew is not subscribed",
    file: "hub/change-link.js",
    find: "for (const filter of up) link.serve(filter, true);",
    replace: "",
    seed: 11,
  },
  {
    name: "other topics, the same routes",
    file: "hub/change-link.js",
    find: "link.perform(link.conversation.announce(ops, nowMs), nowMs);",
    replace: "",
    seed: 1,
  },
  {
    name: "a link that is switched off forgets what it had of its peer",
    file: "hub/link-changes.js",
    find: "if (saved !== undefined) link.restore(saved, nowMs);",
    replace: "",
    seed: 1,
  },
  {
    name: "a state sent although its topic had a live message since",
    file: "hub/state-source.js",
    find: "if (this.#live.has(topic))",
    replace: "if (false)",
    seed: 22,
    world: "states-world",
  },
  {
    name: "a best-effort message overtaken by the state before it",
    file: "hub/state-source.js",
    find: "return qos === 0 && this.#underWay.has(topic) ? { ...message, qos: 1 } : message;",
    replace: "return message;",
    seed: 55,
    world: "states-world",
  },
  {
    name: "states sent before what was queued when they were read",
    file: "hub/state-source.js",
    find: "if (this.#fenceUntilMs === Number.POSITIVE_INFINITY) this.#offer(nowMs);",
    replace: "this.#offer(nowMs);",
    seed: 289,
    world: "states-world",
  },
  {
    name: "a state published after the live message that passed it",
    file: "hub/link-states.js",
    find: "this.#sink.live(message.topic, nowMs);",
    replace: "",
    seed: 7,
    world: "states-world",
  },
  {
    name: "a state that replaces anybody's value",
    file: "hub/state-sink.js",
    find: 'if (mark.kind !== "fits" || mark.origin !== origin) return "not_theirs";',
    replace: "",
    seed: 1,
    world: "states-world",
  },
  {
    name: "a state that is there already published again",
    file: "hub/state-sink.js",
    find: 'return isSame ? "same" : null;',
    replace: "return null;",
    seed: 1,
    world: "states-world",
  },
  {
    name: "a route that comes anew not read again",
    file: "hub/unread-routes.js",
    find: "this.#read.delete(filter); } /** What",
    replace: "} /** What",
    seed: 10,
    world: "states-world",
  },
  {
    name: "read before the subscription is there",
    file: "hub/unread-routes.js",
    find: "if (revision > settledRevision || taken.length === TOPICS_MAX) break;",
    replace: "if (taken.length === TOPICS_MAX) break;",
    seed: 78,
    world: "states-world",
  },
];
