import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { type EditedText, editLinks, type LinkEdit } from "../../src/config/link-edit.ts";

const YAML = `# Ours. Ask Kim before you touch it.
cluster: a  # the plant
local:
    server: mqtt://127.0.0.1:1883
    broker: mosquitto

links:
    # The office
    - name: b
      server: mqtts://b.example:8883   # behind the wall
      username: kim
      password: "s3cret"
      topics: [ t/#, "c/1" ]  # no more
      ssl:
          cacertfile: ca.pem  # theirs
    # The yard
    - name: c
      password_file: c.pass
log:
    level: info # not debug
`;

function edited(text: string, edit: LinkEdit): string {
  const result = editLinks(text, edit);
  assert.ok(result.ok, JSON.stringify(result));
  return result.text;
}

function links(text: string): unknown {
  return (parse(text) as { links: unknown }).links;
}

function refusal(text: string, edit: LinkEdit): string {
  const result: EditedText = editLinks(text, edit);
  return result.ok ? "" : `${result.code}: ${result.message}`;
}

describe("a link in a YAML file", () => {
  test("comes in at the end; all comments stay", () => {
    const text = edited(YAML, { kind: "create", link: { name: "d", server: "mqtt://d", topics: ["#"] } });
    for (const comment of YAML.match(/#[^\n"]* [a-z][^\n]*/g) ?? []) assert.ok(text.includes(comment), comment);
    assert.deepEqual(links(text), [...(links(YAML) as unknown[]), { name: "d", server: "mqtt://d", topics: ["#"] }]);
    assert.match(text, /\n {4}- name: d\n {6}server: mqtt:\/\/d\n/);
  });

  test("changes key by key: comments beside what stays, and beside what has another value, stay", () => {
    const link = {
      name: "b",
      server: "mqtts://b2.example",
      topics: ["t/#", "c/1"],
      ssl: { cacertfile: "******", verify: false },
    };
    const text = edited(YAML, { kind: "update", name: "b", link: { ...link, password: "******", username: "lee" } });
    assert.deepEqual((links(text) as unknown[])[0], {
      name: "b",
      server: "mqtts://b2.example",
      username: "lee",
      password: "s3cret",
      topics: ["t/#", "c/1"],
      ssl: { cacertfile: "ca.pem", verify: false },
    });
    for (const comment of ["# behind the wall", "# no more", "# theirs", "# The yard", "# not debug", "# the plant"])
      assert.ok(text.includes(comment), comment);
    assert.deepEqual((links(text) as unknown[])[1], (links(YAML) as unknown[])[1]);
  });

  test("loses the keys that its new value has not", () => {
    const text = edited(YAML, { kind: "update", name: "b", link: { name: "b" } });
    assert.deepEqual((links(text) as unknown[])[0], { name: "b" });
    assert.doesNotMatch(text, /s3cret|ca\.pem/);
  });

  test("goes, and the last one leaves an empty list", () => {
    const one = edited(YAML, { kind: "remove", name: "c" });
    assert.deepEqual(links(one), (links(YAML) as unknown[]).slice(0, 1));
    assert.deepEqual(links(edited(one, { kind: "remove", name: "b" })), []);
  });

  test("a secret shown as asterisks is as it was, or as its file says; where there is none it cannot be kept", () => {
    const update = (name: string, link: object): LinkEdit => ({ kind: "update", name, link: { name, ...link } });
    assert.deepEqual((links(edited(YAML, update("c", { password: "******" }))) as unknown[])[1], {
      name: "c",
      password_file: "c.pass",
    });
    assert.match(
      refusal(YAML, update("c", { ssl: { keyfile: "******" } })),
      /BAD_REQUEST: ssl.keyfile is \*{6}, and there is none/,
    );
    assert.match(
      refusal(YAML, { kind: "create", link: { name: "d", password: "******" } }),
      /BAD_REQUEST: password is/,
    );
  });

  test("files without links, with an empty key, with nothing at all, with lists at the margin, with other line ends", () => {
    const create: LinkEdit = { kind: "create", link: { name: "b" } };
    for (const text of ["", "# nothing\n", "cluster: a\n", "cluster: a\nlinks:\n", "cluster: a\nlinks: []\n"])
      assert.deepEqual(links(edited(text, create)), [{ name: "b" }], text);
    const margin = "links:\n- name: x # here\n  topics:\n  - t\ncluster: a\n";
    assert.equal(edited(margin, create), "links:\n- name: x # here\n  topics:\n  - t\n- name: b\ncluster: a\n");
    assert.equal(
      edited("cluster: a # x\r\nlinks:\r\n  - name: c\r\n", create),
      "cluster: a # x\r\nlinks:\r\n  - name: c\r\n  - name: b\r\n",
    );
  });

  test("what is not there, is there already, or gets another name", () => {
    assert.match(refusal(YAML, { kind: "remove", name: "z" }), /^NOT_FOUND: there is no link "z"/);
    assert.match(refusal(YAML, { kind: "update", name: "z", link: { name: "z" } }), /^NOT_FOUND/);
    assert.match(
      refusal(YAML, { kind: "create", link: { name: "b" } }),
      /^ALREADY_EXISTS: there is a link "b" already/,
    );
    assert.match(
      refusal(YAML, { kind: "update", name: "b", link: { name: "q" } }),
      /^BAD_REQUEST: a link cannot get another name/,
    );
    assert.match(refusal(YAML, { kind: "create", link: {} }), /^BAD_REQUEST: name is missing/);
    assert.match(
      refusal("links: {a: 1}\n", { kind: "remove", name: "a" }),
      /^BAD_REQUEST: links .* is not a plain list/,
    );
    assert.match(refusal("a: [", { kind: "remove", name: "a" }), /^BAD_REQUEST: the configuration file has mistakes/);
    assert.match(refusal("x: &l [{name: a}]\nlinks: *l\n", { kind: "remove", name: "a" }), /^BAD_REQUEST: links/);
  });

  test("of any names and topics comes back as it went in", () => {
    const name = fc.stringMatching(/^[0-9A-Za-z][-0-9A-Za-z_]{0,20}$/);
    const value = fc.record({ topics: fc.array(fc.string()), username: fc.string(), max_inflight: fc.nat() });
    fc.assert(
      fc.property(name, value, value, (link, one, other) => {
        const created = edited(YAML, { kind: "create", link: { name: `${link}-x`, ...one } });
        assert.deepEqual((links(created) as unknown[])[2], { name: `${link}-x`, ...one });
        const changed = edited(created, { kind: "update", name: `${link}-x`, link: { name: `${link}-x`, ...other } });
        assert.deepEqual((links(changed) as unknown[])[2], { name: `${link}-x`, ...other });
        assert.deepEqual(links(edited(changed, { kind: "remove", name: `${link}-x` })), links(YAML));
      }),
      { numRuns: 100 },
    );
  });
});

test("JSON stays JSON, with its indentation and its end", () => {
  const text = '{\n    "cluster": "a",\n    "links": [{"name": "b", "password": "x"}]\n}\n';
  const next = edited(text, { kind: "update", name: "b", link: { name: "b", password: "******", topics: ["t"] } });
  assert.deepEqual(JSON.parse(next), { cluster: "a", links: [{ name: "b", password: "x", topics: ["t"] }] });
  assert.match(next, /^\{\n {4}"cluster"[\s\S]*\}\n$/);
  assert.equal(edited('{"links":[]}', { kind: "create", link: { name: "b" } }), '{"links":[{"name":"b"}]}');
  assert.deepEqual(JSON.parse(edited(text, { kind: "remove", name: "b" })), { cluster: "a", links: [] });
});
