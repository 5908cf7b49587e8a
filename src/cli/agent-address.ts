/** Where a running agent of this configuration answers over HTTP. */
import type { HttpConfig } from "../config/types.ts";

export interface AgentAddress {
  /** `http://127.0.0.1:9464` */
  readonly url: string;
  readonly token: string | null;
}

/** An agent that listens on all addresses is asked on loopback. */
export function agentAddress({ host, port, token }: HttpConfig): AgentAddress {
  const asked = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return { url: `http://${asked.includes(":") ? `[${asked}]` : asked}:${port}`, token };
}
