/** What is left of a message's life. */
import type { Message } from "../wire/message.ts";

/** The message with the time it spent here taken off its expiry; null: it has expired. */
export function aged(message: Message, spentMs: number): Message | null {
  // A clock that went back must not make a message live longer than its publisher said.
  if (message.expiryMs === null || spentMs <= 0) return message;
  const expiryMs = message.expiryMs - spentMs;
  return expiryMs <= 0 ? null : { ...message, expiryMs };
}
