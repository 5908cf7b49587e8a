/** The clients of the story, by what they do. They stay for the live picture. */
import type { DemoClient } from "./demo-client.ts";
import type { DemoWorld } from "./demo-world.ts";

export interface Cast {
  /** On office: shows temperatures. */
  readonly dashboard: DemoClient;
  /** On office: comes and goes with wider or narrower wishes. */
  readonly visitor: DemoClient;
  /** On office: asks, and waits for answers. */
  readonly operator: DemoClient;
  /** On factory: publishes whatever machines publish. */
  readonly machines: DemoClient;
  /** On factory: answers requests. */
  readonly mixer: DemoClient;
}

export async function castOf({ office, factory }: DemoWorld): Promise<Cast> {
  return {
    dashboard: await office.client("dashboard"),
    visitor: await office.client("visitor"),
    operator: await office.client("operator"),
    machines: await factory.client("machines"),
    mixer: await factory.client("mixer"),
  };
}

/** The mixer answers every request on the topic that the request names. */
export function answering(mixer: DemoClient): void {
  mixer.answer(({ topic, text }) => {
    if (topic.startsWith("request/")) void mixer.publish(text, "mixed").catch(ignored);
  });
}

/** The demo ends while an answer is on its way. */
function ignored(): void {}
