/** What the chart's schema refuses and takes, and that the generated files are up to date. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import * as linkKeys from "../../src/config/link-keys.ts";
import * as schema from "../../src/config/schema.ts";
import * as names from "../../src/wire/names.ts";
import { repoRoot } from "../config/repo-root.ts";
import { readText } from "../house/repository.ts";
import { HELM_MAJORS } from "../support/helm.ts";
import { template } from "./rendering.ts";

interface ConfigGenerator {
  chartConfigSchema(parts: object): { config: object; cluster: object };
}
interface ReadmeGenerator {
  chartReadme(texts: { values: string; chart: string }): string;
}

/** Outside of what is compiled, hence loaded at run time. */
async function script<T>(name: string): Promise<T> {
  return (await import(new URL(`scripts/${name}`, repoRoot()).href)) as T;
}

const LOCAL = { server: "mqtt://mosquitto:1883", broker: "mosquitto" };
const LINK = { name: "b", server: "mqtts://b.example.org", topics: ["t/#"] };
const CONFIG = { cluster: "a", local: LOCAL, links: [LINK] };

test("the configuration part of values.schema.json is what the schema in src/config says: npm run docs", async () => {
  const { chartConfigSchema } = await script<ConfigGenerator>("chart-config-schema.js");
  const { config, cluster } = chartConfigSchema({ schema, linkKeys, names });
  const shipped = JSON.parse(readText("helm/brokerlink/values.schema.json") ?? "");
  assert.deepEqual(shipped.properties.config, JSON.parse(JSON.stringify(config)));
  assert.deepEqual(shipped.definitions.cluster, cluster);
});

test("a format that the generator does not know is an error, and so is a value without a comment", async () => {
  const { chartConfigSchema } = await script<ConfigGenerator>("chart-config-schema.js");
  const odd = { kind: "leaf", doc: "", format: { expects: "a colour" }, required: false, sensitive: false };
  assert.throws(
    () => chartConfigSchema({ schema: { AGENT_KEYS: { odd } }, linkKeys, names }),
    /does not know the format of "odd": a colour/,
  );
  const { chartReadme } = await script<ReadmeGenerator>("chart-readme.js");
  const chart = readText("helm/brokerlink/Chart.yaml") ?? "";
  assert.throws(() => chartReadme({ values: "# Yes.\na: 1\nb:\n  c: 2\n", chart }), /b\.c has no comment/);
});

test("the chart's README is what the comments of values.yaml say: npm run docs", async () => {
  const { chartReadme } = await script<ReadmeGenerator>("chart-readme.js");
  const [values, chart] = [readText("helm/brokerlink/values.yaml"), readText("helm/brokerlink/Chart.yaml")];
  assert.equal(readText("helm/brokerlink/README.md"), chartReadme({ values: values ?? "", chart: chart ?? "" }));
});

test("every value is in the schema, which knows no others at any depth", () => {
  const values = parse(readText("helm/brokerlink/values.yaml") ?? "") as Record<string, unknown>;
  const shipped = JSON.parse(readText("helm/brokerlink/values.schema.json") ?? "");
  assert.deepEqual(Object.keys(shipped.properties).sort(), [...Object.keys(values), "global"].sort());
  const open: string[] = [];
  const visit = (node: Record<string, unknown>, path: string): void => {
    if (node["properties"] === undefined || path.includes("allOf")) return;
    if (node["additionalProperties"] !== false) open.push(path);
    for (const [key, inner] of Object.entries(node["properties"] as object)) visit(inner, `${path}.${key}`);
  };
  visit(shipped, "values");
  assert.deepEqual(open, []);
});

/** Typical mistakes, and what the message must name; Helm 3 and 4 use different validators. */
const MISTAKES: readonly (readonly [string, object, readonly RegExp[]])[] = [
  ["no cluster", { config: { local: LOCAL } }, [/config/, /cluster/]],
  ["no local broker", { config: { cluster: "a" } }, [/config/, /local/]],
  ["a bad cluster name", { config: { ...CONFIG, cluster: "a/b" } }, [/cluster/]],
  [
    "a misspelt key of a link",
    { config: { ...CONFIG, links: [{ ...LINK, usernmae: "u" }] } },
    [/links[./]0/, /usernmae/],
  ],
  ["a password in the values", { config: { ...CONFIG, local: { ...LOCAL, password: "s" } } }, [/local/, /password/]],
  [
    "a URL with a password",
    { config: { ...CONFIG, local: { ...LOCAL, server: "mqtt://u:p@h" } } },
    [/local[./]server/],
  ],
  [
    "an unknown kind of broker",
    { config: { ...CONFIG, local: { ...LOCAL, broker: "mosquito" } } },
    [/local[./]broker/, /mosquitto/],
  ],
  [
    "a duration without a unit",
    { config: { ...CONFIG, links: [{ ...LINK, retry_interval: 15 }] } },
    [/retry_interval/],
  ],
  ["two agents", { config: CONFIG, replicas: 2 }, [/replicas/, /0.*1/]],
  ["an unknown mode", { config: CONFIG, mode: "daemonset" }, [/mode/, /deployment/]],
  ["Mosquitto without passwords", { config: { cluster: "a" }, mode: "mosquitto" }, [/existingSecret/]],
  ["a spool on a volume in a deployment", { config: CONFIG, spool: { kind: "volume" } }, [/spool[./]kind/]],
  [
    "too short a time to end in",
    { config: CONFIG, terminationGracePeriodSeconds: 5 },
    [/terminationGracePeriodSeconds/, /16/],
  ],
  ["a misspelt value", { config: CONFIG, networkpolicy: { enabled: true } }, [/networkpolicy/]],
  ["a reserved filter", { config: { ...CONFIG, links: [{ ...LINK, topics: ["$SYS/#"] }] } }, [/topics[./]0/]],
];

for (const major of HELM_MAJORS) {
  test(`Helm ${major} takes the values that the mistakes are made of`, () => {
    const { code, error } = template({ config: CONFIG }, { major });
    assert.equal(code, 0, error);
  });
  for (const [name, values, patterns] of MISTAKES) {
    test(`Helm ${major} refuses ${name}, and says where`, () => {
      const { code, error } = template(values, { major });
      assert.equal(code, 1);
      assert.match(error, /values don't meet the specifications of the schema/);
      for (const pattern of patterns) assert.match(error, pattern);
    });
  }
}

test("the complete example configuration passes, its passwords aside", () => {
  const config = parse(readText("examples/brokerlink.yaml") ?? "");
  for (const major of HELM_MAJORS) {
    const { code, error } = template({ config }, { major });
    assert.equal(code, 0, error);
  }
});
