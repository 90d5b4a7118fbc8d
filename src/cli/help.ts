import { isGroup, type Command, type CommandGroup, type Options } from './command';
import { typedName, type Path } from './commandLine';
import { GLOBAL_OPTIONS } from './globalOptions';

/** The help of the last in the path: all of `pixels`, a group, or one command. Ends with a line break. */
export function helpText(path: Path): string {
  const target = path.at(-1) ?? path[0];
  const sections = isGroup(target) ? groupHelp(path, target) : commandHelp(path, target);
  return sections.map((section) => `${section}\n`).join('\n');
}

function groupHelp(path: Path, group: CommandGroup): string[] {
  const typed = typedName(path);
  const alias = group.alias === undefined ? [] : [`"${group.alias}" is short for "${group.name}".`];
  return [
    `${group.summary}.`,
    `Usage: ${typed} COMMAND`,
    listing(
      'Commands:',
      group.commands.flatMap((entry) => rows('', entry)),
    ),
    ...alias,
    ...(path.length === 1 ? [listing('Options of every command:', optionRows(GLOBAL_OPTIONS))] : []),
    `"${typed} COMMAND --help" says more about a command.`,
  ];
}

function commandHelp(path: Path, command: Command): string[] {
  const { options, summary, details } = command;
  const given = Object.keys(options).length > 0;
  return [
    `${summary}.`,
    `Usage: ${typedName(path)}${signature(command)}${given ? ' [OPTIONS]' : ''}`,
    ...(details === undefined ? [] : [details]),
    ...(given ? [listing('Options:', optionRows(options))] : []),
    '"pixels --help" has the options of every command.',
  ];
}

/** One row for a command, one for each command of a group. */
function rows(before: string, entry: Command | CommandGroup): [string, string][] {
  if (isGroup(entry)) return entry.commands.flatMap((inner) => rows(`${before}${entry.name} `, inner));
  return [[`${before}${entry.name}${signature(entry)}`, entry.summary]];
}

function signature({ operands, rest }: Command): string {
  const words = [...Object.values(operands), ...(rest === undefined ? [] : [`-- ${rest}`])];
  return words.map((word) => ` ${word}`).join('');
}

function optionRows(options: Options): [string, string][] {
  return Object.entries(options).map(([name, { short, value, help }]) => [
    `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`,
    help,
  ]);
}

function listing(title: string, lines: readonly [string, string][]): string {
  const width = Math.max(...lines.map(([left]) => left.length));
  return [title, ...lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)].join('\n');
}
