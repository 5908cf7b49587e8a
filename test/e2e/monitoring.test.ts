/** The dashboard and the alert rules of examples/monitoring, in a real Prometheus that scrapes two agents with a link over TLS. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse } from "yaml";
import { Certificates } from "../mqtt/certificates.ts";
import { freePorts } from "../support/free-ports.ts";
import { until } from "../support/until.ts";
import { Prometheus, promtool } from "./prometheus.ts";
import { EVENT_LINES, Pair } from "./site.ts";

const FOLDER = new URL("../../../examples/monitoring/", import.meta.url).pathname;
const RULES = join(FOLDER, "alerts.yaml");

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const DASHBOARD = JSON.parse(readFileSync(join(FOLDER, "dashboard.json"), "utf8")) as Dashboard;

/** As Grafana fills in its variables when everything is chosen. */
function filled(expression: string): string {
  return expression.replaceAll("$__rate_interval", "10s").replaceAll(/\$(instance|link)\b/g, ".*");
}

const EXPRESSIONS = DASHBOARD.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expression: filled(expr) })),
);
/** Grafana's variable; in two pieces, or the linter takes it for one of a template literal. */
const DATA_SOURCE = `$${"{datasource}"}`;
/** Nothing to show while all is well. */
const EMPTY_WHEN_WELL = /> 0$/;

