/** Whether the peer's broker lets this agent in and speak, and whether the peer's agent listens there under the name of the link. */
import { quoted } from "../config/printable.ts";
import type { AgentConfig, EndpointConfig, LinkConfig } from "../config/types.ts";
import type { SessionProblem } from "../mqtt/session.ts";
import { encodeKnock } from "../wire/knock.ts";
import { controlTopic, messageTopic, peerInboxFilters } from "../wire/names.ts";
import { Bench, randomLevel } from "./bench.ts";
import { conversation } from "./broker-rights.ts";
import { connectFinding } from "./connect-finding.ts";
import { DoctorClient } from "./doctor-client.ts";
import { checkEmqx } from "./emqx-check.ts";
import { CONFIGURATION, type Finding, type Fix, finding } from "./finding.ts";
import { checkTls } from "./tls-check.ts";

const REFUSED = 0x80;
/** MQTT 5, 3.4.2.1: taken, and nobody is subscribed. */
const NOBODY = 0x10;

export async function checkPeer(link: LinkConfig, endpoint: EndpointConfig, config: AgentConfig): Promise<Finding[]> {
  const at = `links[${config.links.indexOf(link)}]`;
  const bench = new Bench(endpoint, "peer");
  try {
    const [client, tls] = await Promise.all([bench.connect(), checkTls(endpoint, at, Date.now())]);
    const connected = connectFinding(client, endpoint, at);
    if (!(client instanceof DoctorClient)) return withoutRepeat(connected, tls, client);
    const said = link.protocol === "emqx" ? checkEmqx(client, link, config) : speaking(client, link, config, at);
    return [connected, ...tls, ...(await said)];
  } finally {
    await bench.close();
  }
}

/** What TLS says itself is more exact than what the connection makes of it. */
export function withoutRepeat(connected: Finding, tls: readonly Finding[], problem: SessionProblem): Finding[] {
  const isTls = problem.code === "PEER_TLS" || problem.code === "LOCAL_TLS";
  return isTls && tls.some(({ level }) => level === "fault") ? [...tls] : [connected, ...tls];
}

async function speaking(client: DoctorClient, link: LinkConfig, config: AgentConfig, at: string): Promise<Finding[]> {
  const { name, controlPrefix, endpoint } = link;
  const { cluster } = config;
  const user = endpoint?.username ?? null;
  const may = (access: "read" | "write", filter: string): Fix => ({
    file: `acl_file of the broker of cluster ${name}`,
    lines: [user === null ? "# before the first user line" : `user ${user}`, `topic ${access} ${filter}`],
  });
  const codes = await client.subscribe(
    peerInboxFilters(controlPrefix, cluster, name).map((filter) => ({ filter, qos: 1, noLocal: true })),
  );
  const mayListen = codes?.every((code) => code < REFUSED) === true;
  const hearing = mayListen
    ? []
    : [
        finding(
          "peer_listen",
          "note",
          "this user may not subscribe there: needed if the peer's link has no server; else only its refusals are not heard",
          may("read", conversation(controlPrefix, cluster, name)),
        ),
      ];
  if (client.version === 4) {
    const text =
      "the peer's broker was reached with MQTT 3.1.1: it refuses in silence, so whether this user may publish there is not known";
    return [
      finding("peer_publish", "warning", text, may("write", conversation(controlPrefix, name, cluster))),
      ...hearing,
    ];
  }
  const probe = `${controlTopic(controlPrefix, name, cluster).replace(/ctl$/, "")}${randomLevel()}`;
  const answer = await knock(client, probe);
  if (answer === null || answer >= REFUSED) {
    const text = `the broker does not let this user publish below ${conversation(controlPrefix, name, cluster)}`;
    return [
      finding("peer_publish", "fault", text, may("write", conversation(controlPrefix, name, cluster))),
      ...hearing,
    ];
  }
  return [
    finding("peer_publish", "ok", "this user may publish what the link needs"),
    ...hearing,
    await listening(client, link, config, answer, at),
  ];
}

/** Every agent listens to control messages, whatever name they call it by; frames it takes under its own name alone. */
async function listening(
  client: DoctorClient,
  { name, controlPrefix }: LinkConfig,
  { cluster }: AgentConfig,
  answer: number,
  at: string,
): Promise<Finding> {
  if (answer !== NOBODY)
    return finding("peer_agent", "skipped", "this broker does not tell whether anybody is subscribed");
  const control = await knock(client, controlTopic(controlPrefix, name, cluster));
  const frames = await knock(client, messageTopic(controlPrefix, name, cluster));
  if (frames === 0) return finding("peer_agent", "ok", `the agent of cluster ${quoted(name)} listens there`);
  if (control === 0) {
    const text = `an agent listens there, and its cluster is not called ${quoted(name)}: a link is named like the peer's cluster`;
    return finding("peer_agent", "fault", text, {
      file: CONFIGURATION,
      lines: [`# ${at}`, "name: THE PEER'S cluster"],
    });
  }
  return finding(
    "peer_agent",
    "fault",
    `no agent listens there: start the one of cluster ${quoted(name)}, with the same control_prefix`,
  );
}

/** The broker's reason code; null: it hung up. */
async function knock(client: DoctorClient, topic: string): Promise<number | null> {
  const result = await client.publish(topic, encodeKnock());
  return result.ok ? result.reasonCode : null;
}
