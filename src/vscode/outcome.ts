import type { PixelsError } from '../sandbox/errors';

/** How an action ended. Actions return this and throw nothing, so that nobody can forget the other two. */
export type Outcome<T = void> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'error'; readonly error: PixelsError };
