/**
 * What two agents say to each other, as values; control.ts and frame.ts turn them into bytes and back.
 * docs/PROTOCOL.md describes the bytes.
 */
import type { Digest } from "../base/digest.ts";
import type { Compression } from "./compression.ts";

/** Which life of which agent speaks. `instance` is 16 hex digits, random per process. */
export interface Speaker {
  /** Milliseconds since the epoch, or one more than any earlier life; 1 to 2^53 - 1. 0, in `of` only: whoever you are. */
  readonly incarnation: number;
  readonly instance: string;
}

/** A route set at one numbered operation. */
export interface RoutesMark {
  /** Number of the last route operation included; 0 before the first. */
  readonly op: number;
  readonly count: number;
  readonly digest: Digest;
}

/** What the speaker knows of the link and the other side may not: half of it does not work. */
export interface Trouble {
  /** The reason code with which the broker on the way refuses the speaker's frames; 0: it takes them. */
  readonly framesRefused: number;
  /** The speaker has heard no control message of the receiver for the time of silence. */
  readonly unheard: boolean;
}

/** What the speaker says of the backlogs between it and the receiver. */
export interface BacklogWord {
  /** One is on its way to the receiver. */
  readonly draining: boolean;
  /** How fast the receiver's should come, of its own pace, 1 to 100: less than all when the broker behind drops messages. */
  readonly percent: number;
}

/** What the speaker says of states: of retained messages as a broker has them stored. Absent: it knows nothing of them. */
export interface StatesWord {
  /** It wants those that its routes match. */
  readonly wanted: boolean;
  /** It sends them to who wants them; not so where its broker speaks MQTT 3.1.1. */
  readonly served: boolean;
}

/** Versions of the protocol that an agent speaks, both inclusive; the highest common one is used. */
export interface ProtocolRange {
  readonly protocolMin: number;
  readonly protocolMax: number;
}

/** What a greeting and its answer offer beyond version 1 as it was first written. */
export interface Offer {
  /** Compressed frames that the speaker takes; absent: none, or it knows none. */
  readonly expands?: readonly Compression[];
  readonly states?: StatesWord;
}

/** "unknown": refused, with a result that a later version has and this one does not know. */
export type AckResult =
  | "ok"
  | "unknown_link"
  | "wrong_name"
  | "link_disabled"
  | "duplicate_agent"
  | "old_incarnation"
  | "protocol_mismatch"
  | "unknown";

export type WireRouteOp =
  | { readonly op: "add"; readonly filter: string; readonly groups: readonly string[] }
  | { readonly op: "delete"; readonly filter: string };

/** Why an agent asks the other to start the conversation, or its bootstrap, again. */
export type AgainReason =
  | "unknown_incarnation"
  | "digest_mismatch"
  | "bad_message"
  | "no_bootstrap"
  | "log_gap"
  | "unknown";

