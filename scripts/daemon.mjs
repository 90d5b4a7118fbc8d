/**
 * The private Incus daemon of the tests, kept running while one works on them:
 *   node scripts/daemon.mjs start [NAME]    start it with its images; prints the environment as `env` does
 *   eval "$(node scripts/daemon.mjs env)"   the environment of the suites, for `npx vitest --project contract`
 *   node scripts/daemon.mjs stop [NAME]     stop it; its pool and images stay for the next start
 *   node scripts/daemon.mjs erase [NAME]    stop it and delete all of it
 * NAME (at most 8 letters and digits, `test` by default) gives another, independent daemon. The daemon `test` is the one that
 * `npm test` uses; it is found running then, and left running.
 */
import { daemonPackages } from './lib/incusd.mjs';
import { ensurePackages } from './lib/packages.mjs';
import { erasePrivateIncus, privateIncus, startPrivateIncus } from './lib/private-incus.mjs';
import { main, step } from './lib/steps.mjs';
import { daemonEnvironment, testImages } from './lib/test-environment.mjs';

const commands = {
  async start(name) {
    await ensurePackages([...daemonPackages, 'openssl', 'iputils-ping'], 'a private Incus daemon');
    const daemon = await step('Private Incus', async (note) => {
      const started = await startPrivateIncus(name, { inMemory: true });
      note(started.reused ? 'running already' : started.base);
      return started;
    });
    await testImages(daemon.socket);
    await commands.env(name);
  },
  async stop(name) {
    await step('Private Incus stopped', () => privateIncus(`/var/lib/pixels-${name}`).stop());
  },
  async erase(name) {
    await step('Private Incus erased', () => erasePrivateIncus(name));
  },
  async env(name) {
    const environment = await daemonEnvironment(privateIncus(`/var/lib/pixels-${name}`));
    for (const [variable, value] of Object.entries(environment)) console.log(`export ${variable}='${value}'`);
  },
};

await main(async ([command, name = 'test']) => {
  if (!(command in commands))
    throw new Error(`Usage: node scripts/daemon.mjs ${Object.keys(commands).join('|')} [NAME]`);
  await commands[command](name);
});
