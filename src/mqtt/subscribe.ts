/** What a session is asked to subscribe, and the SUBSCRIBE packets that say it. */
import { utf8Length } from "../topic/filter.ts";

export interface SubscribeEntry {
  readonly filter: string;
  readonly qos: 0 | 1;
  /** This and what follows: left out on a 3.1.1 connection. */
  readonly noLocal?: boolean;
  readonly retainAsPublished?: boolean;
  readonly retainHandling?: 0 | 1 | 2;
  /** Subscription identifier; left out where the broker has none. */
  readonly id?: number;
}

/** One packet: its identifier counts for all its filters (MQTT-3.8.2.1.2). */
export interface SubscribePacket {
  readonly filters: readonly string[];
  readonly qos: 0 | 1;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
  readonly id: number | null;
}

/** Fixed header, packet identifier, properties with a subscription identifier, each at its longest. */
const OVERHEAD_BYTES = 5 + 2 + 1 + 5;
/** Length and options beside each filter. */
const FILTER_OVERHEAD_BYTES = 3;
/** Past this a larger packet saves nothing, and a broker handles it in one go, before anything else. */
const PACKET_BYTES = 32_768;

/** In order: the reason codes of the packets' answers, one after the other, are those of the entries. */
export function subscribePackets(
  entries: readonly SubscribeEntry[],
  withIds: boolean,
  maximumPacketSize: number,
): SubscribePacket[] {
  const packets: SubscribePacket[] = [];
  const bytesMax = Math.min(PACKET_BYTES, maximumPacketSize);
  let filters: string[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const packet = packets.at(-1);
    const entryBytes = utf8Length(entry.filter) + FILTER_OVERHEAD_BYTES;
    if (packet === undefined || !fits(packet, entry, withIds) || bytes + entryBytes > bytesMax) {
      filters = [];
      bytes = OVERHEAD_BYTES;
      packets.push(packetOf(entry, filters, withIds));
    }
    filters.push(entry.filter);
    bytes += entryBytes;
  }
  return packets;
}

/** The same for filters alone. */
export function unsubscribePackets(filters: readonly string[], maximumPacketSize: number): SubscribePacket[] {
  return subscribePackets(
    filters.map((filter) => ({ filter, qos: 0 })),
    false,
    maximumPacketSize,
  );
}

/** What the packet takes at most: above the limit only where a single filter alone is. */
export function subscribeBytesMax(packet: SubscribePacket): number {
  return packet.filters.reduce((sum, filter) => sum + utf8Length(filter) + FILTER_OVERHEAD_BYTES, OVERHEAD_BYTES);
}

function packetOf(entry: SubscribeEntry, filters: readonly string[], withIds: boolean): SubscribePacket {
  return {
    filters,
    qos: entry.qos,
    noLocal: entry.noLocal ?? false,
    retainAsPublished: entry.retainAsPublished ?? false,
    retainHandling: entry.retainHandling ?? 0,
    id: withIds ? (entry.id ?? null) : null,
  };
}

function fits(packet: SubscribePacket, entry: SubscribeEntry, withIds: boolean): boolean {
  const other = packetOf(entry, [], withIds);
  return (
    packet.qos === other.qos &&
    packet.noLocal === other.noLocal &&
    packet.retainAsPublished === other.retainAsPublished &&
    packet.retainHandling === other.retainHandling &&
    packet.id === other.id
  );
}
