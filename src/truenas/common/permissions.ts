import { ok, warning, type Finding, type Permission } from '../../sandbox/check';
import type { Privileges } from './privileges';

/** Something that Pixels does, and what TrueNAS asks for it. */
export interface Feature {
  /** For a person: `See sandboxes`. */
  readonly title: string;
  /** All roles that the calls ask for which it comes to. */
  readonly roles: readonly string[];
  /** It goes through the web shell. */
  readonly byShell?: true;
}

/** How the privilege is called that lets a user open shells. */
export const WEB_SHELL = 'web shell';

/**
 * Which of these the user may do. Without the first one, nothing works; without the others, something does.
 * @param needsSudo shells are opened by sudo, of which a user's privileges say nothing (25.x).
 */
export function permissionsFinding(
  features: readonly Feature[],
  privileges: Privileges,
  { needsSudo }: { readonly needsSudo: boolean },
): Finding {
  const permissions = features.map((feature) => permissionFor(feature, privileges));
  const { username, isRoot } = privileges;
  const mayShell = features.some(({ byShell }, at) => byShell && permissions[at]?.granted);
  const sudo = `For consoles, commands and SSH, ${username} must also be allowed all commands by sudo, which TrueNAS does not tell.`;
  const lacks = [...new Set(permissions.flatMap((permission) => permission.lacks))];
  if (lacks.length === 0) {
    const all = `The API key of ${username} may do all that Pixels does.`;
    return { ...ok(needsSudo && mayShell && !isRoot ? `${all} ${sudo}` : all), permissions };
  }
  const refused = permissions.filter(({ granted }) => !granted);
  const titles = refused.map(({ feature }) => feature.charAt(0).toLowerCase() + feature.slice(1)).join('; ');
  const sentence = `The API key of ${username} may not: ${titles}.`;
  const found = warning(
    needsSudo && mayShell && !isRoot ? `${sentence} ${sudo}` : sentence,
    `For all of it, its user needs a privilege with: ${lacks.join(', ')}.`,
  );
  return { ...found, verdict: permissions[0]?.granted === false ? 'failed' : 'warning', permissions };
}

function permissionFor({ title, roles, byShell }: Feature, { has, hasWebShell }: Privileges): Permission {
  const lacks = [...roles.filter((role) => !has(role)), ...(byShell && !hasWebShell ? [WEB_SHELL] : [])];
  return { feature: title, granted: lacks.length === 0, lacks };
}
