import { RawIncus } from './rawIncus';

/** What `npm test` sets up and says by environment variables. */
export function testEnvironment(): { socket: string; image: string; bareImage: string } {
  const { PIXELS_TEST_SOCKET: socket, PIXELS_TEST_IMAGE: image, PIXELS_TEST_BARE_IMAGE: bareImage } = process.env;
  if (socket === undefined || image === undefined || bareImage === undefined) {
    throw new Error('These tests need a real Incus daemon: run them by "npm test -- SUITE", which starts one.');
  }
  return { socket, image, bareImage };
}

export interface TestProject {
  readonly project: string;
  readonly socket: string;
  readonly image: string;
  readonly bareImage: string;
  /** The daemon's API without our code, in this project. */
  readonly raw: RawIncus;
  /** Removes every instance and the project. */
  remove(): Promise<void>;
}

/** An Incus project of its own for a suite, sharing images and profiles, emptied first if an earlier run left it. */
export async function makeTestProject(project: string): Promise<TestProject> {
  const { socket, image, bareImage } = testEnvironment();
  const raw = new RawIncus(socket, project);
  const remove = async (): Promise<void> => {
    await empty(raw);
    await raw.must('DELETE', `/1.0/projects/${project}`);
    raw.close();
  };
  const existing = await raw.request('GET', `/1.0/projects/${project}`);
  if (existing.status === 200) await empty(raw);
  else {
    const config = { 'features.images': 'false', 'features.profiles': 'false' };
    await raw.must('POST', '/1.0/projects', { name: project, config });
  }
  return { project, socket, image, bareImage, raw, remove };
}

interface NetworkJson {
  readonly name: string;
  readonly managed: boolean;
  readonly used_by?: readonly string[];
}

async function empty(raw: RawIncus): Promise<void> {
  const instances = (await raw.must('GET', '/1.0/instances?recursion=1')) as { name: string; status: string }[];
  for (const { name, status } of instances) {
    if (status !== 'Stopped') await raw.request('PUT', `/1.0/instances/${name}/state`, { action: 'stop', force: true });
    await raw.must('DELETE', `/1.0/instances/${name}`);
  }
  // Networks of gateways, which were deleted above without their sandboxes' leave.
  const networks = (await raw.must('GET', '/1.0/networks?recursion=1')) as NetworkJson[];
  for (const { name, managed, used_by: users } of networks) {
    const isLeft = managed && name.startsWith('pxgw-') && users?.length === 0;
    if (isLeft) await raw.must('DELETE', `/1.0/networks/${name}`);
  }
}
