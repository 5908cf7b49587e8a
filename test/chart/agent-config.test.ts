/** The brokerlink.yaml that the chart makes is one that the agent takes: `brokerlink check`, with the Secrets' files beside it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { CERTIFICATE, PRIVATE_KEY } from "../config/pem.ts";
import { repoFolder } from "../support/repo-folder.ts";
import { agentPod, CI_VALUES, configText, type KubeObject, render } from "./rendering.ts";

interface Checked {
  readonly ok: boolean;
  readonly problems?: readonly unknown[];
  readonly config: {
    readonly data_dir?: string | null;
    readonly http: { readonly host: string; readonly port: number; readonly token_file?: string };
    readonly spool: { readonly max_bytes: number | string };
    readonly links: readonly Readonly<Record<string, unknown>>[];
    readonly local: Readonly<Record<string, unknown>>;
  };
}

/** The pod's folders, as far as the configuration names them, under a folder of this test. */
function checked(objects: readonly KubeObject[]): Checked {
  const root = mkdtempSync(join(tmpdir(), "brokerlink-check-"));
  try {
    const text = configText(objects, "brokerlink.yaml").replaceAll(/(\/(?:run|var\/lib)\/brokerlink\/)/g, `${root}$1`);
    for (const [, path = ""] of text.matchAll(/(?:file): (\S+)$/gm)) {
      mkdirSync(dirname(path), { recursive: true });
      const pem = path.endsWith(".key") ? PRIVATE_KEY : CERTIFICATE;
      writeFileSync(path, path.includes("/tls/") ? pem : "a-secret-that-is-long-enough", { mode: 0o600 });
    }
    const file = join(root, "brokerlink.yaml");
    writeFileSync(file, text);
    const bin = join(repoFolder(), "bin", "brokerlink.js");
    const answer = spawnSync(process.execPath, [bin, "check", "--json", file], { encoding: "utf8", env: {} });
    return JSON.parse(answer.stdout.replaceAll(root, "")) as Checked;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const CONFIGS = new Map(CI_VALUES.map((name) => [name, checked(render(name))]));

for (const [name, { ok, problems }] of CONFIGS) {
  test(`brokerlink check takes what the chart makes of ${name}`, () => {
    assert.ok(ok, JSON.stringify(problems, null, 2));
  });
}

function configOf(name: string): Checked["config"] {
  const found = CONFIGS.get(name);
  assert.ok(found !== undefined);
  return found.config;
}

test("the agent listens where probes and the Service reach it, unless the user says where", () => {
  assert.equal(configOf("deployment-values.yaml").http.host, "0.0.0.0");
  const full = configOf("deployment-full-values.yaml");
  assert.deepEqual([full.http.host, full.http.port], ["::", 9500]);
  const { agent } = agentPod(render("deployment-full-values.yaml"));
  assert.deepEqual((agent as { ports?: unknown }).ports, [
    { name: "brokerlink-http", containerPort: 9500, protocol: "TCP" },
  ]);
});

test("the spool is on the volume, in a folder of its own, and all links fit into it", () => {
  const of = (name: string): unknown[] => [configOf(name).data_dir ?? null, configOf(name).spool.max_bytes];
  assert.deepEqual(of("deployment-values.yaml"), ["/var/lib/brokerlink/data", Math.floor((2 ** 30 * 4) / 5)]);
  assert.deepEqual(of("statefulset-values.yaml"), ["/var/lib/brokerlink/data", (10 * 2 ** 30 * 4) / 5 / 2]);
  assert.deepEqual(of("memory-values.yaml"), [null, 2 ** 24]);
});

test("Mosquitto's own agent knows where it is and who it is; what the user says of it counts too", () => {
  const { local } = configOf("mosquitto-tls-values.yaml");
  const { server, broker, username, clientid, protocol_version } = local;
  assert.deepEqual(
    { server: [server].flat(), broker, username, clientid, protocol_version },
    {
      server: ["mqtt://127.0.0.1:1883"],
      broker: "mosquitto",
      username: "agent",
      clientid: "agent-of-a",
      protocol_version: 5,
    },
  );
  const text = configText(render("mosquitto-tls-values.yaml"), "brokerlink.yaml");
  assert.match(text, /^ {2}password_file: \/run\/brokerlink\/secrets\/own$/m);
});

test("whole numbers stay whole numbers, although Helm reads them as floating point", () => {
  assert.equal(configOf("deployment-full-values.yaml").links[0]?.["max_routes"], 1_000_000);
});
