/** What every examination of one broker needs: its address, names that nobody else uses, and clients that are all ended at the end. */
import { randomBytes } from "node:crypto";
import type { EndpointConfig } from "../config/types.ts";
import type { Side } from "../mqtt/connection-end.ts";
import type { SessionProblem } from "../mqtt/session.ts";
import { DoctorClient, doctorClientId } from "./doctor-client.ts";

export class Bench {
  readonly endpoint: EndpointConfig;
  readonly side: Side;
  readonly #clients: DoctorClient[] = [];

  constructor(endpoint: EndpointConfig, side: Side) {
    this.endpoint = endpoint;
    this.side = side;
  }

  connect(
    change: { readonly clientId?: string; readonly expirySeconds?: number } = {},
  ): Promise<DoctorClient | SessionProblem> {
    return this.#connect(this.endpoint, change);
  }

  /** As somebody without a name. */
  connectNameless(): Promise<DoctorClient | SessionProblem> {
    return this.#connect({ ...this.endpoint, username: null, password: null }, {});
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  async #connect(
    endpoint: EndpointConfig,
    change: { readonly clientId?: string; readonly expirySeconds?: number },
  ): Promise<DoctorClient | SessionProblem> {
    const clientId = doctorClientId(this.endpoint.clientid);
    const client = await DoctorClient.connect({ endpoint, side: this.side, clientId, ...change });
    if (client instanceof DoctorClient) this.#clients.push(client);
    return client;
  }
}

/** A level of a topic that nobody else has. */
export function randomLevel(): string {
  return `doctor-${randomBytes(6).toString("hex")}`;
}
