import { FULL_ADMIN } from './roles';

/** A user of the NAS, as far as keys and privileges go. */
export interface User {
  readonly username: string;
  readonly uid: number;
  /** With all that they include. */
  readonly roles: ReadonlySet<string>;
  readonly webShell: boolean;
  /** Whether it may run everything by sudo. */
  readonly sudo: boolean;
}

/** A login that lasts. `api_key` is 0 for logins without one. */
export class Session {
  private readonly loggedInAt = Date.now();

  constructor(
    readonly user: User,
    readonly kind: 'API_KEY' | 'TOKEN',
    private readonly keyId: number,
  ) {}

  get isFullAdmin(): boolean {
    return this.user.roles.has(FULL_ADMIN);
  }

  /** Whether the user has one of the roles. */
  hasRole(roles: readonly string[]): boolean {
    return this.isFullAdmin || roles.some((role) => this.user.roles.has(role));
  }

  /** `credentials.data` of a job. */
  described(): unknown {
    const key = this.keyId ? { api_key: { id: this.keyId, name: this.user.username } } : {};
    return { username: this.user.username, login_at: { $date: this.loggedInAt }, ...key };
  }
}
