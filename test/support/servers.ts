import type { SandboxHost } from '../../src/sandbox/host';
import { startTrueNasServer, type Profile, type TrueNasServer } from '../truenas-server';
import { connectTo, type Place } from './place';
import { makeTestProject, type TestProject } from './testProject';

/** A server whose sandboxes are the instances of a test's project. */
export interface Server {
  readonly place: Place;
  /** What the test image is called there. */
  readonly image: string;
  /** A new connection to it. */
  connect(): SandboxHost;
  /** Takes a checkpoint without Pixels, as somebody else on the same server would. */
  takeCheckpointOutside(sandbox: string, label: string): Promise<void>;
  /** How many tasks it is at, for whomever. */
  tasks(): Promise<number>;
  /** What Pixels has made there for its own use, besides sandboxes and their checkpoints, by name. */
  leftovers(): Promise<string[]>;
  close(): Promise<void>;
}

/** The daemon itself, over its unix socket. */
export function incus({ socket, project, image, raw }: TestProject): Promise<Server> {
  const place = { kind: 'incus', socket, project } as const;
  return Promise.resolve({
    place,
    image,
    connect: () => connectTo(place),
    takeCheckpointOutside: async (sandbox, label) => {
      await raw.must('POST', `/1.0/instances/px-${sandbox}/snapshots`, { name: label });
    },
    tasks: async () => {
      const { running = [] } = (await raw.must('GET', '/1.0/operations?recursion=1')) as {
        running?: { class: string }[];
      };
      return running.filter((operation) => operation.class === 'task').length;
    },
    leftovers: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  });
}

/** A TrueNAS of this release, in front of the daemon. */
export function trueNas(profile: Profile): (project: TestProject) => Promise<Server> {
  return async (project) => {
    const server = await startTrueNasServer({
      socket: project.socket,
      project: project.project,
      incusPool: 'default',
      profile,
    });
    const place = placeOf(server);
    const snapshots = profile === '25.04.2' ? 'zfs.snapshot' : 'pool.snapshot';
    const parent = profile === '26.0' ? 'tank/.truenas_containers/containers' : 'tank/.ix-virt/containers';
    const behind = await incus(project);
    return {
      place,
      // As the registry of the test server names it.
      image: profile === '26.0' ? project.image.replace('debian/12', 'debian/bookworm') : project.image,
      connect: () => connectTo(place),
      takeCheckpointOutside: async (sandbox, label) => {
        await server.call(`${snapshots}.create`, [{ dataset: `${parent}/px-${sandbox}`, name: `px-${label}` }]);
      },
      tasks: async () => {
        const filters = [['state', 'in', ['WAITING', 'RUNNING']]];
        const jobs = (await server.call('core.get_jobs', [filters])) as unknown[];
        return jobs.length + (await behind.tasks());
      },
      leftovers: async () => {
        const select = { select: ['name'] };
        const rows = (await server.call(`${snapshots}.query`, [[['name', '~', '.*@pixels-']], select])) as Row[];
        const tasks = (await server.call('cronjob.query')) as { description: string }[];
        return [...tasks.map(({ description }) => description), ...rows.map(({ name }) => name)];
      },
      close: () => server.close(),
    };
  };
}

interface Row {
  readonly name: string;
}

function placeOf({ host, port, username, apiKey, fingerprint }: TrueNasServer): Place {
  const trust = { kind: 'pin', fingerprint256: fingerprint } as const;
  return { kind: 'truenas', target: { host, port, username, apiKey, trust } };
}

/** A server in front of a project of its own, as the suite over the port takes it. */
export async function onServer(
  projectName: string,
  open: (project: TestProject) => Promise<Server>,
): Promise<Omit<Server, 'close'> & { dispose(): Promise<void> }> {
  const project = await makeTestProject(projectName);
  const server = await open(project);
  return {
    ...server,
    dispose: async () => {
      await server.close();
      await project.remove();
    },
  };
}
