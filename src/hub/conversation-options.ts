/** What a link's configuration means to its conversation. */
import type { SpokenNumbers } from "../link/announcer-state.ts";
import type { ConversationOptions } from "../link/conversation.ts";
import { WIRE_VERSION } from "../wire/envelope.ts";
import { FRAME_BYTES_MAX } from "../wire/frame.ts";
import type { StatesWord } from "../wire/message.ts";
import type { HubLinkOptions, LinkHost } from "./link-host.ts";

export function conversationOptions(
  { name, routesMax, routeRetentionMs, codec }: HubLinkOptions,
  { cluster, agentVersion }: LinkHost,
  after: SpokenNumbers,
  states: () => StatesWord,
): ConversationOptions {
  return {
    after,
    me: cluster,
    peer: name,
    agentVersion,
    protocolVersion: WIRE_VERSION,
    frameBytesMax: FRAME_BYTES_MAX,
    expands: codec?.algorithms ?? [],
    routesMax,
    routeRetentionMs,
    states,
  };
}
