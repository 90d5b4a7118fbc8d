import { PixelsError } from '../sandbox/errors';

/**
 * A path as an argument in an OpenSSH configuration: forward slashes, `%` doubled where tokens are expanded, quotes
 * only where they are needed, because not every program that reads these files knows them.
 * @throws PixelsError `unsupported` for characters that cannot be written there.
 */
export function configPathArgument(path: string): string {
  return quoted(withForwardSlashes(path).replaceAll('%', '%%'));
}

/** The same for `Include`, which expands wildcards and no `%`. */
export function includeArgument(path: string): string {
  return quoted(withForwardSlashes(path).replace(/[*?[]/g, '[$&]'));
}

/**
 * A path as the first word of a ProxyCommand: for the person's shell (cmd.exe on Windows), and `%` doubled. Double quotes
 * where they do, because Open Remote - SSH runs the command without a shell and knows only those.
 */
export function proxyCommandWord(path: string): string {
  refuseUnwritable(path);
  const word = withForwardSlashes(path).replaceAll('%', '%%');
  if (/^[\w/.:@%+-]+$/.test(word)) return word;
  return process.platform === 'win32' || !/[$`\\!]/.test(word) ? `"${word}"` : shellWord(word);
}

/** A word for a POSIX shell, in single quotes. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function quoted(argument: string): string {
  refuseUnwritable(argument);
  return /^[\w/.:@%+[\]-]+$/.test(argument) ? argument : `"${argument}"`;
}

function refuseUnwritable(path: string): void {
  // eslint-disable-next-line no-control-regex -- exactly those are meant
  if (!/["\x00-\x1f\x7f]|\$\{/.test(path)) return;
  throw new PixelsError('unsupported', `OpenSSH cannot use a path with such characters: ${JSON.stringify(path)}.`);
}

function withForwardSlashes(path: string): string {
  return process.platform === 'win32' ? path.replaceAll('\\', '/') : path;
}
