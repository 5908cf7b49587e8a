/**
 * Messages of local clients on their way to whoever wants them on the other sides: which copies count, what is ours coming
 * back, which peers get it, and what the local broker is owed for it. Pure.
 */
import { AckLedger, type Due } from "../flow/ack-ledger.ts";
import { EchoMemory } from "../flow/echo-memory.ts";
import { readMark, stripMark } from "../flow/mark.ts";
import { RedeliveryMemory } from "../flow/redelivery-memory.ts";
import { RetainedMemory } from "../flow/retained-memory.ts";
import type { Demand } from "../route/demand.ts";
import type { RouteTable } from "../route/route-table.ts";
import { isReserved } from "../topic/filter.ts";
import type { Message } from "../wire/message.ts";
import { underPrefix } from "../wire/names.ts";
import { HeldMessages } from "./held-messages.ts";
import type { HubLink } from "./hub-link.ts";
import type { LocalMessage } from "./local-message.ts";
import type { Republish } from "./republish.ts";

/** What became of a local message. */
export type LocalFate =
  | "forwarded"
  | "unrouted"
  | "not_exported"
  | "copy"
  | "loop_mark"
  | "echo"
  | "own_retained"
  | "reserved"
  | "held"
  | "held_full";

export interface LocalRoutingParts {
  readonly controlPrefix: string;
  readonly demand: Demand;
  readonly table: RouteTable;
  readonly links: ReadonlyMap<string, HubLink>;
  readonly acknowledge: (ack: number) => void;
  /** Whether an earlier life left something to go on with. */
  readonly isRestart: boolean;
}

export class LocalRouting {
  readonly ledger: AckLedger;
  readonly #parts: LocalRoutingParts;
  readonly #counts = new Map<string, number>();
  readonly #echoes = new EchoMemory();
  readonly #redeliveries = new RedeliveryMemory();
  readonly #retained = new RetainedMemory();
  readonly #held: HeldMessages;
  /** Changes of the route table that held messages were tried after. */
  #triedAtChange = 0;
  #echoing = false;
  #considered = 0;

  constructor(parts: LocalRoutingParts, nowMs: number) {
    this.#parts = parts;
    this.ledger = new AckLedger(parts.acknowledge);
    this.#held = new HeldMessages(this.ledger, parts.isRestart, nowMs);
  }

  get deadlineMs(): number {
    return this.#held.deadlineMs;
  }

  /** Local messages by what became of them, and what else was counted. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** Messages whose peers were looked for. Each once: what is held counts when it goes on. */
  get considered(): number {
    return this.#considered;
  }

  count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  /** `echoing`: the broker sends us our own messages. */
  connected(sessionPresent: boolean, echoing: boolean): void {
    this.#echoing = echoing;
    if (sessionPresent) return;
    this.ledger.sessionLost();
    this.#redeliveries.clear();
    this.#echoes.clear();
  }

  disconnected(): void {
    this.ledger.connectionLost();
  }

  /** We publish on the local broker. */
  republishes(message: Republish, nowMs: number): void {
    // Without properties it carries no mark that would tell it later.
    if (message.retain && message.properties === null) this.#retained.add(message.topic, message.payload);
    // Only what we subscribe to comes back.
    if (this.#echoing && this.#parts.demand.isSubscribed(message.topic))
      this.#echoes.sent(message.topic, message.payload, message.qos, nowMs);
  }

  /** The end of a turn: what waited for a peer's routes may have them now. */
  flush(nowMs: number): void {
    if (!this.#held.isHolding) return;
    const isOver = nowMs >= this.#held.deadlineMs || this.#allAnswered();
    if (isOver) this.#held.end();
    this.#tryHeld(nowMs);
  }

  received(local: LocalMessage, nowMs: number): void {
    // Nothing may overtake what was published before it.
    if (this.#held.size > 0) this.#tryHeld(nowMs);
    const { topic, payload, ack = null, packetId = 0, dup = false } = local;
    if (packetId > 0 && this.#redeliveries.repeats(packetId, dup, topic, payload)) {
      this.count("redelivered");
      if (ack !== null) this.ledger.takeOver(packetId, ack);
      return;
    }
    const due = ack === null ? null : this.ledger.begin(ack, packetId);
    this.#end(this.#route(local, due, nowMs));
    if (due !== null) this.ledger.routed(due);
  }

  /** Hands a message to the links that want it; answers what became of it. */
  #route(local: LocalMessage, due: Due | null, nowMs: number): LocalFate {
    const { topic } = local;
    const { controlPrefix, demand, table } = this.#parts;
    if (isReserved(topic) || underPrefix(controlPrefix, topic)) return "reserved";
    // What the broker subscribed for us in a life that left no trace has no filter of ours.
    const isOrphan = this.#held.isHolding && !demand.isSubscribed(topic);
    if (!isOrphan && !demand.accepts(topic, local.subscriptionIds)) return "copy";
    const qos = local.qos === 0 ? 0 : 1;
    if (this.#echoing && this.#echoes.isEcho(topic, local.payload, qos, nowMs)) return "echo";
    if (local.stored === true && this.#retained.has(topic, local.payload)) return "own_retained";
    const mark = readMark(local.properties, topic);
    if (mark.kind === "fits") return "loop_mark";
    if (mark.kind === "foreign") this.count("mark_stripped");
    const peers = table.match(topic);
    if (peers.length === 0 && (qos === 0 || !this.#held.isHolding)) return "unrouted";
    const message = wholeMessage(local, mark.kind === "foreign");
    if (peers.length > 0) return this.#forward(peers, message, due, nowMs);
    return this.#held.add(message, due) ? "held" : "held_full";
  }

  #tryHeld(nowMs: number): void {
    const { table } = this.#parts;
    if (this.#held.isHolding && this.#triedAtChange === table.changes) return;
    this.#triedAtChange = table.changes;
    for (const held of this.#held.take()) {
      const peers = table.match(held.message.topic);
      if (peers.length > 0) this.#end(this.#forward(peers, held.message, held.due, nowMs));
      else if (!this.#held.isHolding || !this.#held.add(held.message, held.due)) this.#end("unrouted");
      this.#held.taken(held);
    }
  }

  #end(fate: LocalFate): void {
    this.count(fate);
    if (fate === "forwarded" || fate === "unrouted" || fate === "not_exported") this.#considered += 1;
  }

  #allAnswered(): boolean {
    for (const { conversation } of this.#parts.links.values())
      if (!conversation.acceptor.complete && conversation.acceptor.state !== "left") return false;
    return true;
  }

  #forward(peers: readonly string[], message: Message, due: Due | null, nowMs: number): LocalFate {
    let fate: LocalFate = "not_exported";
    for (const peer of peers) {
      const link = this.#parts.links.get(peer);
      if (link === undefined || !link.exports(message.topic)) continue;
      fate = "forwarded";
      link.forward(message, due, nowMs);
    }
    return fate;
  }
}

function wholeMessage(local: LocalMessage, isForeign: boolean): Message {
  return {
    topic: local.topic,
    // A copy: the packet's is a part of a much larger buffer that would live as long, and `slice` of a Buffer is no copy.
    payload: new Uint8Array(local.payload),
    qos: local.qos === 0 ? 0 : 1,
    // What was stored is no event of now: as one it could replace a newer value on the other side.
    retain: local.retain && local.stored !== true,
    properties: isForeign ? stripMark(local.properties) : local.properties,
    expiryMs: local.expirySeconds === null ? null : local.expirySeconds * 1000,
  };
}
