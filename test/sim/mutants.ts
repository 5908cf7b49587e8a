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
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "acknowledge before republish",
    file: "flow/inbound.js",
    find: "this.#inflight.set(token, pending);",
    replace: "$& this.#records.get(pending.stream)?.settle(pending.number);",
    seed: 18,
  },
  {
    name: "delete before add",
    file: "route/route-set.js",
    find: "return adds.concat(deletes);",
    replace: "return deletes.concat(adds);",
    seed: 51,
  },
  {
    name: "UNSUBSCRIBE before SUBSCRIBE",
    file: "route/demand.js",
    find: "const drops = this.#toDrop.ready(this.settledRevision, isDropsTurn ? this.#batchSize.filters : 0);",
    replace: "const drops = this.#toDrop.ready(Number.POSITIVE_INFINITY, 100_000);",
    seed: 5,
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
    find: "new Outbound(host.randomHex16(),",
    replace: 'new Outbound("00000000000000ff",',
    seed: 1,
  },
  {
    name: "exact by count alone",
    file: "route/interest.js",
    find: "if (held === proven) {",
    replace: "if (held === proven || held === proven + ghosts) {",
    seed: 2,
  },
  {
    name: "frame freed by a broker's acknowledgement",
    file: "hub/frame-sender.js",
    find: "outlet.sendFrame(name, frame.id, bytes, frame.confirm);",
    replace: "$& for (const { number } of frame.messages) if (number !== null) outbound.settled(number, [], nowMs);",
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
    seed: 36,
  },
  {
    name: "no give-up timer",
    file: "link/announcer.js",
    find: 'this.#state = { name: "greeting", retryAtMs: nowMs + retryMs, retryMs }; return this.#hello();',
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
    seed: 30,
  },
  {
    name: "record saved after settlement",
    file: "hub/hub-link.js",
    find: "saveRecord(this.#host.save, this.name, settlement.stream, settlement);",
    // Microtasks come when the run is over: long after.
    replace: "queueMicrotask(() => { $& });",
    seed: 1,
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
  // Beyond the list above: what the simulation itself has taught.
  {
    name: "switch of filters without a marker",
    file: "route/demand.js",
    find: "if (!this.#markers) {",
    replace: "if (true) {",
    seed: 18,
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
    seed: 17,
  },
  {
    name: "a refusal told once",
    file: "hub/hub-link.js",
    find: "for (const { filter, reasonCode } of this.refused.expired(nowMs))",
    replace: "for (const { filter, reasonCode } of [])",
    seed: 78,
  },
];
