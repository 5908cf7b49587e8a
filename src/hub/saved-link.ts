/** All of one link that has to outlive the process. */
import type { HubLink } from "./hub-link.ts";
import { type Save, savePeer, saveRecord, saveRoute } from "./saved-state.ts";

export function saveLink(save: Save, { name, conversation, inbound }: HubLink): void {
  const { acceptor } = conversation;
  if (acceptor.highest > 0) savePeer(save, name, acceptor.highest);
  for (const filter of acceptor.routes.effective()) saveRoute(save, name, filter, true);
  for (const [stream, record] of inbound.records()) saveRecord(save, name, stream, record);
}
