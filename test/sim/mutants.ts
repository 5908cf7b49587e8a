/**
 * Mistakes that the simulation must find, as changes of the compiled text. `find` must occur exactly once: a mutant that
 * no longer applies is a failure of the test, not a silent pass.
 */
export interface Mutant {
  readonly name: string;
  /** Compiled file below build/src. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Seeds known to be long enough in most runs to meet it. */
  readonly seedsMax: number;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "acknowledge before republish",
    file: "flow/inbound.js",
    find: "this.#inflight.set(token, pending);",
    replace: "this.#inflight.set(token, pending); this.#records.get(pending.stream)?.settle(pending.number);",
    seedsMax: 60,
  },
  {
    name: "delete before add",
    file: "route/route-set.js",
    find: "return adds.concat(deletes);",
    replace: "return deletes.concat(adds);",
    seedsMax: 60,
  },
  {
    name: "UNSUBSCRIBE before SUBSCRIBE",
    file: "route/demand.js",
    find: "if (after <= settled)",
    replace: "if (true)",
    seedsMax: 60,
  },
  {
    name: "erase at hello",
    file: "link/acceptor.js",
    find: "pushEdges(outputs, this.#routes.newSpeaker());",
    replace: "pushEdges(outputs, this.#routes.clear());",
    seedsMax: 60,
  },
  {
    name: "erase at silence",
    file: "link/acceptor.js",
    find: 'this.#enter("silent", `nothing heard',
    replace: 'pushEdges(outputs, this.#routes.clear()); this.#enter("silent", `nothing heard',
    seedsMax: 60,
  },
  {
    name: "number reused after a lost tail",
    file: "hub/hub-link.js",
    find: "new Outbound(host.randomHex16(),",
    replace: 'new Outbound("00000000000000ff",',
    seedsMax: 60,
  },
  {
    name: "exact by count alone",
    file: "route/interest.js",
    find: "if (held === proven) {",
    replace: "if (held === proven || held === proven + ghosts) {",
    seedsMax: 120,
  },
  {
    name: "frame freed by a broker's acknowledgement",
    file: "hub/hub-link.js",
    find: "this.#host.outlet.sendFrame(this.name, frame.id, bytes, frame.confirm);",
    replace:
      "this.#host.outlet.sendFrame(this.name, frame.id, bytes, frame.confirm); for (const m of frame.messages) if (m.number !== null) this.outbound.settled(m.number, [], nowMs);",
    seedsMax: 60,
  },
  {
    name: "digest compared at another operation",
    file: "link/acceptor.js",
    find: "if (mark.op < this.#appliedOp) {",
    replace: "if (false) {",
    seedsMax: 60,
  },
  {
    name: "frame republished before its route operation",
    file: "flow/inbound.js",
    find: "if (routeOp <= readyOp)",
    replace: "if (true)",
    seedsMax: 60,
  },
  {
    name: "stale acknowledgement accepted",
    file: "link/announcer.js",
    find: 'return this.#state.name === "greeting" && body.greeting === this.#greeting && this.#identity.isMe(body.of);',
    replace: "return true;",
    seedsMax: 60,
  },
  {
    name: "no give-up timer",
    file: "link/announcer.js",
    find: "return this.#hello();",
    replace: "return [];",
    seedsMax: 60,
  },
  {
    name: "own clients enter the table",
    file: "route/subscription-table.js",
    find: "!this.#options.ownClients.has(id) && ",
    replace: "",
    seedsMax: 60,
  },
  {
    name: "switch of filters without a marker",
    file: "route/demand.js",
    find: "if (!this.#markers)",
    replace: "if (true)",
    seedsMax: 60,
  },
];
