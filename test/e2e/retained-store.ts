/** What brokers of tests have retained: put there, read as a client that comes now, and waited for. */
import type { Site } from "./site.ts";
import type { Received, TestClient } from "./test-client.ts";

/** As many PUBLISH under way as a broker takes of one client. */
const AT_A_TIME = 500;

export async function retain(
  writer: TestClient,
  topics: readonly string[],
  text: (topic: string) => string,
): Promise<void> {
  for (let at = 0; at < topics.length; at += AT_A_TIME)
    await Promise.all(
      topics.slice(at, at + AT_A_TIME).map((topic) => writer.publish(topic, text(topic), { retain: true })),
    );
}

/** What a broker has stored under the filter, by topic, as a client sees it that comes now. */
export async function stored(site: Site, filter: string): Promise<ReadonlyMap<string, Received>> {
  const late = await site.client();
  // At QoS 0: of a queue of QoS 1 messages Mosquitto drops what exceeds its limit, stored ones too.
  await late.subscribe([filter, "sentinel/late"], 0);
  await late.publish("sentinel/late", "sentinel");
  await late.arrival("sentinel", 30_000);
  await late.end();
  return new Map(late.received.filter(({ retain: flag }) => flag).map((message) => [message.topic, message]));
}

export function texts(messages: ReadonlyMap<string, Received>): Record<string, string> {
  return Object.fromEntries([...messages].map(([topic, { text }]) => [topic, text]));
}

/** Everything that was asked for was read, and has been taken by the other side. */
export async function synced(from: Site, peer: string, timeoutMs = 30_000): Promise<void> {
  await from.agent.untilLink(
    peer,
    `the states of ${from.name} are with ${peer}`,
    ({ states, queue, in: half }) =>
      (states.readings > 0 && states.waiting === 0 && queue.spooled === 0) ||
      JSON.stringify([states, queue.spooled, half]),
    timeoutMs,
  );
}
