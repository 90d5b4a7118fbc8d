import { afterAll, beforeAll, describe } from 'vitest';
import type { SandboxHost } from '../../src/sandbox/host';
import { parseLabel, parseName } from '../../src/sandbox/name';
import type { Lacks } from '../../src/sandbox/sandbox';
import { checkpointContract } from './checkpoints.contract';
import { examineContract } from './examine.contract';
import { execContract } from './exec.contract';
import { inventoryContract } from './inventory.contract';
import { lacksContract } from './lacks.contract';
import { makingContract } from './making.contract';
import { powerContract } from './power.contract';
import { stateContract } from './state.contract';
import { inside, limitsFor } from './support';
import { watchContract } from './watch.contract';

/** A server to try, and what the suite needs to know about it. */
export interface HostUnderTest {
  /** A new connection to the server. */
  connect(): SandboxHost;
  /** An image with systemd, on the server already. */
  readonly image: string;
  /** Takes a checkpoint without Pixels, as somebody else on the same server would. */
  takeCheckpointOutside(sandbox: string, label: string): Promise<void>;
  /** Removes whatever is left. */
  dispose(): Promise<void>;
}

/** What the parts of the suite share: one connection, and two sandboxes that no test destroys. */
export interface Subject extends HostUnderTest {
  readonly host: SandboxHost;
  /** What the server says that it cannot do. Everything else is tried, and that it cannot do this is tried too. */
  readonly lacks: Lacks;
}

/** Runs, with systemd in it; tests write to it, but leave it running and its files under /root alone. */
export const running = parseName('ct-running');
/** Is stopped; has the checkpoint {@link ready}, in which /root/file says "before"; now it says "now". */
export const stopped = parseName('ct-stopped');
export const ready = parseLabel('ready');

/** What every {@link SandboxHost} must do: one statement about its behaviour per test. */
export function describeSandboxHost(title: string, makeHost: () => Promise<HostUnderTest>): void {
  describe(title, () => {
    const subject = {} as Subject;

    beforeAll(async () => {
      const made = await makeHost();
      const host = made.connect();
      Object.assign(subject, made, { host, lacks: (await host.info()).lacks });
      const common = { image: made.image, placement: {} };
      await host.create({ ...common, name: running, limits: limitsFor(subject, 1, 512), state: {} });
      await host.start(running);
      await host.create({ ...common, name: stopped, limits: {}, state: { sshUser: 'pixel' } });
      await inside(host, stopped, 'printf before >/root/file');
      await host.createCheckpoint(stopped, ready);
      await inside(host, stopped, 'printf now >/root/file');
    });

    afterAll(async () => {
      subject.host.close();
      await subject.dispose();
    });

    inventoryContract(subject);
    lacksContract(subject);
    examineContract(subject);
    makingContract(subject);
    powerContract(subject);
    checkpointContract(subject);
    stateContract(subject);
    execContract(subject);
    watchContract(subject);
  });
}
