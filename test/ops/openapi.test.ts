import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AgentView } from "../../src/ops/agent-status.ts";
import { createApp } from "../../src/ops/http.ts";
import { LinkHistory } from "../../src/ops/link-history.ts";
import { pair } from "../hub/world.ts";
import { MemoryLinkEditor } from "../support/memory-link-editor.ts";
import { agentStatus, agentView, linkStatus, NOON_MS } from "./agent-fixture.ts";
import { answered, DOCUMENT, request } from "./checked-app.ts";
import { logLines } from "./log-lines.ts";

const LINK = {
  name: "b",
  server: "mqtts://b.example:8883",
  topics: ["#"],
  username: "u",
  password: "secret",
  drain_rate: 5,
};
const CHANGE = { type: "link_status", link: "b", from: "connected", to: "inconsistent", why: "in silent" } as const;

/** An agent of which everything that may be null is something, or with `bare` nothing. */
function agent(editor: MemoryLinkEditor, bare: boolean): AgentView {
  const { a, b, world } = pair();
  a.subscribe("t/1");
  a.subscribe("$share/g/t/2", "other");
  b.subscribe("t/#");
  world.settle();
  const history = new LinkHistory();
  history.note(CHANGE, NOON_MS);
  const link = bare
    ? linkStatus({ name: "b", queue: { ...linkStatus().queue, oldestAtMs: null, roundTripMs: 0.4 } })
    : linkStatus({
        name: "b",
        status: "inconsistent",
        lastProblem: { code: "PEER_SILENT", reason: "nothing heard", atMs: NOON_MS },
        refusedRoutes: [{ filter: "t", reasonCode: 0x87 }],
      });
  const base = agentStatus({ controlDenied: bare ? null : "topic: why", eventsAdvice: bare ? null : "log_type all" });
  const status = {
    ...base,
    hub: {
      ...base.hub,
      wide: bare ? null : ({ reason: "starting", sinceMs: NOON_MS } as const),
      links: [link],
    },
  };
  return {
    ...agentView(status, true, { hub: a.hub, history }),
    get config() {
      return editor.config;
    },
  };
}

describe("the OpenAPI document", () => {
  test("is served, and every operation in it is answered as it says", async () => {
    for (const bare of [true, false]) {
      const editor = new MemoryLinkEditor();
      const app = createApp(agent(editor, bare), editor.config, logLines("silent").log, editor);
      const ask = async (method: string, path: string, body?: object): Promise<Response> => {
        const headers = { host: "localhost", ...(body === undefined ? {} : { "content-type": "application/json" }) };
        const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
        const answer = await request(app, path, init);
        assert.ok(answer.status < 300, `${method} ${path}: ${answer.status}`);
        return answer;
      };
      const links = "/api/v5/cluster/links";
      await ask("POST", links, LINK);
      await ask("POST", links, { name: "off", topics: [], enable: false });
      await ask("PUT", `${links}/link/b`, { ...LINK, protocol_version: 5 });
      for (const path of ["", "/link/b", "/link/off", "/link/b/metrics", "/link/off/metrics"])
        await ask("GET", links + path);
      await ask("PUT", `${links}/link/b/metrics/reset`);
      for (const path of [
        "/livez",
        "/readyz",
        "/metrics",
        "/api/v1/overview",
        "/api/v1/routes",
        "/api/v1/routes?direction=in&link=b&search=t&topic=t/1&page=1&limit=1",
        "/api/v1/explain?topic=t/1",
        "/api/v1/explain?topic=%23",
        "/api/v1/clients?filter=t/1",
        "/api/v1/clients?filter=$share/g/t/2",
        "/api/v1/drain/b",
        "/api/v1/drain/off",
        "/api/v1/status",
      ])
        await ask("GET", path);
      await (await ask("GET", "/api/v1/stream")).body?.cancel();
      const served = await (await ask("GET", "/api/v1/openapi.json")).json();
      assert.deepEqual(Object.keys((served as typeof DOCUMENT).paths), Object.keys(DOCUMENT.paths));
      await ask("DELETE", `${links}/link/b`);
    }
    const operations = Object.entries(DOCUMENT.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    assert.deepEqual(
      operations.filter((operation) => !answered.has(operation)),
      [],
    );
  });

  test("has a name of its own for each operation", () => {
    const ids = Object.values(DOCUMENT.paths).flatMap((methods) =>
      Object.values(methods).map((each) => (each as unknown as { operationId: string }).operationId),
    );
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(
      ids.every((id) => /^[a-z][a-zA-Z0-9]+$/.test(id)),
      ids.join(" "),
    );
  });
});
