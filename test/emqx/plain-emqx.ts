/** What EMQX writes, in the order of the captures' bytes, and what it reads: the double's own words, apart from the agent's code. */
import { Atom, at, bin, OP, type Plain, plainDecode, plainEncode, Tuple, text } from "./plain-terms.ts";

/** What differs between versions on the wire. */
export interface EmqxVersion {
  readonly name: string;
  readonly packed: boolean;
  /** The wrapper has the message's own QoS, 2 too. */
  readonly wrapperQos2: boolean;
  readonly cleanStart: boolean;
  readonly handshakeMs: number;
}

export const EMQX_58: EmqxVersion = {
  name: "5.8",
  packed: false,
  wrapperQos2: true,
  cleanStart: false,
  handshakeMs: 7_000,
};
export const EMQX_510: EmqxVersion = {
  name: "5.10",
  packed: false,
  wrapperQos2: true,
  cleanStart: true,
  handshakeMs: 5_000,
};
export const EMQX_6: EmqxVersion = {
  name: "6.1.2",
  packed: true,
  wrapperQos2: false,
  cleanStart: true,
  handshakeMs: 5_000,
};

export type RouteOp = readonly ["add" | "delete", string, string];

export interface PlainMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  readonly from: Buffer | Atom;
  readonly id: Buffer;
  readonly properties: Map<Plain, Plain>;
  readonly headers: Map<Plain, Plain>;
}

export function initBytes(actor: string, incarnation: number, target: string): Buffer {
  return plainEncode(
    new Map<Plain, Plain>([
      [10, bin(actor)],
      [11, incarnation],
      [13, bin(target)],
      [14, 1],
      [OP, bin("actor_init")],
    ]),
  );
}

export function ackBytes(actor: string, error: string | null, needBootstrap: boolean): Buffer {
  const result = error === null ? new Atom("ok") : new Tuple(new Atom("error"), bin(error));
  return plainEncode(
    new Map<Plain, Plain>([
      [10, bin(actor)],
      [14, 1],
      [15, result],
      [16, new Atom(error === null ? String(needBootstrap) : "undefined")],
      [OP, bin("actor_init_ack")],
    ]),
  );
}

export function routeBytes(actor: string, incarnation: number, ops: readonly RouteOp[], packed: boolean): Buffer {
  const terms = ops.map(([op, topic, id]) =>
    op === "add" ? new Tuple(bin(topic), bin(id)) : new Tuple(100, bin(topic), bin(id)),
  );
  return plainEncode(
    new Map<Plain, Plain>([
      [10, bin(actor)],
      [11, incarnation],
      [12, terms],
      [OP, bin("route")],
    ]),
    packed,
  );
}

export function heartbeatBytes(actor: string, incarnation: number): Buffer {
  return plainEncode(
    new Map<Plain, Plain>([
      [10, bin(actor)],
      [11, incarnation],
      [OP, bin("heartbeat")],
    ]),
  );
}

export interface Forwarded {
  readonly topic: string;
  readonly payload: Buffer | string;
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
  /** A client id, or the name of EMQX's own part. */
  readonly from?: string | Atom;
  readonly properties?: readonly (readonly [string, Plain])[];
  /** A will carries two headers only. */
  readonly isWill?: boolean;
  readonly id?: Buffer;
}

