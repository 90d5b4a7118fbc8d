import { describe, expect, it } from 'vitest';
import { permissionsFinding, WEB_SHELL } from '../../../src/truenas/common/permissions';
import { FULL_ADMIN, readPrivileges } from '../../../src/truenas/common/privileges';
import { features as containerFeatures } from '../../../src/truenas/container/features';
import { features as virtFeatures } from '../../../src/truenas/virt/features';
import { fakeApi } from './virt/fakeApi';

const ALL = [{ method: '*', resource: '*' }];

interface User {
  readonly roles: unknown;
  readonly uid?: number;
  readonly webShell?: boolean;
  readonly allowlist?: readonly object[];
}

/** What `auth.me` says of somebody. */
function privilegesOf({ roles, uid = 3000, webShell = true, allowlist = [] }: User) {
  const privilege = { roles, web_shell: webShell, allowlist, webui_access: true };
  return readPrivileges(fakeApi({ 'auth.me': { pw_name: 'agent', pw_uid: uid, privilege } }));
}

async function findingFor(user: User, features = virtFeatures('pool.snapshot'), needsSudo = true) {
  return permissionsFinding(features, await privilegesOf(user), { needsSudo });
}

describe('privileges on TrueNAS', () => {
  it.each([{ $set: ['A_READ'] }, ['A_READ']])('are the roles that the user has: %j', async (roles) => {
    const { has, username, isRoot, hasWebShell } = await privilegesOf({ roles });
    expect([has('A_READ'), has('A_WRITE'), has(FULL_ADMIN)]).toEqual([true, false, false]);
    expect([username, isRoot, hasWebShell]).toEqual(['agent', false, true]);
  });

  it('of a full administrator are all, unless the NAS is in STIG mode, where they are those that it names', async () => {
    const admin = await privilegesOf({ roles: { $set: [FULL_ADMIN] }, uid: 0, allowlist: ALL });
    expect([admin.has('A_WRITE'), admin.has(FULL_ADMIN), admin.isRoot]).toEqual([true, true, true]);
    const allowlist = [{ method: 'CALL', resource: 'a.query' }];
    const limited = await privilegesOf({ roles: { $set: [FULL_ADMIN, 'A_READ'] }, allowlist });
    expect([limited.has('A_READ'), limited.has('A_WRITE'), limited.has(FULL_ADMIN)]).toEqual([true, false, false]);
  });

  it('are not guessed when the answer is another one', async () => {
    const api = fakeApi({ 'auth.me': { pw_name: 'agent', pw_uid: 1, privilege: { roles: 'all' } } });
    await expect(readPrivileges(api)).rejects.toThrow();
  });
});

describe('what a key may do', () => {
  it('is everything for root, with nothing more to say', async () => {
    const found = await findingFor({ roles: { $set: [FULL_ADMIN] }, uid: 0, allowlist: ALL });
    expect(found).toMatchObject({ verdict: 'ok', sentence: 'The API key of agent may do all that Pixels does.' });
    expect(found.permissions?.every(({ granted }) => granted)).toBe(true);
  });

  it('says of others that their shells need sudo, where that is so', async () => {
    const user = { roles: { $set: [FULL_ADMIN] }, allowlist: ALL };
    expect((await findingFor(user)).sentence).toContain('sudo');
    expect((await findingFor(user, containerFeatures(), false)).sentence).not.toContain('sudo');
    expect((await findingFor({ roles: ['VIRT_INSTANCE_READ'], webShell: false })).sentence).not.toContain('sudo');
  });

  it('names what it may not, and once each role that is missing', async () => {
    const roles = ['VIRT_GLOBAL_READ', 'VIRT_INSTANCE_READ', 'VIRT_INSTANCE_WRITE', 'SNAPSHOT_READ', 'SNAPSHOT_WRITE'];
    const found = await findingFor({ roles, webShell: false });
    expect(found).toMatchObject({
      verdict: 'warning',
      sentence:
        'The API key of agent may not: connect them to the network of the NAS; take and delete checkpoints; ' +
        'consoles, commands and SSH; set up login and recipes; clone.',
      advice:
        'For all of it, its user needs a privilege with: NETWORK_GENERAL_READ, NETWORK_INTERFACE_READ, SNAPSHOT_DELETE, ' +
        `${WEB_SHELL}, SYSTEM_CRON_WRITE.`,
    });
    expect(found.permissions?.filter(({ granted }) => granted).map(({ feature }) => feature)).toEqual([
      'See sandboxes',
      'Create, start, stop and destroy',
      'Restore checkpoints',
    ]);
  });

  it('has failed when it may not even see sandboxes', async () => {
    expect((await findingFor({ roles: ['VIRT_INSTANCE_WRITE'] })).verdict).toBe('failed');
  });

  it('on 25.04 needs a full administrator for a restore, since there is no role for it', () => {
    const restore = (snapshots: 'zfs.snapshot' | 'pool.snapshot') =>
      virtFeatures(snapshots).find(({ title }) => title === 'Restore checkpoints')?.roles;
    expect(restore('zfs.snapshot')).toContain(FULL_ADMIN);
    expect(restore('pool.snapshot')).not.toContain(FULL_ADMIN);
  });
});
