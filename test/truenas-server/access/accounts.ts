import { randomBytes } from 'node:crypto';
import type { AddKeyOptions, Credentials } from '../interface';
import { FULL_ADMIN, type Roles } from './roles';
import type { User } from './session';

interface Key {
  readonly id: number;
  readonly secret: string;
  readonly user: User;
  readonly expired: boolean;
  readonly otp: boolean;
  revoked: boolean;
}

/** What the one-time password of a user with two factors is here. */
export const OTP = '123456';

/** The users and their API keys: one key per user. */
export class Accounts {
  private readonly keys: Key[] = [];

  constructor(private readonly roles: Roles) {}

  add({ roles, webShell, expired, otp, sudo }: AddKeyOptions = {}, username?: string): Credentials {
    const id = this.keys.length + 1;
    const secret = `${id}-${randomBytes(48).toString('base64url').replaceAll(/[-_]/g, 'x')}`;
    const name = username ?? `user${id}`;
    const user = {
      username: name,
      uid: name === 'root' ? 0 : 3000 + id,
      roles: this.roles.expanded(roles ?? [FULL_ADMIN]),
      webShell: webShell ?? true,
      sudo: sudo ?? true,
    };
    this.keys.push({ id, secret, user, expired: expired ?? false, otp: otp ?? false, revoked: false });
    return { username: name, apiKey: secret };
  }

  /** The user's key, in whatever state it is; undefined for a wrong one. */
  find(username: string, apiKey: string): Key | undefined {
    return this.keys.find(({ user, secret }) => user.username === username && secret === apiKey);
  }

  /** For the logins of old that name no user. */
  findByKey(apiKey: string): Key | undefined {
    return this.keys.find(({ secret }) => secret === apiKey);
  }

  isRevoked(apiKey: string): boolean {
    return this.findByKey(apiKey)?.revoked ?? false;
  }
}

export type { Key };
