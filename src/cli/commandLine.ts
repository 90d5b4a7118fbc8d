import { parseArgs } from 'node:util';
import { nearest } from '../config/nearest';
import { PixelsError } from '../sandbox/errors';
import { isGroup, type Command, type CommandGroup, type Options } from './command';
import { GLOBAL_OPTIONS, type GlobalFlags } from './globalOptions';

/** What a person typed, understood. */
export type CommandLine =
  | { readonly kind: 'version' }
  /** `asked`: with --help; otherwise the command line stopped before a command. */
  | { readonly kind: 'help'; readonly path: Path; readonly asked: boolean }
  | {
      readonly kind: 'run';
      readonly command: Command;
      readonly operands: Readonly<Record<string, string>>;
      readonly options: Readonly<Record<string, string | boolean>>;
      readonly rest: readonly string[];
      readonly flags: GlobalFlags;
    };

/** From the whole of `pixels` down to what is meant: `[pixels, checkpoint, restore]`. */
export type Path = readonly [CommandGroup, ...(Command | CommandGroup)[]];

/**
 * Understands a command line.
 * @throws PixelsError `invalid` with a suggestion, for wrong usage.
 */
export function parseCommandLine(pixels: CommandGroup, args: readonly string[]): CommandLine {
  const terminator = args.indexOf('--');
  const own = terminator === -1 ? args : args.slice(0, terminator);
  const rest = terminator === -1 ? undefined : args.slice(terminator + 1);
  const { path, args: left } = findCommand([pixels], own);
  const target = path.at(-1) ?? pixels;
  const given = readOptions(left, isGroup(target) ? GLOBAL_OPTIONS : { ...GLOBAL_OPTIONS, ...target.options });
  const flags: GlobalFlags = given.options;
  if (flags.version) return { kind: 'version' };
  if (flags.help) return { kind: 'help', path, asked: true };
  refuseMistakes(given.mistakes, path);
  if (isGroup(target)) return { kind: 'help', path, asked: false };
  const operands = readOperands(path, target, given.operands, rest);
  return { kind: 'run', command: target, operands, options: given.options, rest: rest ?? [], flags };
}

/** `pixels checkpoint create`, as one types it. */
export function typedName(path: Path): string {
  return path.map(({ name }) => name).join(' ');
}

/** Takes words off the arguments for as long as they name a command in the group. `help` in front asks for help. */
function findCommand(path: Path, args: readonly string[]): { path: Path; args: readonly string[] } {
  const group = path.at(-1);
  if (group === undefined || !isGroup(group)) return { path, args };
  const { tokens } = parseArgs({ args: [...args], options: GLOBAL_OPTIONS, strict: false, tokens: true });
  const word = tokens.find((token) => token.kind === 'positional');
  if (word === undefined) return { path, args };
  const others = args.toSpliced(word.index, 1);
  if (word.value === 'help' && path.length === 1) return findCommand(path, [...others, '--help']);
  const named = group.commands.find(
    (entry) => entry.name === word.value || (isGroup(entry) && entry.alias === word.value),
  );
  if (named !== undefined) return findCommand([...path, named], others);
  const names = group.commands.flatMap((entry) => [
    entry.name,
    ...(isGroup(entry) && entry.alias ? [entry.alias] : []),
  ]);
  throw usageError(`"${typedName(path)}" has no command "${word.value}".`, path, nearest(word.value, names));
}

interface Given {
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, string | boolean>>;
  /** What is wrong with the options; told only when nobody asked for help. */
  readonly mistakes: readonly { readonly sentence: string; readonly suggestion?: string | undefined }[];
}

function readOptions(args: readonly string[], known: Options): Given {
  const { tokens } = parseArgs({ args: [...args], options: known, strict: false, tokens: true });
  const operands: string[] = [];
  const options: Record<string, string | boolean> = {};
  const mistakes: { sentence: string; suggestion?: string | undefined }[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const option = Object.hasOwn(known, name) ? known[name] : undefined;
    if (option === undefined) {
      const suggestion = nearest(name, Object.keys(known));
      mistakes.push({ sentence: `There is no option ${rawName} here.`, suggestion: suggestion && `--${suggestion}` });
    } else if (option.type === 'boolean') {
      options[name] = true;
      if (value !== undefined) mistakes.push({ sentence: `${rawName} takes no value.` });
    } else if (value === undefined || (value.startsWith('-') && !inlineValue)) {
      mistakes.push({ sentence: `${rawName} needs a value: ${rawName} ${option.value ?? 'VALUE'}.` });
    } else options[name] = value;
  }
  return { operands, options, mistakes };
}

function refuseMistakes([first]: Given['mistakes'], path: Path): void {
  if (first !== undefined) throw usageError(first.sentence, path, first.suggestion);
}

function readOperands(
  path: Path,
  { operands, rest: restName }: Command,
  given: readonly string[],
  rest: readonly string[] | undefined,
): Record<string, string> {
  // Without a rest of its own, what follows "--" are operands that may begin with "-".
  const all = restName === undefined ? [...given, ...(rest ?? [])] : given;
  const names = Object.keys(operands);
  const missing = names[all.length];
  if (missing !== undefined) throw usageError(`${operands[missing] ?? missing} is missing.`, path);
  const extra = all[names.length];
  if (restName !== undefined && (rest === undefined || rest.length === 0)) {
    const command = extra === undefined ? restName : all.slice(names.length).join(' ');
    throw usageError(`The command stands after "--": ${typedName(path)} ${all[0] ?? ''} -- ${command}`, path);
  }
  if (extra !== undefined) throw usageError(`"${extra}" is one argument too many.`, path);
  return Object.fromEntries(names.map((name, index) => [name, all[index] ?? '']));
}

function usageError(sentence: string, path: Path, suggestion?: string): PixelsError {
  const hint = suggestion === undefined ? `"${typedName(path)} --help" explains it.` : `Did you mean "${suggestion}"?`;
  return new PixelsError('invalid', sentence, { hint });
}