export function messageBytes(message: Forwarded, id: Buffer, nowMs: number, packed: boolean): Buffer {
  const { topic, payload, qos = 1, retain = false, from = "pubB", properties = [], isWill = false } = message;
  const given = new Map<Plain, Plain>(properties.map(([name, value]) => [new Atom(name), value]));
  const headers: [Plain, Plain][] = isWill
    ? [
        [new Atom("properties"), given],
        [new Atom("username"), new Atom("undefined")],
      ]
    : [
        [new Atom("client_attrs"), new Map()],
        [new Atom("peerhost"), new Tuple(127, 0, 0, 1)],
        [new Atom("peername"), new Tuple(new Tuple(127, 0, 0, 1), 48_268)],
        [new Atom("properties"), given],
        [new Atom("proto_ver"), 5],
        [new Atom("protocol"), new Atom("mqtt")],
        [new Atom("username"), bin("pubuser")],
      ];
  return plainEncode(
    new Tuple(
      new Atom("message"),
      message.id ?? id,
      qos,
      typeof from === "string" ? bin(from) : from,
      new Map<Plain, Plain>([
        [new Atom("dup"), new Atom("false")],
        [new Atom("retain"), new Atom(String(retain))],
      ]),
      new Map(headers),
      bin(topic),
      typeof payload === "string" ? bin(payload) : payload,
      nowMs,
      new Map(),
    ),
    packed,
  );
}

export type PlainControl =
  | { readonly op: "actor_init"; readonly actor: string; readonly incarnation: number; readonly target: string }
  | {
      readonly op: "actor_init_ack";
      readonly actor: string;
      readonly error: string | null;
      readonly needBootstrap: boolean;
    }
  | { readonly op: "route"; readonly actor: string; readonly incarnation: number; readonly ops: readonly RouteOp[] }
  | { readonly op: "heartbeat"; readonly actor: string; readonly incarnation: number };

/** As strict as EMQX: what it could not read throws. */
export function readControl(bytes: Buffer): PlainControl {
  const term = plainDecode(bytes);
  const op = text(at(term, "$op"));
  const actor = text(at(term, 10));
  const incarnation = at(term, 11);
  if (op === "actor_init_ack") {
    const result = at(term, 15);
    if (at(term, 14) !== 1 || !(at(term, 16) instanceof Atom)) throw new Error("an answer without its keys");
    const isOk = result instanceof Atom && result.name === "ok";
    const error = isOk ? null : result instanceof Tuple ? text(result.items[1]) : "?";
    const need = at(term, 16);
    return { op, actor, error, needBootstrap: need instanceof Atom && need.name === "true" };
  }
  if (typeof incarnation !== "number") throw new Error("no incarnation");
  switch (op) {
    case "actor_init":
      if (typeof at(term, 14) !== "number") throw new Error("no protocol version");
      return { op, actor, incarnation, target: text(at(term, 13)) };
    case "heartbeat":
      return { op, actor, incarnation };
    case "route": {
      const routes = at(term, 12);
      if (!Array.isArray(routes)) throw new Error("no routes");
      return { op, actor, incarnation, ops: routes.map(readOp) };
    }
    default:
      throw new Error(`unknown $op ${op}`);
  }
}

function readOp(term: Plain): RouteOp {
  if (!(term instanceof Tuple)) throw new Error("a route that is no tuple");
  const [first, second, third] = term.items;
  if (term.items.length === 2) return ["add", text(first), text(second)];
  if (term.items.length !== 3 || first !== 100) throw new Error("a route that is no operation");
  return ["delete", text(second), text(third)];
}

/** What EMQX's receiver needs of a message; null: it drops it. */
export function readMessage(bytes: Buffer): PlainMessage | null {
  const term = plainDecode(bytes);
  if (!(term instanceof Tuple) || term.items.length !== 10) return null;
  const [tag, id, qos, from, flags, headers, topic, payload, timestamp, extra] = term.items;
  if (!(tag instanceof Atom) || tag.name !== "message" || !Buffer.isBuffer(id) || typeof qos !== "number") return null;
  if (!(flags instanceof Map) || !(headers instanceof Map) || !(extra instanceof Map)) return null;
  if (!Buffer.isBuffer(payload) || typeof timestamp !== "number") return null;
  if (!Buffer.isBuffer(from) && !(from instanceof Atom)) return null;
  const retain = at(flags, "retain");
  const properties = at(headers, "properties");
  return {
    topic: text(topic),
    payload,
    qos,
    retain: retain instanceof Atom && retain.name === "true",
    from,
    id,
    headers,
    properties: properties instanceof Map ? properties : new Map(),
  };
}
