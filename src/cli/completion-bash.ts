/** For bash 4 and later, without the package bash-completion. */
import type { CommandNode, FlagNode, Takes } from "./completion-tree.ts";

export function bashScript(commands: readonly CommandNode[]): string[] {
  return [
    "# brokerlink completion bash",
    "_brokerlink() {",
    `  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words=""`,
    "  COMPREPLY=()",
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    words="${["help", ...commands.map(({ name }) => name)].join(" ")} --help --version"`,
    "  else",
    `    case "\${COMP_WORDS[1]}" in`,
    `      help) words="${commands.map(({ name }) => name).join(" ")}" ;;`,
    ...commands.flatMap(commandCase),
    "    esac",
    "  fi",
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    "}",
    "_brokerlink_files() {",
    "  compopt -o filenames 2>/dev/null",
    "  local IFS=$'\\n'",
    '  COMPREPLY=($(compgen -f -- "$1"))',
    "}",
    "complete -F _brokerlink brokerlink",
  ];
}

function commandCase({ name, flags, argument }: CommandNode): string[] {
  const valued = flags.filter(({ takes }) => takes !== null);
  return [
    `      ${name})`,
    ...(valued.length === 0 ? [] : ['        case "$before" in', ...valued.flatMap(valueCase), "        esac"]),
    '        case "$current" in',
    `          -*) words="${flags.flatMap(({ names }) => names).join(" ")}" ;;`,
    ...(argument === null ? [] : [`          *) ${answer(argument)} ;;`]),
    "        esac",
    "        ;;",
  ];
}

function valueCase({ names, takes }: FlagNode): string[] {
  return takes === null ? [] : [`          ${names.join("|")}) ${answer(takes, "; return")} ;;`];
}

/** `words` are compared at the end; after a flag nothing else may be. */
function answer(takes: Takes, after = ""): string {
  switch (takes.kind) {
    case "file":
      return '_brokerlink_files "$current"; return';
    case "words":
      return after === ""
        ? `words="${takes.words.join(" ")}"`
        : `COMPREPLY=($(compgen -W "${takes.words.join(" ")}" -- "$current"))${after}`;
    case "any":
      return "return";
  }
}
