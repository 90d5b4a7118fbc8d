/** What a value must be: how it is checked, and how a person is told. */
export interface Kind<T> {
  /** Completes "incus.socket must be …". */
  readonly expected: string;
  /** The checked value, or undefined when it is something else. */
  check(value: unknown): T | undefined;
  /** What an environment variable's text stands for; text that makes no sense is returned as it is, for `check` to refuse. */
  fromText(text: string): unknown;
}

/** One key of the configuration. Its names in the file and in the environment follow from where the table has it. */
export interface Setting<T> {
  readonly kind: Kind<NonNullable<T>>;
  readonly fallback: T;
  readonly options: SettingOptions;
}

export interface SettingOptions {
  /** The key in the file, where it is not the property's name in snake_case. */
  readonly key?: string;
  /** Other environment variables with the same rank; the PIXELS_ one wins. */
  readonly alsoEnv?: readonly string[];
  /** An environment variable of somebody else's that counts less than the file. */
  readonly weakEnv?: string;
  /** A leading `~` stands for the home directory; a relative one in the file is relative to the file's directory. */
  readonly path?: boolean;
  /** The value never appears in a message. */
  readonly secret?: boolean;
}

/** A setting that has no value unless somebody gives one. */
export function optional<T>(kind: Kind<T>, options: SettingOptions = {}): Setting<T | undefined> {
  return { kind: kind as Kind<NonNullable<T>>, fallback: undefined, options };
}

/** A setting with a default. */
export function withDefault<T>(kind: Kind<T>, fallback: T, options: SettingOptions = {}): Setting<T> {
  return { kind: kind as Kind<NonNullable<T>>, fallback, options };
}

export const text: Kind<string> = {
  expected: 'a text',
  check: (value) => (typeof value === 'string' && !/[\0\r\n]/.test(value) ? value : undefined),
  fromText: (typed) => typed,
};

export const flag: Kind<boolean> = {
  expected: 'true or false',
  check: (value) => (typeof value === 'boolean' ? value : undefined),
  fromText: (typed) =>
    ({ true: true, '1': true, yes: true, false: false, '0': false, no: false })[typed.toLowerCase()] ?? typed,
};

export const texts: Kind<readonly string[]> = {
  expected: 'a list of texts',
  check: (value) => (Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined),
  fromText: (typed) =>
    typed
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
};

/** Characters that would end the value in one of the files that have it inside a sandbox are refused. */
export const proxyAddress: Kind<string> = {
  expected: 'the address of a proxy, "http://proxy.example:3128"',
  check: (value) =>
    typeof value === 'string' && /^https?:\/\/[^\s"'\\`$#;]+$/.test(value) && URL.canParse(value) ? value : undefined,
  fromText: (typed) => typed,
};

/** A whole number within limits. In quotes it counts too: other tools that read this file write `cpu = "2"`. */
export function wholeNumber(unit: string, min: number, max = Number.MAX_SAFE_INTEGER): Kind<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} up` : `from ${min} to ${max}`;
  return {
    expected: `a whole number of ${unit} ${range}`,
    check: (value) => {
      const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
      return Number.isSafeInteger(number) && (number as number) >= min && (number as number) <= max
        ? (number as number)
        : undefined;
    },
    fromText: (typed) => typed,
  };
}

/** One of a closed list. */
export function oneOf<const T extends string>(...choices: readonly T[]): Kind<T> {
  return {
    expected: `one of ${choices.map((choice) => `"${choice}"`).join(', ')}`,
    check: (value) => choices.find((choice) => choice === value),
    fromText: (typed) => typed,
  };
}
