/** A cluster with Mosquitto and an agent, linked by EMQX's own protocol with a cluster that knows nothing of agents. */
import { LocalMosquitto } from "../contract/local-mosquitto.ts";
import { type DoubleLink, EmqxClusterDouble } from "../emqx/emqx-cluster-double.ts";
import type { EmqxVersion } from "../emqx/plain-emqx.ts";
import { until } from "../support/until.ts";
import { AgentProcess } from "./agent-process.ts";
import { EVENT_LINES, Site } from "./site.ts";
import { TestClient } from "./test-client.ts";

export interface EmqxSiteOptions {
  /** What the Mosquitto side wants, and the EMQX side. */
  readonly mWants?: readonly string[];
  readonly eWants?: readonly string[];
  readonly version?: EmqxVersion;
  /** Keys of the agent's link, and others of its configuration. */
  readonly link?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
  /** Of EMQX's link to the agent's cluster. */
  readonly eLink?: Partial<DoubleLink>;
  /** Names as the other side has them. */
  readonly eCluster?: string;
  readonly mLines?: readonly string[];
  /** EMQX runs before the agent does. */
  readonly emqxFirst?: boolean;
}

export class EmqxSite {
  readonly m: Site;
  readonly eBroker: LocalMosquitto;
  readonly emqx: EmqxClusterDouble;
  readonly #clients: TestClient[] = [];

  private constructor(m: Site, eBroker: LocalMosquitto, emqx: EmqxClusterDouble) {
    this.m = m;
    this.eBroker = eBroker;
    this.emqx = emqx;
  }

  /** Brokers and agent run; EMQX does not yet, unless it is asked for. */
  static async open(options: EmqxSiteOptions = {}): Promise<EmqxSite> {
    const { mWants = ["#"], eWants = ["#"], link = {}, config = {}, eLink = {}, eCluster = "e" } = options;
    const m = await Site.open("m", options.mLines ?? EVENT_LINES);
    const eBroker = await LocalMosquitto.start(EVENT_LINES);
    const emqx = new EmqxClusterDouble({
      cluster: eCluster,
      url: eBroker.url,
      links: [{ name: "m", url: m.broker.url, topics: eWants, ...eLink }],
      ...(options.version === undefined ? {} : { version: options.version }),
    });
    const links = [{ name: "e", server: eBroker.url, topics: mWants, protocol: "emqx", ...link }];
    m.agent = new AgentProcess({ cluster: "m", local: m.broker.url, config: { ...config, links } });
    const site = new EmqxSite(m, eBroker, emqx);
    try {
      if (options.emqxFirst === true) await emqx.start();
      await m.agent.start();
    } catch (error) {
      await site.close();
      throw error;
    }
    return site;
  }

  /** The same, linked and exact. */
  static async linked(options: EmqxSiteOptions = {}): Promise<EmqxSite> {
    const site = await EmqxSite.open({ ...options, emqxFirst: true });
    try {
      await site.ready();
    } catch (error) {
      const why = `${error instanceof Error ? error.message : error}\n${site.m.tail(60)}\n${site.emqx.violations.join("\n")}`;
      await site.close();
      throw new Error(why);
    }
    return site;
  }

  async ready(): Promise<void> {
    await this.m.agent.linked("e");
    await this.m.agent.exact();
    await until("EMQX's actor is online", () => this.emqx.actor("m").state === "online" || this.emqx.actor("m").state);
  }

  /** A client of the EMQX cluster. */
  async eClient(options = {}): Promise<TestClient> {
    const client = await TestClient.connect(this.eBroker.url, options);
    this.#clients.push(client);
    return client;
  }

  /** Waits until EMQX holds exactly these routes of ours. */
  async eHolds(...filters: readonly string[]): Promise<void> {
    const wanted = JSON.stringify([...filters].sort());
    await until(
      `EMQX holds ${wanted}`,
      () => {
        const held = JSON.stringify(this.emqx.routesOf("m"));
        return held === wanted || held;
      },
      20_000,
    );
  }

  /** Waits until the agent has so many routes of EMQX, and their demand is settled. */
  async mHolds(count: number, timeoutMs = 20_000): Promise<void> {
    await this.m.agent.untilStatus(
      `the agent holds ${count} routes of EMQX`,
      ({ hub }) => {
        const routes = hub.links[0]?.in.routes;
        return (routes === count && hub.demand.pending === 0) || `${routes}, ${hub.demand.pending} pending`;
      },
      timeoutMs,
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map(({ client }) => client.endAsync(true)));
    await this.emqx.stop();
    await this.m.close();
    await this.eBroker.stop();
  }
}
