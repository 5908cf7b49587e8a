/** What our greetings and answers offer in an extension. */
import type { Compression } from "../wire/compression.ts";
import type { Offer } from "../wire/message.ts";

/** Who expands nothing says nothing of it. */
export function offer(expands: readonly Compression[] = []): Offer {
  return expands.length === 0 ? {} : { expands };
}
