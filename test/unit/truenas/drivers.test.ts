import { describe, expect, it } from 'vitest';
import { PixelsError } from '../../../src/sandbox/errors';
import type { HostEvent, SandboxHost } from '../../../src/sandbox/host';
import type { ServerInfo, TrueNasApi } from '../../../src/truenas/api';
import { fittingDriver } from '../../../src/truenas/drivers';
import { fakeApi } from './virt/fakeApi';

function driver(title: string, done: string[]): SandboxHost {
  const made = {
    info: () => Promise.resolve({ title }),
    watch: (listener: (event: HostEvent) => void) => {
      done.push(`watch ${title}`);
      listener({ kind: 'connected' });
      return { close: () => done.push(`end ${title}`) };
    },
    close: () => done.push(`close ${title}`),
  };
  return made as unknown as SandboxHost;
}

function nas(containers: ServerInfo['containers']) {
  const done: string[] = [];
  const fake = fakeApi({});
  const is = { containers, failure: undefined as PixelsError | undefined };
  const server: TrueNasApi['server'] = () =>
    is.failure === undefined ? Promise.resolve({ version: '', containers: is.containers }) : Promise.reject(is.failure);
  const host = fittingDriver({ ...fake, server }, { virt: driver('virt', done), container: driver('container', done) });
  const events: HostEvent[] = [];
  const linked = async (change: Parameters<typeof fake.linked>[0]): Promise<void> => {
    fake.linked(change);
    await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return { host, done, is, events, linked, listen: (event: HostEvent) => void events.push(event) };
}

describe('the driver for a TrueNAS', () => {
  it.each([
    ['virt', 'virt'],
    ['container', 'container'],
    ['none', 'virt'],
  ] as const)('of a server that has %s is the one for %s', async (containers, title) => {
    expect((await nas(containers).host.info()).title).toBe(title);
  });

  it('is another one after the server was updated', async () => {
    const { host, is } = nas('virt');
    await host.info();
    is.containers = 'container';
    expect((await host.info()).title).toBe('container');
  });

  it('is not chosen while nobody answers, which is what everything ends with', async () => {
    const { host, is } = nas('virt');
    is.failure = new PixelsError('unreachable', 'nobody there');
    await expect(host.info()).rejects.toBe(is.failure);
  });

  it('is closed with the other one, after what watches', () => {
    const { host, done } = nas('virt');
    host.close();
    expect(done).toEqual(['close virt', 'close container']);
  });
});

describe('watching a TrueNAS of which nothing is known yet', () => {
  it('says that it is not there, and watches once it is', async () => {
    const { host, linked, done, events, listen } = nas('container');
    const watch = host.watch(listen);
    const error = new PixelsError('unreachable', 'nobody there');
    await linked({ kind: 'disconnected', error });
    expect(events).toEqual([{ kind: 'disconnected', error }]);
    await linked({ kind: 'connected' });
    await linked({ kind: 'disconnected', error });
    await linked({ kind: 'connected' });
    expect(done).toEqual(['watch container']);
    expect(events).toHaveLength(2);
    watch.close();
    expect(done).toEqual(['watch container', 'end container']);
  });

  it('goes over to the other driver when the server was updated meanwhile', async () => {
    const { host, linked, done, is, listen } = nas('virt');
    host.watch(listen);
    await linked({ kind: 'connected' });
    is.containers = 'container';
    await linked({ kind: 'connected' });
    expect(done).toEqual(['watch virt', 'end virt', 'watch container']);
    host.close();
    expect(done.slice(3)).toEqual(['end container', 'close virt', 'close container']);
  });

  it('does nothing after it was closed', async () => {
    const { host, linked, done, listen, events } = nas('virt');
    const watch = host.watch(listen);
    const soon = linked({ kind: 'connected' });
    watch.close();
    await soon;
    expect([done, events]).toEqual([[], []]);
  });
});
