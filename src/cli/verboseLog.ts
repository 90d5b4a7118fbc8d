import type { Log } from '../sandbox/log';
import type { Terminal } from './terminal';

/** Every message on standard error, with the milliseconds since the process began. */
export function verboseLog(terminal: Terminal): Log {
  const write = (message: string) =>
    terminal.say(terminal.gray(`${performance.now().toFixed(0).padStart(6)} ms  ${message}`));
  return { trace: write, debug: write, info: write, warn: write, error: write };
}
