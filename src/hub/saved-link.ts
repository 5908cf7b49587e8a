/** Of one link, what has to outlive the process; its routes apart, which may be a million. */
import type { HubLink } from "./hub-link.ts";
import { type Save, savePeer, saveRecord } from "./saved-state.ts";

export function saveLink(save: Save, { name, conversation, inbound }: HubLink): void {
  const { acceptor } = conversation;
  if (acceptor.highest > 0) savePeer(save, name, acceptor.highest);
  for (const [stream, record] of inbound.records()) saveRecord(save, name, stream, record);
}
