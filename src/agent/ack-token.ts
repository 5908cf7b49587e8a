/** One number for a message that waits for its PUBACK: packet identifiers have 16 bits, the connection's number stands before. */
const PACKET_IDS = 65_536;

export function ackToken(connection: number, packetId: number): number {
  return connection * PACKET_IDS + packetId;
}

export function ofAckToken(token: number): { readonly connection: number; readonly packetId: number } {
  return { connection: Math.floor(token / PACKET_IDS), packetId: token % PACKET_IDS };
}
