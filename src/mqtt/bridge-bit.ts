/**
 * Protocol level 0x84 instead of 4 in a CONNECT of 3.1.1: brokers that know it send a session none of its own messages and
 * keep the retain flag. The client library cannot be asked for it.
 */

/** Type, up to four length bytes, "MQTT" with its length: the level follows (MQTT 3.1.2). */
const LEVEL_AFTER_LENGTH = 6;
const BRIDGE_BIT = 0x80;

/** The CONNECT that these are the pieces of, with its bit set. */
export function bridged(pieces: readonly Uint8Array[]): Buffer {
  const whole = Buffer.concat(pieces);
  let at = 1;
  while (((whole[at] ?? 0) & 0x80) !== 0) at += 1;
  const level = at + 1 + LEVEL_AFTER_LENGTH;
  whole[level] = (whole[level] ?? 0) | BRIDGE_BIT;
  return whole;
}
