import assert from "node:assert/strict";
import { test } from "node:test";
import { describeConfig } from "../../src/config/describe.ts";
import { effectiveConfig } from "../../src/config/effective.ts";
import { BASE, LOCAL, load, loaded, problemsOf, withLink } from "./loading.ts";

test("a password may stand in a file, whose last line end does not count", () => {
  const password = (text: string): string | null | undefined =>
    loaded({ ...withLink({ username: "u", password_file: "pw" }), files: { "conf/pw": text } }).links[0]?.endpoint
      ?.password;
  assert.equal(password("secret\n"), "secret");
  assert.equal(password("secret\r\n"), "secret");
  assert.equal(password("secret"), "secret");
  assert.equal(password(" two\nlines \n\n"), " two\nlines \n");
});

test("file names in the file are relative to its folder, those in the environment to the working directory", () => {
  const file = { ...BASE, local: { ...LOCAL, password_file: "pw" } };
  assert.equal(loaded({ file, files: { "conf/pw": "of the file" } }).local.password, "of the file");
  const env = { BROKERLINK_LOCAL__PASSWORD_FILE: "pw" };
  assert.equal(loaded({ file, env, files: { pw: "of the environment" } }).local.password, "of the environment");
  const absolute = { ...BASE, local: { ...LOCAL, password_file: "/run/pw" } };
  assert.equal(loaded({ file: absolute, files: { "/run/pw": "anywhere" } }).local.password, "anywhere");
  const links = { BROKERLINK_LINKS: '[{"name":"b","server":"h","password_file":"pw"}]' };
  assert.equal(loaded({ file: BASE, env: links, files: { pw: "x" } }).links[0]?.endpoint?.password, "x");
});

test("a file that cannot be read, or holds no secret, is named, and its content never", () => {
  const problems = (files: Record<string, string>): string[] =>
    problemsOf({ file: { ...BASE, local: { ...LOCAL, password_file: "pw" } }, files });
  assert.deepEqual(problems({}), ['local.password_file: cannot read "conf/pw": ENOENT: no such file or directory']);
  assert.deepEqual(problems({ "conf/pw": "\n" }), ['local.password_file: file "pw" is empty']);
  assert.deepEqual(problems({ "conf/pw": "x".repeat(65_536) }), [
    'local.password_file: file "pw" is longer than 65535 bytes',
  ]);
});

test("a secret in two places is a problem", () => {
  const link = { username: "u", password: "hunter2", password_file: "pw" };
  assert.deepEqual(problemsOf(withLink(link)), [
    "links[0].password_file: is given beside password: keep one of the two",
  ]);
});

test("a password of the wrong type, or an empty one, is a problem that does not repeat it", () => {
  assert.deepEqual(problemsOf(withLink({ password: 12_345 })), ["links[0].password: must be a text: put it in quotes"]);
  assert.deepEqual(problemsOf(withLink({ password: { hunter2: 1 } })), ["links[0].password: must be a text"]);
  assert.deepEqual(problemsOf(withLink({ password: "" })), ["links[0].password: is empty"]);
});

test("MQTT 3.1.1 knows no password without a user name", () => {
  const problem = "links[0].password: is given without username, which MQTT 3.1.1 does not allow";
  assert.deepEqual(problemsOf(withLink({ password: "x", protocol_version: 4 })), [problem]);
  assert.deepEqual(problemsOf(withLink({ password: "x" })), []);
});

test("the token stands in a file only, and is one that a header can carry", () => {
  const token = (text: string): string | null | undefined => {
    const sources = { file: { ...BASE, http: { token_file: "t" } }, files: { "conf/t": text } };
    return problemsOf(sources)[0] ?? loaded(sources).http.token;
  };
  assert.equal(token("s3cret-token-of-some-length\n"), "s3cret-token-of-some-length");
  for (const bad of ["two words", "two\nlines", "ümlaut", "tab\t"]) {
    assert.equal(token(bad), "http.token_file: holds a token with spaces, several lines, or characters beyond ASCII");
  }
  assert.match(
    problemsOf({ file: { ...BASE, http: { token: "hunter2" } } }).join(),
    /^http.token: never stands in the configuration itself/,
  );
});

test("no secret is in what check prints, in either form", () => {
  const config = loaded({
    file: {
      ...BASE,
      local: { ...LOCAL, username: "u", password: "hunter2" },
      links: [{ name: "b", server: "mqtt://h", username: "u", password_file: "pw" }],
      http: { token_file: "t" },
    },
    files: { "conf/pw": "hunter3", "conf/t": "hunter4-0123456789" },
  });
  assert.equal(config.links[0]?.endpoint?.password, "hunter3");
  const printed = [describeConfig(config).join("\n"), JSON.stringify(effectiveConfig(config))];
  for (const text of printed) assert.ok(!/hunter/.test(text), text);
  assert.match(printed[0] ?? "", /user "u" with a password/);
  assert.match(printed[1] ?? "", /"password":"\*{6}"/);
});

test("values from outside are escaped wherever a problem repeats them", () => {
  const result = load({ file: { ...BASE, cluster: "\u001b[31mred\u202e", ["k\u0007"]: 1 } });
  assert.ok(!result.ok);
  const text = result.problems.map(({ path, message }) => path + message).join();
  assert.ok(!/[\p{Cc}\u202e]/u.test(text), JSON.stringify(text));
  assert.match(text, /\\u001b\[31mred\\u202e/);
});
