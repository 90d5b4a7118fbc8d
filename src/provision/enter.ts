import type { ExecRequest, SandboxHost } from '../sandbox/host';
import type { SandboxName } from '../sandbox/name';
import { PixelsError } from '../sandbox/errors';
import { outputOf } from '../sandbox/exec';
import enterScript from './enter.sh';
import { NO_VARIABLES, type SessionVariables } from './sessionVariables';

/** A terminal in the sandbox. */
export interface ConsoleOptions {
  readonly columns: number;
  readonly rows: number;
  /** The tmux session to join or make; it lives on when the terminal closes. */
  readonly session: string;
  /** False: a plain login shell that ends with the terminal. */
  readonly persist: boolean;
  readonly variables?: SessionVariables | undefined;
}

/** A tmux session of the sandbox's user. */
export interface TerminalSession {
  readonly session: string;
  readonly createdAt: Date;
  readonly attached: boolean;
}

/**
 * Runs a command as the sandbox's user in its home directory; as root where that user does not exist. Its environment is that
 * of a login, and what is given here.
 */
export function commandRequest(user: string, command: readonly string[], variables = NO_VARIABLES): ExecRequest {
  return { command: [...entering(user, variables), 'run', ...command], env: variables.env };
}

/** A login shell of the sandbox's user, in tmux when the sandbox has it and `persist` is wanted. */
export function consoleRequest(user: string, options: ConsoleOptions): ExecRequest {
  const { columns, rows, session, persist, variables = NO_VARIABLES } = options;
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(session)) {
    throw new PixelsError('invalid', `"${session}" cannot name a session: use letters, digits, "_" and "-".`);
  }
  return {
    command: [...entering(user, variables), persist ? 'session' : 'shell', session],
    env: { TERM: 'xterm-256color', LANG: 'C.UTF-8', ...variables.env },
    tty: { columns, rows },
  };
}

function entering(user: string, { names, handedOver }: SessionVariables): readonly string[] {
  return ['sh', '-c', enterScript, 'pixels', user, names.join(' '), handedOver];
}

/** The user's tmux sessions, oldest first. Empty where there is no tmux. */
export async function listSessions(
  host: SandboxHost,
  name: SandboxName,
  user: string,
  signal?: AbortSignal,
): Promise<readonly TerminalSession[]> {
  const format = '#{session_created} #{session_attached} #{session_name}';
  const request = commandRequest(user, ['sh', '-c', 'tmux list-sessions -F "$1" 2>/dev/null || true', 'sh', format]);
  const { stdout } = await outputOf(host, name, request, signal);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [created = '0', attached = '0', ...session] = line.split(' ');
      return { session: session.join(' '), createdAt: new Date(Number(created) * 1000), attached: attached !== '0' };
    });
}
