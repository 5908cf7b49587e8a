/**
 * Texts that every broker takes. MQTT-1.5.4 says that control characters and non-characters SHOULD NOT be sent, and lets
 * who receives them close the connection. Mosquitto does, for topics and for properties.
 */

/** C0 and C1 controls, U+0000 among them, and the 66 code points that Unicode reserves for ever. */
const DOUBTFUL = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;

export function isPlainText(text: string): boolean {
  return !DOUBTFUL.test(text);
}
