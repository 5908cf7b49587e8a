/** For zsh, as a file in `fpath` or sourced. */
import type { CommandNode, FlagNode, Takes } from "./completion-tree.ts";

export function zshScript(commands: readonly CommandNode[]): string[] {
  return [
    "#compdef brokerlink",
    "_brokerlink() {",
    "  local -a commands",
    "  commands=(",
    ...commands.map(({ name, description }) => `    ${quoted(`${name}:${description.replaceAll(":", "\\:")}`)}`),
    "  )",
    "  if (( CURRENT == 2 )); then",
    "    _describe -t commands command commands",
    "    return",
    "  fi",
    `  local command=\${words[2]}`,
    "  shift words",
    "  (( CURRENT -= 1 ))",
    '  case "$command" in',
    "    help) _describe -t commands command commands ;;",
    ...commands.flatMap(commandCase),
    "  esac",
    "}",
    // Autoloaded, the file is the body of the function; sourced, it only defines it.
    `if [ "\${funcstack[1]}" = _brokerlink ]; then _brokerlink "$@"; else compdef _brokerlink brokerlink; fi`,
  ];
}

function commandCase({ name, flags, argument }: CommandNode): string[] {
  const specs = [...flags.flatMap(flagSpecs), ...(argument === null ? [] : [`1:argument:${action(argument)}`])];
  return [`    ${name}) _arguments \\`, ...specs.map((spec) => `      ${quoted(spec)} \\`), "      ;;"];
}

function flagSpecs({ names, description, takes }: FlagNode): string[] {
  const text = description.replace(/[[\]:\\]/g, "\\$&");
  return names.map((name) => `*${name}[${text}]${takes === null ? "" : `:value:${action(takes)}`}`);
}

function action(takes: Takes): string {
  switch (takes.kind) {
    case "file":
      return "_files";
    case "words":
      return `(${takes.words.join(" ")})`;
    case "any":
      return " ";
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
