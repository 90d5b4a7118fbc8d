import { isReservedName, isVariableName } from '../sandbox/environment';

/** What ssh brings along into a session. */
export interface SentEnvironment {
  /** Names whose values are in the environment of ssh itself, where they are set at all. Nothing else of it is sent. */
  readonly names: readonly string[];
  /** Values that stand in the configuration. */
  readonly values: Readonly<Record<string, string>>;
}

export const NOTHING_SENT: SentEnvironment = { names: [], values: {} };

/**
 * Whether every OpenSSH reads this value in a configuration as it is. Before 8.7 there were no escapes in quotes, and 10.0 began
 * to expand "%" and "${" in SetEnv.
 */
export function canStandInConfig(value: string): boolean {
  // eslint-disable-next-line no-control-regex -- exactly those are meant
  return !/[\x00-\x1f\x7f"\\%$]/.test(value);
}

/** The names that a session may bring along, for sshd. */
export function acceptedNames({ names, values }: SentEnvironment): readonly string[] {
  return [...new Set([...names, ...Object.keys(values)])].filter(isForwardable).sort();
}

/** Lines of ssh_config(5), without indentation. Of several SetEnv lines only the first counts, so that there is one. */
export function environmentLines({ names, values }: SentEnvironment): readonly string[] {
  const sent = [...new Set(names)].filter(isForwardable).sort();
  const set = Object.entries(values)
    .filter(([name, value]) => isForwardable(name) && canStandInConfig(value))
    .map(([name, value]) => `"${name}=${value}"`)
    .sort();
  return [
    ...(sent.length === 0 ? [] : [`SendEnv ${sent.join(' ')}`]),
    ...(set.length === 0 ? [] : [`SetEnv ${set.join(' ')}`]),
  ];
}

/** A pattern would send, or let in, more than is meant. */
function isForwardable(name: string): boolean {
  return isVariableName(name) && !isReservedName(name);
}
