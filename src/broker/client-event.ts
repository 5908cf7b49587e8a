/**
 * The JSON events of EMQX (`$SYS/brokers/<node>/clients/<id>/<event>`), also as a rule or plugin of another broker writes
 * them: connected, disconnected, subscribed, unsubscribed. Pure: bytes in, a value out.
 */
import { filterProblem } from "../topic/filter.ts";
import { type OwnRecord, ownFlag, ownNumber, ownText, ownValue, parseRecord } from "./own-json.ts";

export type ClientEvent =
  | {
      readonly kind: "connected";
      readonly client: string;
      readonly cleanStart: boolean | null;
      /** Null: not told. Only zero or not matters: publishers disagree on the unit. */
      readonly sessionExpiry: number | null;
      readonly connectedAt: number | null;
    }
  | {
      readonly kind: "disconnected";
      readonly client: string;
      /** The connection gave way to another one of the same client. */
      readonly replaced: boolean;
      /** When the connection that ended began, on the broker's clock. */
      readonly connectedAt: number | null;
    }
  | {
      readonly kind: "subscribed" | "unsubscribed";
      readonly client: string;
      readonly filter: string;
      /** On the clock of the broker's node; null: not told. */
      readonly atMs: number | null;
    };

/** A filter of 65,535 bytes, escaped, with room for user name and attributes. */
export const EVENT_BYTES_MAX = 1024 * 1024;
const CLIENT_BYTES_MAX = 65_535;

const REPLACED = ["takenover", "takeover", "discarded"];

/** `other`: a well-formed event of no interest. Null: not an event. */
export function parseClientEvent(topic: string, payload: Uint8Array): ClientEvent | "other" | null {
  const record = parseRecord(payload, EVENT_BYTES_MAX);
  if (record === null) return null;
  const level = eventName(topic.slice(topic.lastIndexOf("/") + 1));
  const named = ownText(record, "event");
  const kind = level ?? (named === null ? null : eventName(named));
  // An event under another name (client.connack, message.publish, …) is a publisher's choice, not an error.
  if (kind === null) return named === null ? null : "other";
  const client = ownText(record, "clientid");
  if (client === null || client === "" || client.length > CLIENT_BYTES_MAX) return null;
  switch (kind) {
    case "connected":
      return connected(record, client);
    case "disconnected":
      return {
        kind,
        client,
        replaced: REPLACED.includes(ownText(record, "reason") ?? ""),
        connectedAt: ownNumber(record, "connected_at"),
      };
    case "subscribed":
    case "unsubscribed": {
      const topic = ownText(record, "topic");
      const filter = topic === null ? null : filterAsked(topic);
      if (filter === null || filterProblem(filter) !== null) return null;
      return { kind, client, filter, atMs: ownNumber(record, "ts") };
    }
  }
}

function connected(record: OwnRecord, client: string): ClientEvent | null {
  const cleanStart = ownFlag(record, "clean_start");
  const isEndless = ownText(record, "expiry_interval") === "infinity";
  const sessionExpiry = isEndless ? Number.POSITIVE_INFINITY : ownNumber(record, "expiry_interval");
  if (cleanStart === null && isGiven(record, "clean_start")) return null;
  if ((sessionExpiry === null && isGiven(record, "expiry_interval")) || (sessionExpiry ?? 0) < 0) return null;
  return {
    kind: "connected",
    client,
    cleanStart,
    sessionExpiry,
    connectedAt: ownNumber(record, "connected_at"),
  };
}

/** EMQX writes absent values as null or as the text "undefined". */
function isGiven(record: OwnRecord, key: string): boolean {
  const value = ownValue(record, key);
  return value !== undefined && value !== null && value !== "undefined";
}

/**
 * EMQX's own prefixes name a subscription to what follows. `$queue` is a group of its own. An exclusive subscription and
 * the plain one to the same filter are one subscription of a session, which each of the two names ends.
 */
export function filterAsked(topic: string): string {
  if (/^\$queue\/./.test(topic)) return `$share/${topic}`;
  return /^\$exclusive\/./.test(topic) ? topic.slice("$exclusive/".length) : topic;
}

/** `connected`, `client.connected`, `client_connected`, `session.subscribed`: the last word counts. */
function eventName(text: string): "connected" | "disconnected" | "subscribed" | "unsubscribed" | null {
  const match = /^(?:(?:client|session)[._])?(connected|disconnected|subscribed|unsubscribed)$/.exec(text);
  switch (match?.[1]) {
    case "connected":
    case "disconnected":
    case "subscribed":
    case "unsubscribed":
      return match[1];
    case undefined:
      return null;
  }
  return null;
}
