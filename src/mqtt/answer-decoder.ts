/** What a broker answers a PUBLISH, SUBSCRIBE or UNSUBSCRIBE with, taken apart (MQTT5 3.4, 3.9, 3.11). */
import type { PacketReader } from "./packet-reader.ts";

export interface Answer {
  readonly packetId: number;
  /** One for a PUBACK, 0 from 3.1.1; one per filter for a SUBACK; none for an UNSUBACK of 3.1.1. */
  readonly codes: readonly number[];
}

const SUCCESS: readonly number[] = [0];

/** `reader` stands behind the fixed header. Null: the reader has the problem. Any reason code is taken, listed or not. */
export function decodePuback(reader: PacketReader, version: 4 | 5): Answer | null {
  const packetId = readId(reader);
  let codes = SUCCESS;
  if (version === 5 && reader.left > 0) {
    codes = [reader.u8()];
    // A length of 3 ends behind the reason code (MQTT5 3.4.2.1).
    if (reader.left > 0) reader.skip(reader.varint());
  }
  if (reader.left > 0) reader.fail("bytes behind its end");
  return reader.problem === null ? { packetId, codes } : null;
}

/** The same for SUBACK and UNSUBACK. */
export function decodeSuback(reader: PacketReader, version: 4 | 5): Answer | null {
  const packetId = readId(reader);
  if (version === 5) reader.skip(reader.varint());
  const codes = [...reader.rest()];
  return reader.problem === null ? { packetId, codes } : null;
}

/** MQTT-2.2.1-3: never 0. */
function readId(reader: PacketReader): number {
  const packetId = reader.u16();
  if (packetId === 0) reader.fail("packet identifier 0");
  return packetId;
}
