/**
 * The stage: two sites, and a wire in front of each broker that only the other site's agent uses.
 *
 *   clients ── office ── agent ══ wire ══▶ factory        and the same from factory to office
 */

import { assert } from "../base/assert.ts";
import type { LinkStatus } from "../hub/status.ts";
import { DemoCluster } from "./demo-cluster.ts";
import { WideAreaWire } from "./wide-area-wire.ts";

/** What the office wants from the factory. */
export const OFFICE_TOPICS = ["line/#", "reply/+"] as const;
/** What the factory wants from the office: whatever its clients ask for. */
export const FACTORY_TOPICS = ["#"] as const;

export class DemoWorld {
  readonly office: DemoCluster;
  readonly factory: DemoCluster;
  /** In front of the office's broker: what the factory sends passes here. */
  readonly toOffice: WideAreaWire;
  readonly toFactory: WideAreaWire;

  private constructor(office: DemoCluster, factory: DemoCluster, toOffice: WideAreaWire, toFactory: WideAreaWire) {
    this.office = office;
    this.factory = factory;
    this.toOffice = toOffice;
    this.toFactory = toFactory;
  }

  /** Brokers, wires and agents; resolves before the agents have found each other. */
  static async start(): Promise<DemoWorld> {
    const office = await DemoCluster.start("office");
    const factory = await DemoCluster.start("factory");
    const toOffice = await WideAreaWire.open(office.port);
    const toFactory = await WideAreaWire.open(factory.port);
    office.link({ peer: "factory", server: toFactory.url, topics: OFFICE_TOPICS });
    factory.link({ peer: "office", server: toOffice.url, topics: FACTORY_TOPICS });
    return new DemoWorld(office, factory, toOffice, toFactory);
  }

  get clusters(): readonly DemoCluster[] {
    return [this.office, this.factory];
  }

  /** The link as the cluster's own agent sees it. */
  link(cluster: DemoCluster): LinkStatus {
    const [link] = cluster.agent.status().hub.links;
    assert(link !== undefined, `${cluster.name} has a link`);
    return link;
  }

  get isCut(): boolean {
    return this.toOffice.isCut;
  }

  cut(): void {
    this.toOffice.cut();
    this.toFactory.cut();
  }

  mend(): void {
    this.toOffice.mend();
    this.toFactory.mend();
  }

  async stop(): Promise<void> {
    await Promise.all(this.clusters.map((cluster) => cluster.stop()));
    await Promise.all([this.toOffice.close(), this.toFactory.close()]);
  }
}
