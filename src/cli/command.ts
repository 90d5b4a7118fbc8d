import type { Cli } from './cli';

/** One thing that `pixels` can do, as its file under commands/ declares it. */
export interface CommandSpec<Operands extends Texts, O extends Options> {
  readonly name: string;
  /** One line, in the imperative, without a final stop. */
  readonly summary: string;
  /** What must follow the name, in this order, and how help shows it: `{ name: 'NAME' }`. */
  readonly operands: Operands;
  /** What follows `--` and is taken as it is: `CMD...`. */
  readonly rest?: string;
  readonly options: O;
  /** More sentences for its help. */
  readonly details?: string;
  /** Returns the exit code. */
  run(
    cli: Cli,
    operands: { readonly [K in keyof Operands]: string },
    options: Values<O>,
    rest: readonly string[],
  ): Promise<number>;
}

/** A command whose operands and options have been checked against its own declaration before it runs. */
export type Command = CommandSpec<Texts, Options>;

/** Commands that belong together, `pixels checkpoint …`; the whole of `pixels` is one too. */
export interface CommandGroup {
  readonly name: string;
  readonly alias?: string;
  readonly summary: string;
  readonly commands: readonly (Command | CommandGroup)[];
}

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** How help shows the value: `MiB`. */
  readonly value?: string;
  readonly help: string;
}

export type Texts = Readonly<Record<string, string>>;
export type Options = Readonly<Record<string, Option>>;
export type Values<O extends Options> = { readonly [K in keyof O]?: ValueOf<O[K]['type']> };
type ValueOf<T extends Option['type']> = T extends 'boolean' ? boolean : string;

/** Checks a command's declaration and forgets its own types, so that it fits into the table. */
export function defineCommand<const Operands extends Texts, const O extends Options>(
  spec: CommandSpec<Operands, O>,
): Command {
  return spec;
}

export function isGroup(entry: Command | CommandGroup): entry is CommandGroup {
  return 'commands' in entry;
}
