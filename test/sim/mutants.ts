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
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "acknowledge before republish",
    file: "flow/inbound.js",
    find: "this.#inflight.set(token, pending);",
    replace: "$& this.#records.get(pending.stream)?.settle(pending.number);",
  },
  {
    name: "delete before add",
    file: "route/route-set.js",
    find: "return adds.concat(deletes);",
    replace: "return deletes.concat(adds);",
  },
  {
    name: "UNSUBSCRIBE before SUBSCRIBE",
    file: "route/demand.js",
    find: "const drops = this.#toAdd.size === 0 || this.#dropsTurn ? this.#dropsReady() : [];",
    replace: "const drops = [...this.#toDrop.keys()];",
  },
  {
    name: "erase at hello",
    file: "link/acceptor.js",
    find: "pushEdges(outputs, this.#routes.newSpeaker());",
    replace: "pushEdges(outputs, this.#routes.clear());",
  },
  {
    name: "erase at silence",
    file: "link/acceptor.js",
    find: "fallSilent(nowMs, outputs) {",
    replace: "$& pushEdges(outputs, this.#routes.clear());",
  },
  {
    name: "number reused after a lost tail",
    file: "hub/hub-link.js",
    find: "new Outbound(host.randomHex16(),",
    replace: 'new Outbound("00000000000000ff",',
  },
  {
    name: "exact by count alone",
    file: "route/interest.js",
    find: "if (held === proven) {",
    replace: "if (held === proven || held === proven + ghosts) {",
  },
  {
    name: "frame freed by a broker's acknowledgement",
    file: "hub/hub-link.js",
    find: "this.#host.outlet.sendFrame(this.name, frame.id, bytes, frame.confirm);",
    replace:
      "$& for (const { number } of frame.messages) if (number !== null) this.outbound.settled(number, [], nowMs);",
  },
  {
    name: "digest compared at another operation",
    file: "link/acceptor.js",
    find: "if (mark.op < this.#appliedOp) {",
    replace: "if (false) {",
  },
  {
    name: "frame republished before its route operation",
    file: "flow/inbound.js",
    find: "if (routeOp <= readyOp)",
    replace: "if (true)",
  },
  {
    name: "stale acknowledgement accepted",
    file: "link/announcer.js",
    find: "if (!this.isAwaited(body))",
    replace: "if (false)",
  },
  {
    name: "no give-up timer",
    file: "link/announcer.js",
    find: 'this.#state = { name: "greeting", retryAtMs: nowMs + retryMs, retryMs }; return this.#hello();',
    replace: "return [];",
  },
  {
    name: "own clients enter the table",
    file: "route/subscription-table.js",
    find: "!this.#options.ownClients.has(id) && ",
    replace: "",
  },
  // Beyond the list above: what the simulation itself has taught.
  {
    name: "switch of filters without a marker",
    file: "route/demand.js",
    find: "if (!this.#markers) return this.#retire(drops);",
    replace: "return this.#retire(drops);",
  },
  {
    name: "frames republished as they come",
    file: "flow/stream-record.js",
    find: 'if (number > this.#taken + 1) return "ahead";',
    replace: "",
  },
  {
    name: "a message that the broker delivers again taken for new",
    file: "flow/redelivery-memory.js",
    find: "if (dup && this.#taken.get(packetId) === key) return true;",
    replace: "",
  },
  {
    name: "batches larger than a broker takes",
    file: "link/announcer.js",
    find: "Math.min(PART_BYTES_MAX, packetBytesMax - PACKET_OVERHEAD_BYTES)",
    replace: "PART_BYTES_MAX",
  },
  {
    name: "a repeated SUBSCRIBE that is refused taken for none",
    file: "route/demand.js",
    find: "if (!this.#ids.mayBeHeld(filter)) {",
    replace: "if (true) {",
  },
  {
    name: "a refusal told once",
    file: "hub/hub-link.js",
    find: "for (const { filter, reasonCode } of this.refused.expired(nowMs))",
    replace: "for (const { filter, reasonCode } of [])",
  },
];
