/**
 * A message as EMQX hands it from one cluster to another: its own record of ten fields, as an Erlang term.
 *
 *   {message, Id, QoS, From, Flags, Headers, Topic, Payload, Timestamp, Extra}
 *
 * Every field is written by whoever may publish it, so nothing in it is believed beyond its shape. Of the headers only the
 * MQTT 5 properties mean anything to a receiver that is no EMQX.
 */
import { encodeTerm } from "../etf/encode-term.ts";
import { type Inflate, readTerm } from "../etf/read-term.ts";
import {
  atom,
  binary,
  EMPTY_MAP,
  integer,
  isAtom,
  list,
  map,
  numberOf,
  type Term,
  textOf,
  tuple,
  valueAt,
} from "../etf/term.ts";
import { framedSize } from "../wire/frame.ts";
import type { Decoded, Message, MessageProperties } from "../wire/message.ts";
import { iodata } from "./iodata.ts";

const FIELDS = 10;
const MQTT_5 = 5;
/** MQTT 5, 3.3.2.3.3: a four-byte number of seconds. */
const EXPIRY_SECONDS_MAX = 0xffff_ffff;

export interface EmqxMessage {
  /** Sixteen bytes, unique, where EMQX made them. */
  readonly id: Uint8Array;
  /** Client id of the publisher, or the name of EMQX's own part that published it. */
  readonly from: string;
  readonly timestampMs: number;
  /** A QoS 2 message goes on as one of QoS 1. */
  readonly message: Message;
}

export function decodeEmqxMessage(bytes: Uint8Array, inflate: Inflate): Decoded<EmqxMessage> {
  const read = readTerm(bytes, inflate);
  if (!read.ok) return read;
  const value = messageOf(read.value);
  return value === null ? { ok: false, problem: "bad_value" } : { ok: true, value };
}

export function encodeEmqxMessage({ id, from, timestampMs, message }: EmqxMessage): Uint8Array {
  const { topic, payload, qos, retain } = message;
  return encodeTerm(
    tuple(
      atom("message"),
      binary(id),
      integer(qos),
      binary(from),
      map([
        [atom("dup"), atom("false")],
        [atom("retain"), atom(String(retain))],
      ]),
      map([
        [atom("client_attrs"), EMPTY_MAP],
        [atom("properties"), propertiesTerm(message)],
        [atom("proto_ver"), integer(MQTT_5)],
        [atom("protocol"), atom("mqtt")],
        [atom("username"), atom("undefined")],
      ]),
      binary(topic),
      binary(payload),
      integer(timestampMs),
      EMPTY_MAP,
    ),
  );
}

/** Null: not the record that it should be, or one that no broker could publish. */
function messageOf(term: Term): EmqxMessage | null {
  if (term.kind !== "tuple" || term.items.length !== FIELDS || !isAtom(term.items[0], "message")) return null;
  const [, idTerm, qosTerm, fromTerm, flags, headers, topicTerm, payloadTerm, timeTerm, extra] = term.items;
  const qos = numberOf(qosTerm);
  const topic = textOf(topicTerm);
  const payload = iodata(payloadTerm);
  const from = fromTerm?.kind === "atom" ? fromTerm.name : (textOf(fromTerm) ?? "");
  if (idTerm?.kind !== "binary" || qos === null || qos > 2 || topic === null || payload === null) return null;
  if (flags?.kind !== "map" || headers?.kind !== "map" || extra?.kind !== "map" || timeTerm?.kind !== "integer")
    return null;
  const given = valueAt(headers, "properties");
  const expirySeconds = numberOf(valueAt(given, "Message-Expiry-Interval"));
  const message: Message = {
    topic,
    payload,
    qos: qos === 0 ? 0 : 1,
    retain: isAtom(valueAt(flags, "retain"), "true"),
    properties: propertiesOf(given),
    expiryMs: expirySeconds === null || expirySeconds > EXPIRY_SECONDS_MAX ? null : expirySeconds * 1_000,
  };
  // Brokers close the connection of who publishes a wildcard.
  if (framedSize(message) === null) return null;
  return { id: idTerm.bytes, from, timestampMs: numberOf(timeTerm) ?? 0, message };
}

function propertiesTerm({ properties, expiryMs }: Message): Term {
  const pairs: [Term, Term][] = [];
  const put = (name: string, value: Term): void => {
    pairs.push([atom(name), value]);
  };
  if (properties !== null) {
    const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties;
    if (contentType !== undefined) put("Content-Type", binary(contentType));
    if (correlationData !== undefined) put("Correlation-Data", binary(correlationData));
    if (payloadFormatIndicator !== undefined) put("Payload-Format-Indicator", integer(payloadFormatIndicator ? 1 : 0));
    if (responseTopic !== undefined) put("Response-Topic", binary(responseTopic));
    if (userProperties !== undefined)
      put("User-Property", list(userProperties.map(([key, value]) => tuple(binary(key), binary(value)))));
  }
  if (expiryMs !== null) put("Message-Expiry-Interval", integer(Math.max(1, Math.ceil(expiryMs / 1_000))));
  return map(pairs);
}

/** What is of another type than it should be is left out: the message is worth more than its label. */
function propertiesOf(term: Term | undefined): MessageProperties | null {
  if (term?.kind !== "map") return null;
  const format = numberOf(valueAt(term, "Payload-Format-Indicator"));
  const contentType = textOf(valueAt(term, "Content-Type"));
  const responseTopic = textOf(valueAt(term, "Response-Topic"));
  const correlation = valueAt(term, "Correlation-Data");
  const user = userProperties(valueAt(term, "User-Property"));
  const properties: MessageProperties = {
    ...(format === 0 || format === 1 ? { payloadFormatIndicator: format === 1 } : {}),
    ...(contentType === null ? {} : { contentType }),
    ...(responseTopic === null ? {} : { responseTopic }),
    ...(correlation?.kind === "binary" ? { correlationData: correlation.bytes } : {}),
    ...(user.length === 0 ? {} : { userProperties: user }),
  };
  return Object.keys(properties).length === 0 ? null : properties;
}

function userProperties(term: Term | undefined): (readonly [string, string])[] {
  if (term?.kind !== "list") return [];
  return term.items.flatMap((item) => {
    if (item.kind !== "tuple" || item.items.length !== 2) return [];
    const [key, value] = item.items.map(textOf);
    return key == null || value == null ? [] : [[key, value] as const];
  });
}
