/** When the certificate that a server showed us ends. */
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";

/** Null: no TLS, or no certificate. */
export function certificateEndsAtMs(socket: Duplex): number | null {
  if (!(socket instanceof TLSSocket)) return null;
  // Without a certificate the object is empty, whatever its type says.
  const endsAtMs = Date.parse(socket.getPeerCertificate().valid_to ?? "");
  return Number.isNaN(endsAtMs) ? null : endsAtMs;
}
