import type { Config } from '../config';
import type { Sandbox } from '../sandbox/sandbox';

/** Whose name commands run in. A sandbox without a way in has no such user, and everything runs as root there. */
export function userOf({ state }: Sandbox, config: Config): string {
  return state.sshUser ?? config.ssh.user;
}
