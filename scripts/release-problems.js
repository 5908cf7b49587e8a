/** What stands against a release: everything that names the version must name the same one. Reads nothing; a test and release-check.js do. */

/** Texts of the files that name the version, and of the tag that is released, if there is one. */
export function releaseProblems({ packageJson, packageLock, chart, changelog, compose, tag = null }) {
  const { version } = JSON.parse(packageJson);
  const lock = JSON.parse(packageLock);
  const problems = [];
  const same = (what, found) => {
    if (found !== version) problems.push(`${what} is ${found ?? "missing"}, package.json says ${version}`);
  };
  same("package-lock.json: version", lock.version);
  same('package-lock.json: packages[""].version', lock.packages?.[""]?.version);
  same("Chart.yaml: version", /^version: *"?([^"\s]+)"?$/m.exec(chart)?.[1]);
  same("Chart.yaml: appVersion", /^appVersion: *"?([^"\s]+)"?$/m.exec(chart)?.[1]);
  same("Chart.yaml: image of artifacthub.io/images", /image: \S+\/brokerlink:(\S+)/.exec(chart)?.[1]);
  for (const [, found] of compose.matchAll(/image: \S+\/brokerlink:(\S+)/g)) same("examples/compose: image", found);
  if (tag !== null && tag !== `v${version}`) problems.push(`the tag is ${tag}, package.json says ${version}`);
  return [...problems, ...changelogProblems(changelog, version)];
}

/** Keep a Changelog: what is under "Unreleased" becomes a version with a date. */
function changelogProblems(changelog, version) {
  const problems = [];
  const unreleased = /^## \[?Unreleased\]?$([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(changelog)?.[1] ?? "";
  if (unreleased.trim() !== "")
    problems.push(`CHANGELOG.md: "Unreleased" still has entries; move them under "## ${version} - DATE"`);
  const escaped = version.replaceAll(".", "\\.");
  const section = new RegExp(
    `^## \\[?${escaped}\\]?( - \\d{4}-\\d{2}-\\d{2})?$([\\s\\S]*?)(?=^## |(?![\\s\\S]))`,
    "m",
  ).exec(changelog);
  if (section === null) problems.push(`CHANGELOG.md: no section "## ${version} - DATE"`);
  else if (section[1] === undefined) problems.push(`CHANGELOG.md: the section of ${version} has no date`);
  else if (section[2].trim() === "") problems.push(`CHANGELOG.md: the section of ${version} is empty`);
  return problems;
}
