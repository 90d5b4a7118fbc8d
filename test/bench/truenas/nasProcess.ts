// A TrueNAS test server as a process of its own, so that what it does takes no time of whoever is measured:
//   node nasProcess.mjs '{"socket":…,"project":…}'     started by fork(), ends when it is told to
import { startTrueNasServer } from '../../truenas-server';
import type { NasAnswer, NasQuestion } from './nas';

const { socket, project } = JSON.parse(process.argv[2] ?? '') as { socket: string; project: string };
const server = await startTrueNasServer({ socket, project, incusPool: 'default', profile: '25.10.5' });
const { host, port, username, apiKey, certificate, fingerprint } = server;
let told = 0;

process.on('message', (question: NasQuestion) => {
  if (question === 'calls') {
    tell({ calls: server.calls.slice(told).map(({ method }) => method) });
    told = server.calls.length;
    return;
  }
  close();
});
process.once('disconnect', close); // nobody can ask any more
tell({ facts: { host, port, username, apiKey, certificate, fingerprint } });

function close(): void {
  server.close().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}

function tell(answer: NasAnswer): void {
  process.send?.(answer);
}
