/** What our greetings and answers offer in extensions. */
import type { Offer } from "../wire/message.ts";
import type { AnnouncerNames } from "./announcer-state.ts";

/** Who expands nothing says nothing of it. */
export function offer({ expands = [], states }: AnnouncerNames): Offer {
  return { ...(expands.length === 0 ? {} : { expands }), ...(states === undefined ? {} : { states: states() }) };
}
