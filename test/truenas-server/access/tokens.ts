import { randomBytes } from 'node:crypto';
import type { Session } from './session';

interface Token {
  readonly session: Session;
  readonly expiresAt: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly address: string | null;
  readonly singleUse: boolean;
}

/** The tokens of `auth.generate_token`, in memory. */
export class Tokens {
  private readonly tokens = new Map<string, Token>();

  make(session: Session, ttlSeconds: number, options: Omit<Token, 'session' | 'expiresAt'>): string {
    const token = randomBytes(48).toString('base64url');
    this.tokens.set(token, { ...options, session, expiresAt: Date.now() + ttlSeconds * 1000 });
    return token;
  }

  /** The token's facts, once where it is for one use, or undefined. */
  use(token: string, address: string): Token | undefined {
    const found = this.tokens.get(token);
    if (!found) return undefined;
    if (found.expiresAt < Date.now()) {
      this.tokens.delete(token);
      return undefined;
    }
    if (found.address !== null && found.address !== address) return undefined;
    if (found.singleUse) this.tokens.delete(token);
    return found;
  }

  clear(): void {
    this.tokens.clear();
  }
}

export type { Token };
