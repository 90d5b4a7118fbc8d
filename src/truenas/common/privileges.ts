import * as z from 'zod/mini';
import type { TrueNasApi } from '../api';

/** What the user of the API key may do. */
export interface Privileges {
  readonly username: string;
  /** Root needs no sudo. */
  readonly isRoot: boolean;
  /** May open shells in the web interface, and so by its API. */
  readonly hasWebShell: boolean;
  /** Whether the user has this role, given or as a part of another one. */
  readonly has: (role: string) => boolean;
}

/** May call every method, also those that no role is enough for. */
export const FULL_ADMIN = 'FULL_ADMIN';

/** A set of Python, in the extended JSON of truenas/api_client `ejson.py`. */
const setSchema = z.object({ $set: z.array(z.string()) });

const meSchema = z.object({
  pw_name: z.string(),
  pw_uid: z.number(),
  privilege: z.object({
    roles: z.union([setSchema, z.array(z.string())]),
    web_shell: z.boolean(),
    allowlist: z.array(z.object({ resource: z.string() })),
  }),
});

/**
 * `auth.me`, which everybody may ask. Roles come with all that they include; root has only FULL_ADMIN. Who has that role may
 * call everything, unless the NAS is in STIG mode: then the list of what may be called is a real list
 * (MW:plugins/account_/privilege.py `compose_privilege`, MW:role.py `allowlist_for_role`).
 */
export async function readPrivileges(api: TrueNasApi, signal?: AbortSignal): Promise<Privileges> {
  const { pw_name: username, pw_uid: uid, privilege } = await api.call('auth.me', [], meSchema, { signal });
  const roles = new Set('$set' in privilege.roles ? privilege.roles.$set : privilege.roles);
  const mayDoAll = roles.has(FULL_ADMIN) && privilege.allowlist.some(({ resource }) => resource === '*');
  return {
    username,
    isRoot: uid === 0,
    hasWebShell: privilege.web_shell,
    has: (role) => mayDoAll || (role !== FULL_ADMIN && roles.has(role)),
  };
}
