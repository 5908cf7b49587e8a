/** Two conversations with a wire between them that a test can hold, lose, repeat and reorder. */
import { Conversation } from "../../src/link/conversation.ts";
import { Identity } from "../../src/link/identity.ts";
import type { LinkOutput } from "../../src/link/output.ts";
import type { InterestEdge } from "../../src/route/interest-event.ts";
import { RouteSet } from "../../src/route/route-set.ts";
import { encodeControl } from "../../src/wire/control.ts";
import type { ControlBody } from "../../src/wire/message.ts";

export class Side {
  readonly identity: Identity;
  readonly routes: RouteSet;
  readonly conversation: Conversation;
  readonly sent: { body: ControlBody; bytes: Uint8Array }[] = [];
  readonly outputs: LinkOutput[] = [];
  /** Filters of the peer in force here. */
  readonly inForce = new Set<string>();

  constructor(me: string, peer: string, incarnation: number, instance: string, routesMax = 1_000) {
    this.identity = new Identity(instance, incarnation);
    this.routes = new RouteSet(["#"], 1_000_000);
    this.conversation = new Conversation(
      {
        me,
        peer,
        agentVersion: "test",
        protocolVersion: 1,
        frameBytesMax: 1_000_000,
        routesMax,
        routeRetentionMs: 60_000,
      },
      this.identity,
      this.routes,
    );
  }

  take(outputs: readonly LinkOutput[]): void {
    for (const output of outputs) {
      this.outputs.push(output);
      if (output.type === "send") {
        this.sent.push({
          body: output.body,
          bytes: encodeControl({ speaker: this.identity.speaker(), body: output.body }),
        });
      } else if (output.type === "peer_route") {
        if (output.up) this.inForce.add(output.filter);
        else this.inForce.delete(output.filter);
      }
    }
  }

  subscribe(filters: readonly string[], nowMs: number, up = true): void {
    const edges: InterestEdge[] = filters.map((filter) => ({ filter, group: null, up }));
    this.take(this.conversation.announce(this.routes.apply(edges), nowMs));
  }

  counted(what: string): number {
    return this.outputs.filter((output) => output.type === "count" && output.what === what).length;
  }

  states(half: "out" | "in"): string[] {
    return this.outputs.flatMap((output) =>
      output.type === "state" && output.half === half ? [`${output.from}>${output.to}`] : [],
    );
  }

  announced(): string[] {
    return [...this.routes.routes()].map(({ filter }) => filter).sort();
  }
}

/** Delivers everything both sides have sent, until nothing is under way. `keep`: false loses a message. */
export function deliver(a: Side, b: Side, nowMs: number, keep: (body: ControlBody) => boolean = () => true): void {
  for (let round = 0; round < 1_000; round += 1) {
    const fromA = a.sent.splice(0);
    const fromB = b.sent.splice(0);
    if (fromA.length === 0 && fromB.length === 0) return;
    for (const { body, bytes } of fromA) if (keep(body)) b.take(b.conversation.receive(bytes, nowMs));
    for (const { body, bytes } of fromB) if (keep(body)) a.take(a.conversation.receive(bytes, nowMs));
  }
  throw new Error("the conversation does not come to rest");
}

export function connect(a: Side, b: Side, nowMs: number): void {
  a.take(a.conversation.connected(nowMs));
  b.take(b.conversation.connected(nowMs));
}

export function tick(a: Side, b: Side, nowMs: number): void {
  a.take(a.conversation.tick(nowMs));
  b.take(b.conversation.tick(nowMs));
}