describe("examples/monitoring", () => {
  const certificates = new Certificates();
  const folder = mkdtempSync(join(tmpdir(), "brokerlink-monitoring-"));
  let pair: Pair;
  let prometheus: Prometheus;

  before(async () => {
    const authority = certificates.authority("authority");
    const server = certificates.issue("b", authority, "IP:127.0.0.1", 30);
    const [port] = await freePorts(1);
    pair = await Pair.open({
      bLines: [
        ...EVENT_LINES,
        `listener ${port} 127.0.0.1`,
        `certfile ${server.certFile}`,
        `keyfile ${server.keyFile}`,
      ],
      aDials: () => `mqtts://127.0.0.1:${port}`,
      aConfig: { data_dir: join(folder, "a"), links: [{ name: "b", ssl: { cacertfile: authority.certFile } }] },
    });
    prometheus = await Prometheus.start([pair.a.agent.address, pair.b.agent.address], RULES);
    const [subscriber, publisher] = await Promise.all([pair.b.client(), pair.a.client()]);
    await subscriber.subscribe("t/#");
    await publisher.reaches(subscriber, "t/1");
    // Until every rate has two samples with something between them.
    await until(
      "Prometheus has seen messages",
      async () => {
        await publisher.publish("t/1", "x");
        await publisher.publish("t/1", "x", { qos: 0 });
        const latency = 'rate(brokerlink_forward_latency_seconds_count{link="b"}[10s]) > 0';
        return (await prometheus.query(latency)).length > 0;
      },
      30_000,
    );
  });
  after(async () => {
    await prometheus?.stop();
    await pair?.close();
    certificates[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test("promtool finds nothing to say about a scrape", async () => {
    const scrape = await (await pair.a.agent.get("/metrics")).text();
    const { code, text } = await promtool(["check", "metrics"], scrape);
    // prom-client names these of Node's own so.
    const ours = text.split("\n").filter((line) => line !== "" && !/^brokerlink_(nodejs|process)_/.test(line));
    assert.deepEqual(ours, [], `exit code ${code}`);
  });

  test("every metric that the dashboard and the rules name exists, with the labels they ask for", async () => {
    const scrape = await (await pair.a.agent.get("/metrics")).text();
    const known = new Set(
      [...scrape.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = "", type]) =>
        type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      ),
    );
    // Of expressions and of texts for people alike.
    const named = [
      ...`${JSON.stringify(DASHBOARD)}\n${readFileSync(RULES, "utf8")}`.matchAll(/brokerlink_[a-z0-9_]+/g),
    ];
    assert.ok(named.length > 50);
    assert.deepEqual(
      [...new Set(named.map(([name]) => name))].filter((name) => !known.has(name)),
      [],
    );
  });

  test("every expression of the dashboard has an answer", async () => {
    assert.ok(EXPRESSIONS.length > 30);
    const empty: string[] = [];
    for (const { title, expression } of EXPRESSIONS) {
      if (!EMPTY_WHEN_WELL.test(expression) && (await prometheus.query(expression)).length === 0)
        empty.push(`${title}: ${expression}`);
      else await prometheus.query(expression);
    }
    assert.deepEqual(empty, []);
    const versions = await prometheus.query("brokerlink_build_info");
    assert.deepEqual(versions.map(({ metric }) => metric["cluster"]).sort(), ["a", "b"]);
    const server = await prometheus.query('brokerlink_tls_cert_expiry_timestamp_seconds{link="b",kind="server"}');
    const days = ((server[0]?.value ?? 0) - Date.now() / 1_000) / 86_400;
    assert.ok(days > 29 && days <= 30, `${days} days`);
  });

  test("the dashboard's panels have a place and a data source of their own", () => {
    const ids = DASHBOARD.panels.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const { title, type, datasource, targets = [] } of DASHBOARD.panels) {
      if (type === "row") continue;
      const sources = [datasource?.uid, ...targets.map((target) => target.datasource.uid)];
      assert.deepEqual([...new Set(sources)], [DATA_SOURCE], title);
    }
    const taken = new Set<string>();
    for (const { title, gridPos: at } of DASHBOARD.panels) {
      assert.ok(at.x + at.w <= 24, title);
      for (let x = at.x; x < at.x + at.w; x += 1) {
        for (let y = at.y; y < at.y + at.h; y += 1) {
          assert.ok(!taken.has(`${x} ${y}`), `${title} lies over another panel`);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });

  test("the rules load, and none but those of certificates fires while all is well", async () => {
    assert.equal((await promtool(["check", "rules", RULES])).code, 0);
    await until(
      "all rules were evaluated",
      async () => {
        const waiting = (await prometheus.rules()).filter(({ health }) => health === "unknown");
        return waiting.length === 0 || JSON.stringify(waiting);
      },
      30_000,
    );
    const rules = await prometheus.rules();
    assert.ok(rules.length > 15);
    assert.deepEqual(
      rules.filter(({ health }) => health !== "ok").map(({ name, lastError }) => [name, lastError]),
      [],
    );
    // The authority's certificate ends in two days.
    const firing = rules.filter(({ state }) => state === "firing").map(({ name }) => name);
    assert.deepEqual(
      firing.filter((name) => !name.startsWith("BrokerlinkCertificate")),
      [],
    );
    assert.ok(firing.includes("BrokerlinkCertificateEnds"), "a rule can fire");
  });

  test("alerts come when they should, and not before (promtool's unit tests)", async () => {
    const link = { instance: "w:9464", link: "east" };
    const series = (name: string, values: string, labels: Readonly<Record<string, string>> = link) => ({
      series: `brokerlink_${name}{${Object.entries(labels)
        .map(([key, value]) => `${key}="${value}"`)
        .join(",")}}`,
      values,
    });
    const alert = (alertname: string, at: string, labels: Readonly<Record<string, string>> | null) => ({
      alertname,
      eval_time: at,
      exp_alerts: labels === null ? [] : [{ exp_labels: labels }],
    });
    const drops = { ...link, direction: "out", reason: "spool_full" };
    const repeats = { ...link, direction: "in", reason: "duplicate" };
    const file = join(folder, "alerts_test.yaml");
    const bare = join(folder, "alerts.json");
    writeFileSync(bare, withoutTexts(readFileSync(RULES, "utf8")));
    const tests = {
      rule_files: [bare],
      evaluation_interval: "1m",
      tests: [
        {
          interval: "1m",
          input_series: [
            series("link_up", "1 1 0 0 0 0 0 0 0 0 1 1"),
            series("messages_dropped_total", "0 0 5 5 5 5 5 5 5 5 5 5", drops),
            series("messages_dropped_total", "0 9 18 27 36 45 54 63 72 81 90 99", repeats),
            series("interest_exact", "0x70", { instance: "w:9464" }),
          ],
          alert_rule_test: [
            alert("BrokerlinkLinkDown", "6m", null),
            alert("BrokerlinkLinkDown", "8m", { ...link, severity: "critical" }),
            alert("BrokerlinkLinkDown", "11m", null),
            alert("BrokerlinkMessagesDropped", "1m", null),
            alert("BrokerlinkMessagesDropped", "3m", { ...drops, severity: "critical" }),
            alert("BrokerlinkInterestWide", "59m", null),
            alert("BrokerlinkInterestWide", "61m", { instance: "w:9464", severity: "warning" }),
          ],
        },
      ],
    };
    writeFileSync(file, JSON.stringify(tests));
    const { code, text } = await promtool(["test", "rules", file]);
    assert.equal(code, 0, text);
  });
});

/** Labels are to be compared; the texts are for people. */
function withoutTexts(rules: string): string {
  const { groups } = parse(rules) as { groups: { name: string; rules: Record<string, unknown>[] }[] };
  const bare = groups.map(({ name, rules: all }) => ({ name, rules: all.map(({ annotations: _, ...rule }) => rule) }));
  return JSON.stringify({ groups: bare });
}
