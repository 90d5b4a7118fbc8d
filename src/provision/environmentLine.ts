import { PixelsError } from '../sandbox/errors';

/** pam_env gives up on the whole file at a longer one: its buffer has 8192 bytes (Linux-PAM 1.5). */
const LONGEST_BYTES = 8000;

/**
 * A line of /etc/environment that pam_env(8), systemd (EnvironmentFile=) and sudo (env_file) read alike. The three agree on little:
 * pam_env knows no escapes and ends a value at "#" even within quotes, systemd knows escapes within double quotes.
 * @param source what the error calls the value: `env.NAME`.
 * @throws PixelsError `config`, without the value, for one that cannot be written so.
 */
export function environmentLine(name: string, value: string, source: string): string {
  const quote = value.includes("'") ? '"' : "'";
  const line = `${name}=${quote}${value}${quote}`;
  const problem = problemWith(value, quote) ?? (Buffer.byteLength(line) > LONGEST_BYTES ? 'it is too long' : undefined);
  if (problem === undefined) return line;
  throw new PixelsError('config', `${source} cannot be written to /etc/environment: ${problem}.`, {
    hint: source.startsWith('env.') ? 'As { value = "…", session_only = true } it needs not be.' : '',
  });
}

function problemWith(value: string, quote: string): string | undefined {
  if (/[\r\n]/.test(value)) return 'it has a line break';
  // eslint-disable-next-line no-control-regex -- exactly those are meant
  if (/[\x00-\x08\x0b-\x1f\x7f]/.test(value)) return 'it has a control character';
  if (value.includes('#')) return 'it has a "#", which begins a comment there';
  if (quote === '"' && /["\\$`]/.test(value)) return 'it has a \' together with one of " \\ $ `';
  return undefined;
}