export type ControlBody =
  /** Opens a conversation, repeated until acknowledged. `greeting` numbers the hellos of one speaker. */
  | ({
      readonly type: "hello";
      readonly greeting: number;
      /** Name by which the speaker knows the receiver; must be the receiver's own. */
      readonly to: string;
      readonly from: string;
      readonly agentVersion: string;
      /** Largest frame, in bytes, that the speaker takes; at least 4,096. */
      readonly frameBytesMax: number;
    } & ProtocolRange &
      Offer)
  /** Answers one hello. `highest` is the highest incarnation of the hello's speaker ever seen here. */
  | ({
      readonly type: "ack";
      readonly greeting: number;
      readonly of: Speaker;
      /** The answering cluster's own name: names the mistake when the result is `wrong_name`. */
      readonly name: string;
      readonly result: AckResult;
      readonly highest: number;
      /** The complete set held from exactly that speaker, or null: send a bootstrap. */
      readonly have: RoutesMark | null;
      readonly frameBytesMax: number;
    } & ProtocolRange &
      Offer)
  /** One part of a bootstrap; parts are numbered from 0. */
  | {
      readonly type: "bootstrap";
      readonly bootstrap: number;
      readonly part: number;
      readonly ops: readonly WireRouteOp[];
    }
  | {
      readonly type: "bootstrap_end";
      readonly bootstrap: number;
      readonly parts: number;
      readonly mark: RoutesMark;
    }
  /** Confirms parts 0..nextPart-1; `done` once the end marker was checked and the set is in force. */
  | {
      readonly type: "bootstrap_ack";
      readonly of: Speaker;
      readonly bootstrap: number;
      readonly nextPart: number;
      readonly done: boolean;
    }
  /** Operations firstOp, firstOp+1, … */
  | { readonly type: "routes"; readonly firstOp: number; readonly ops: readonly WireRouteOp[] }
  | { readonly type: "routes_ack"; readonly of: Speaker; readonly op: number }
  /** `trouble` absent: none. `backlog` absent: none drains, and that of the receiver may come as it will. */
  | {
      readonly type: "heartbeat";
      readonly mark: RoutesMark;
      readonly trouble?: Trouble;
      readonly backlog?: BacklogWord;
    }
  /** "Start again": `hello` asks for a new greeting, `bootstrap` for a new bootstrap of the current one. */
  | {
      readonly type: "again";
      readonly of: Speaker;
      readonly what: "hello" | "bootstrap";
      readonly reason: AgainReason;
    }
  /** Routes that the speaker cannot serve, with the broker's reason code; `refused: false` takes it back. */
  | {
      readonly type: "refused";
      readonly of: Speaker;
      readonly filter: string;
      readonly reasonCode: number;
      readonly refused: boolean;
    }
  /**
   * `pause`: back soon, keep the routes. `leave`: the link is gone, drop them. `lost`: the connection's Will. `greeting`: the
   * speaker's last one, of a Will the first number of its connection; a goodbye older than a greeting heard is void.
   */
  | { readonly type: "goodbye"; readonly kind: "pause" | "leave" | "lost"; readonly greeting: number }
  /** Messages of `stream` up to and including `upTo` are settled, and those in `ranges` (inclusive pairs, ascending). */
  | {
      readonly type: "settled";
      readonly of: Speaker;
      readonly stream: string;
      readonly upTo: number;
      readonly ranges: readonly (readonly [number, number])[];
    };

export type ControlType = ControlBody["type"];

export interface ControlMessage {
  readonly speaker: Speaker;
  readonly body: ControlBody;
}

/** MQTT 5 publish properties that cross the link unchanged; absent on MQTT 3.1.1. */
export interface MessageProperties {
  readonly payloadFormatIndicator?: boolean;
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
  /** In order, keys may repeat. */
  readonly userProperties?: readonly (readonly [string, string])[];
}

/** A message as it travels between brokers. */
export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** Of the copy that the agent received: a QoS 2 message crosses as 1. */
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly properties: MessageProperties | null;
  /** Milliseconds left when this value was made, or null: never expires. */
  readonly expiryMs: number | null;
  /** Not published now: a broker had it stored. Then `retain` is false, and the message is reliable. */
  readonly state?: true;
}

export interface FramedMessage {
  /** Number in the frame's stream; null for best-effort (QoS 0) messages. Ascending within a frame. */
  readonly number: number | null;
  readonly message: Message;
  /** Cluster of first publication; null: the frame's sender. */
  readonly origin: string | null;
}

export interface Frame {
  readonly speaker: Speaker;
  /** Last route operation that the speaker had produced when it made the frame: causality. */
  readonly routeOp: number;
  /** 16 hex digits; the stream that the numbered messages belong to. */
  readonly stream: string;
  /** Every number below this one is settled at the sender: never wait for it. */
  readonly base: number;
  readonly messages: readonly FramedMessage[];
}

/** What a decoder answers instead of throwing: peers send rubbish. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: WireProblem };

export type WireProblem =
  | "truncated"
  | "bad_magic"
  | "unsupported_version"
  | "unknown_flags"
  | "authenticator_unexpected"
  | "unknown_type"
  | "unknown_extension"
  /** A type that may be passed over: no reason to end a conversation. */
  | "optional_type"
  | "bad_value"
  | "bad_name"
  | "bad_utf8"
  | "bad_filter"
  | "bad_topic"
  | "trailing_bytes"
  | "too_large"
  /** It does not expand to as much as it says. */
  | "bad_compression";
