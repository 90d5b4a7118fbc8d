import { beforeAll, describe } from 'vitest';
import { isAll } from '../support/extent';
import { incus, trueNas } from '../support/servers';
import { loginCases, tunnelCases } from './loginCases';
import { World } from './world';

const SERVERS = [
  { title: 'Incus', openServer: incus, transports: ['tunnel', 'direct'], movedMiB: 100 },
  { title: 'TrueNAS 25.04', openServer: trueNas('25.04.2'), transports: ['tunnel'], movedMiB: 8 },
  { title: 'TrueNAS 25.10', openServer: trueNas('25.10.5'), transports: ['tunnel'], movedMiB: 8 },
  { title: 'TrueNAS 26.0', openServer: trueNas('26.0'), transports: ['tunnel'], movedMiB: 8 },
] as const;
const servers = SERVERS.filter(({ title }) => isAll || title !== 'TrueNAS 25.04');

describe.each(servers)('on $title', ({ openServer, transports, movedMiB }) => {
  let world: World;
  beforeAll(async () => {
    world = await World.open(openServer);
    return () => world.close();
  });

  for (const transport of transports) loginCases(() => world, transport, movedMiB);
  tunnelCases(() => world);
});
