/** For fish. */
import type { CommandNode, FlagNode, Takes } from "./completion-tree.ts";

export function fishScript(commands: readonly CommandNode[]): string[] {
  const start = "complete -c brokerlink -n __fish_use_subcommand";
  return [
    "# brokerlink completion fish",
    "complete -c brokerlink -f",
    ...commands.map(({ name, description }) => `${start} -a ${name} -d ${quoted(description)}`),
    `${start} -l help -s h -d 'show this help'`,
    `${start} -l version -s V -d 'show the version'`,
    ...commands.flatMap(({ name, flags, argument }) => {
      const within = `complete -c brokerlink -n '__fish_seen_subcommand_from ${name}'`;
      return [
        ...flags.map((flag) => `${within} ${flagText(flag)}`),
        ...(argument === null || argument.kind === "any" ? [] : [`${within} ${values(argument)}`]),
      ];
    }),
  ];
}

function flagText({ names, description, takes }: FlagNode): string {
  const written = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  return `${written.join(" ")} -d ${quoted(description)}${takes === null ? "" : ` ${takes.kind === "file" ? "-r" : "-x"} ${values(takes)}`}`.trimEnd();
}

function values(takes: Takes): string {
  switch (takes.kind) {
    case "file":
      return "-F";
    case "words":
      return `-a ${quoted(takes.words.join(" "))}`;
    case "any":
      return "";
  }
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
