/**
 * What two EMQX clusters say to each other about routes, as values and as Erlang's terms. Keys are small numbers beside the
 * atom `$op`; what a key is missing or of another type makes the whole unreadable, and keys beyond those known do no harm.
 */
import { encodeTerm } from "../etf/encode-term.ts";
import { type Inflate, readTerm } from "../etf/read-term.ts";
import { atom, binary, integer, isAtom, list, map, numberOf, type Term, textOf, tuple, valueAt } from "../etf/term.ts";
import type { Decoded } from "../wire/message.ts";

const OP = "$op";
const ACTOR = 10;
const INCARNATION = 11;
const ROUTES = 12;
const TARGET = 13;
const PROTOCOL = 14;
const RESULT = 15;
const NEED_BOOTSTRAP = 16;
/** In front of an operation that takes a route away. */
const DELETE = 100;

/** Of every version of EMQX that has cluster links. */
export const EMQX_PROTOCOL = 1;
/** The actor that speaks for durable sessions, whatever node it speaks from. */
export const PERSISTENT_ACTOR = "ps-routes-v1";

export interface EmqxRouteOp {
  readonly op: "add" | "delete";
  /** What the speaker wants of the link. */
  readonly topic: string;
  /** Which of its own subscriptions that comes of: several may come down to one topic. */
  readonly id: string;
}

export type EmqxControl =
  | {
      readonly op: "actor_init";
      readonly actor: string;
      readonly incarnation: number;
      /** The name that the speaker has for us. */
      readonly target: string;
      readonly protocol: number;
    }
  | {
      readonly op: "actor_init_ack";
      readonly actor: string;
      readonly protocol: number;
      /** Null: accepted; else why not. */
      readonly error: string | null;
      readonly needBootstrap: boolean;
    }
  | {
      readonly op: "route";
      readonly actor: string;
      readonly incarnation: number;
      readonly ops: readonly EmqxRouteOp[];
    }
  | { readonly op: "heartbeat"; readonly actor: string; readonly incarnation: number };

export function encodeEmqxControl(message: EmqxControl): Uint8Array {
  const op = [atom(OP), binary(message.op)] as const;
  const actor = [integer(ACTOR), binary(message.actor)] as const;
  switch (message.op) {
    case "actor_init":
      return encodeTerm(
        map([
          actor,
          [integer(INCARNATION), integer(message.incarnation)],
          [integer(TARGET), binary(message.target)],
          [integer(PROTOCOL), integer(message.protocol)],
          op,
        ]),
      );
    case "actor_init_ack": {
      const { error, needBootstrap } = message;
      // A reason as an atom would have to be known to the other side.
      const result = error === null ? atom("ok") : tuple(atom("error"), binary(error));
      const need = atom(error === null ? String(needBootstrap) : "undefined");
      return encodeTerm(
        map([
          actor,
          [integer(PROTOCOL), integer(message.protocol)],
          [integer(RESULT), result],
          [integer(NEED_BOOTSTRAP), need],
          op,
        ]),
      );
    }
    case "route":
      return encodeTerm(
        map([
          actor,
          [integer(INCARNATION), integer(message.incarnation)],
          [integer(ROUTES), list(message.ops.map(routeTerm))],
          op,
        ]),
      );
    case "heartbeat":
      return encodeTerm(map([actor, [integer(INCARNATION), integer(message.incarnation)], op]));
  }
}

export function decodeEmqxControl(bytes: Uint8Array, inflate: Inflate): Decoded<EmqxControl> {
  const read = readTerm(bytes, inflate);
  if (!read.ok) return read;
  const value = controlOf(read.value);
  if (value === "unknown_type" || value === null) return { ok: false, problem: value ?? "bad_value" };
  return { ok: true, value };
}

/** Null: a key is missing, or not what it has to be. */
function controlOf(term: Term): EmqxControl | "unknown_type" | null {
  const op = textOf(valueAt(term, OP));
  const actor = textOf(valueAt(term, ACTOR));
  const incarnation = numberOf(valueAt(term, INCARNATION));
  const protocol = numberOf(valueAt(term, PROTOCOL));
  switch (op) {
    case "actor_init": {
      const target = textOf(valueAt(term, TARGET));
      if (actor === null || incarnation === null || target === null || protocol === null) return null;
      return { op, actor, incarnation, target, protocol };
    }
    case "actor_init_ack": {
      const error = errorOf(valueAt(term, RESULT));
      const need = valueAt(term, NEED_BOOTSTRAP);
      if (actor === null || protocol === null || error === undefined || need === undefined) return null;
      return { op, actor, protocol, error, needBootstrap: isAtom(need, "true") };
    }
    case "route": {
      const ops = routeOps(valueAt(term, ROUTES));
      return actor === null || incarnation === null || ops === null ? null : { op, actor, incarnation, ops };
    }
    case "heartbeat":
      return actor === null || incarnation === null ? null : { op, actor, incarnation };
    default:
      return op === null ? null : "unknown_type";
  }
}

function routeTerm({ op, topic, id }: EmqxRouteOp): Term {
  return op === "add" ? tuple(binary(topic), binary(id)) : tuple(integer(DELETE), binary(topic), binary(id));
}

function routeOps(term: Term | undefined): EmqxRouteOp[] | null {
  if (term?.kind !== "list" || term.tail !== null) return null;
  const ops: EmqxRouteOp[] = [];
  for (const item of term.items) {
    if (item.kind !== "tuple") return null;
    const isDelete = item.items.length === 3 && numberOf(item.items[0]) === DELETE;
    if (!isDelete && item.items.length !== 2) return null;
    const [topicTerm, idTerm] = isDelete ? item.items.slice(1) : item.items;
    const topic = textOf(topicTerm);
    if (topic === null || idTerm === undefined) return null;
    ops.push({ op: isDelete ? "delete" : "add", topic, id: textOf(idTerm) ?? oddId(idTerm) });
  }
  return ops;
}

/** EMQX's own are texts; to a receiver they may be anything, as long as equal ones stay equal. */
function oddId(term: Term): string {
  let text = "\0";
  for (const byte of encodeTerm(term)) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** Undefined: neither `ok` nor an error. */
function errorOf(term: Term | undefined): string | null | undefined {
  if (isAtom(term, "ok")) return null;
  if (term?.kind !== "tuple" || term.items.length !== 2 || !isAtom(term.items[0], "error")) return undefined;
  const [, reason] = term.items;
  if (reason?.kind === "atom") return reason.name;
  return textOf(reason) ?? "unreadable reason";
}
